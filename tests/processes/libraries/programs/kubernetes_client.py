"""The official client: typed objects, watches, logs, exec, patches of every kind."""

import sys
import threading

from kubernetes import client, config, utils, watch
from kubernetes.client.rest import ApiException
from kubernetes.dynamic import DynamicClient
from kubernetes.stream import portforward, stream

kubeconfig, namespace = sys.argv[1:]
config.load_kube_config(kubeconfig)
core, apps = client.CoreV1Api(), client.AppsV1Api()

# typed objects
core.create_namespaced_config_map(
    namespace, client.V1ConfigMap(metadata=client.V1ObjectMeta(name="typed"), data={"a": "1"})
)
assert core.read_namespaced_config_map("typed", namespace).data == {"a": "1"}
core.patch_namespaced_config_map("typed", namespace, {"data": {"b": "2"}})
assert core.read_namespaced_config_map("typed", namespace).data == {"a": "1", "b": "2"}
page = core.list_namespaced_config_map(namespace, limit=1)
assert len(page.items) == 1 and page.metadata._continue
try:
    core.read_namespaced_config_map("missing", namespace)
except ApiException as error:
    assert error.status == 404 and error.reason == "Not Found"
else:
    raise AssertionError("a missing object was read")
stale = core.read_namespaced_config_map("typed", namespace)
core.patch_namespaced_config_map("typed", namespace, {"data": {"c": "3"}})
try:
    core.replace_namespaced_config_map("typed", namespace, stale)
except ApiException as error:
    assert error.status == 409
else:
    raise AssertionError("a stale object was written")

# a watch sees what happens
seen = []


def follow() -> None:
    for event in watch.Watch().stream(core.list_namespaced_pod, namespace, timeout_seconds=60):
        pod = event["object"]
        seen.append((event["type"], pod.status.phase))
        if event["type"] == "DELETED":
            return


follower = threading.Thread(target=follow)
follower.start()
utils.create_from_dict(
    client.ApiClient(),
    {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "box", "namespace": namespace},
        "spec": {
            "containers": [{"name": "box", "image": "echo", "ports": [{"containerPort": 8080}]}]
        },
    },
)
for event in watch.Watch().stream(
    core.list_namespaced_pod, namespace, field_selector="metadata.name=box", timeout_seconds=60
):
    if any(
        each.type == "Ready" and each.status == "True"
        for each in event["object"].status.conditions or []
    ):
        break
else:
    raise AssertionError("the pod was not ready in time")

# in the pod
assert isinstance(core.read_namespaced_pod_log("box", namespace), str)
said = stream(
    core.connect_get_namespaced_pod_exec,
    "box",
    namespace,
    command=["sh", "-c", "echo out; echo err >&2; cat"],
    stdin=True,
    stdout=True,
    stderr=True,
    tty=False,
    _preload_content=False,
)
said.write_stdin("typed\n")
while said.is_open() and "typed" not in (said.peek_stdout() or ""):
    said.update(timeout=1)
assert said.read_stdout() == "out\ntyped\n", said.read_stdout()
assert said.read_stderr() == "err\n"
said.close()
done = stream(
    core.connect_get_namespaced_pod_exec,
    "box",
    namespace,
    command=["sh", "-c", "exit 3"],
    stdout=True,
    stderr=True,
    stdin=False,
    tty=False,
    _preload_content=False,
)
done.run_forever(timeout=30)
assert done.returncode == 3, done.returncode
forwarded = portforward(core.connect_get_namespaced_pod_portforward, "box", namespace, ports="8080")
connection = forwarded.socket(8080)
connection.setblocking(True)
connection.sendall(b"GET / HTTP/1.1\r\nHost: box\r\nConnection: close\r\n\r\n")
answer = b""
while part := connection.recv(65536):
    answer += part
connection.close()
assert answer.startswith(b"HTTP/1.1 200"), answer
assert forwarded.error(8080) is None

core.delete_namespaced_pod("box", namespace, grace_period_seconds=0)
follower.join(60)
assert seen[0][0] == "ADDED" and seen[-1][0] == "DELETED", seen

# scale, eviction-free: the typed subresource
deployment = {
    "metadata": {"name": "web"},
    "spec": {
        "replicas": 1,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "web", "image": "echo"}]},
        },
    },
}
apps.create_namespaced_deployment(namespace, deployment)
apps.patch_namespaced_deployment_scale("web", namespace, {"spec": {"replicas": 2}})
assert apps.read_namespaced_deployment_scale("web", namespace).spec.replicas == 2

# the dynamic client
dynamic = DynamicClient(client.ApiClient())
maps = dynamic.resources.get(api_version="v1", kind="ConfigMap")
maps.server_side_apply(
    namespace=namespace,
    name="applied",
    body={
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "applied"},
        "data": {"x": "y"},
    },
    field_manager="program",
)
assert maps.get(name="applied", namespace=namespace).data.x == "y"
assert client.VersionApi().get_code().git_version.startswith("v1.")
assert (
    client.AuthorizationV1Api()
    .create_self_subject_access_review(
        {"spec": {"resourceAttributes": {"verb": "get", "resource": "pods"}}}
    )
    .status.allowed
)
core.delete_collection_namespaced_config_map(namespace)
apps.delete_namespaced_deployment("web", namespace)
