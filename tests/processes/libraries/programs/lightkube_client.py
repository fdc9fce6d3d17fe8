"""lightkube: typed models, server-side apply, watches, exec."""

import sys

from lightkube import ApiError, Client, KubeConfig, codecs
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.apps_v1 import Deployment
from lightkube.resources.core_v1 import ConfigMap, Pod

kubeconfig, namespace = sys.argv[1:]
client = Client(KubeConfig.from_file(kubeconfig), namespace=namespace, field_manager="program")

client.create(ConfigMap(metadata=ObjectMeta(name="one"), data={"a": "1"}))
assert client.get(ConfigMap, "one").data == {"a": "1"}
client.patch(ConfigMap, "one", {"data": {"b": "2"}})
assert client.get(ConfigMap, "one").data == {"a": "1", "b": "2"}
applied = client.apply(
    ConfigMap(apiVersion="v1", kind="ConfigMap", metadata=ObjectMeta(name="two"), data={"x": "y"})
)
assert [each.manager for each in applied.metadata.managedFields] == ["program"]
names = [each.metadata.name for each in client.list(ConfigMap, chunk_size=1)]
assert {"one", "two"} <= set(names), names
try:
    client.get(ConfigMap, "missing")
except ApiError as error:
    assert error.status.code == 404 and error.status.reason == "NotFound"
else:
    raise AssertionError("a missing object was read")

(deployment,) = codecs.load_all_yaml(
    """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: web, image: echo}]
"""
)
client.create(deployment)
client.wait(Deployment, "web", for_conditions=["Available"])
client.patch(Deployment, "web", {"spec": {"replicas": 2}})
for kind, pod in client.watch(Pod, labels={"app": "web"}, server_timeout=60):
    assert kind == "ADDED" and pod.metadata.labels["app"] == "web"
    break
client.delete(Deployment, "web")
client.deletecollection(ConfigMap)
