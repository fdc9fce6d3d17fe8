"""kr8s: objects, waiting, exec, port-forward, logs."""

import sys

import kr8s
from kr8s.objects import ConfigMap, Deployment, Pod

kubeconfig, namespace = sys.argv[1:]
api = kr8s.api(kubeconfig=kubeconfig, namespace=namespace)
assert api.version()["major"] == "1"

ConfigMap({"metadata": {"name": "one", "labels": {"a": "b"}}, "data": {"x": "1"}}, api=api).create()
(found,) = kr8s.get("configmaps", namespace=namespace, label_selector={"a": "b"}, api=api)
found.patch({"data": {"x": "2"}})
found.refresh()
assert found.data.x == "2"
found.label({"c": "d"})
assert found.labels.c == "d"

pod = Pod(
    {
        "metadata": {"name": "box"},
        "spec": {
            "containers": [{"name": "box", "image": "echo", "ports": [{"containerPort": 8080}]}]
        },
    },
    api=api,
)
pod.create()
pod.wait("condition=Ready", timeout=60)
assert pod.ready()
done = pod.exec(["sh", "-c", "echo in the pod"])
assert done.stdout == b"in the pod\n" and done.returncode == 0, done
with pod.portforward(8080) as port:
    import urllib.request

    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=30) as answer:
        assert answer.status == 200

deployment = Deployment(
    {
        "metadata": {"name": "web"},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "web", "image": "echo"}]},
            },
        },
    },
    api=api,
)
deployment.create()
deployment.wait("condition=Available", timeout=60)  # a count that is 0 is not there to be compared
deployment.scale(2)
deployment.wait("jsonpath='{.status.readyReplicas}'=2", timeout=60)
assert deployment.ready()
deployment.delete()
pod.delete()
pod.wait("delete", timeout=60)
