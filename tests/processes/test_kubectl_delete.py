"""Deleting objects, what belongs to them, and namespaces; waiting for things to happen."""

import json
import re
from typing import Any

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: cart, labels: {app: cart}}
spec:
  replicas: 2
  selector: {matchLabels: {app: cart}}
  template:
    metadata: {labels: {app: cart}}
    spec:
      nodeSelector: {nowhere: "yes"}
      containers: [{name: web, image: "nginx:1"}]
"""


def config_map(kubectl: Any, name: str, **metadata: Any) -> None:
    path = f"/api/v1/namespaces/{kubectl.namespace}/configmaps"
    kubectl.control.ask("POST", path, {"metadata": {"name": name, **metadata}})


def deployed(kubectl: Any) -> None:
    """A Deployment with both of its pods there."""
    kubectl("apply", "--filename=-", stdin=DEPLOYMENT)
    kubectl("wait", "deployment/cart", "--for=jsonpath={.status.replicas}=2", "--timeout=30s")


def names(kubectl: Any, kind: str, *arguments: str) -> list[str]:
    told: str = kubectl("get", kind, "--output=name", *arguments)
    return sorted(each.partition("/")[2] for each in told.split())


def gone(kubectl: Any, kind: str) -> None:
    kubectl("wait", kind, "--selector=app=cart", "--for=delete", "--timeout=30s")
    assert names(kubectl, kind, "--selector=app=cart") == []


# -- delete


def test_delete_by_name_waits_until_it_is_gone(kubectl: Any) -> None:
    config_map(kubectl, "one")
    config_map(kubectl, "two")
    told = kubectl("delete", "configmap", "one", "two")
    assert re.findall(r'configmap "(\w+)" deleted', told) == ["one", "two"]
    assert not {"one", "two"} & set(names(kubectl, "configmaps"))
    words = kubectl.fails("delete", "configmap", "one")
    assert words == 'Error from server (NotFound): configmaps "one" not found\n'
    assert kubectl("delete", "configmap", "one", "--ignore-not-found") == ""


def test_delete_by_label_by_file_and_all(kubectl: Any) -> None:
    for name in ("a", "b", "c", "d"):
        config_map(kubectl, name, labels={"half": "yes" if name < "c" else "no"})
    kubectl("delete", "configmaps", "--selector=half=yes")
    assert not {"a", "b"} & set(names(kubectl, "configmaps"))
    manifest = '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}'
    kubectl("delete", "--filename=-", stdin=manifest)
    assert names(kubectl, "configmaps", "--selector=half") == ["d"]
    told = kubectl("delete", "configmaps", "--field-selector=metadata.name=d", "--output=name")
    assert told == "configmap/d\n"
    kubectl("delete", "configmaps,services", "--all")
    assert names(kubectl, "configmaps", "--selector=half") == []


def test_a_pod_that_no_node_has_goes_at_once(kubectl: Any) -> None:
    deployed(kubectl)
    kubectl("scale", "deployment/cart", "--replicas=0")
    gone(kubectl, "pods")
    kubectl("run", "lone", "--image=nginx", '--overrides={"spec":{"nodeSelector":{"no":"where"}}}')
    assert 'pod "lone" deleted' in kubectl("delete", "pod", "lone")
    kubectl("run", "lone", "--image=nginx", '--overrides={"spec":{"nodeSelector":{"no":"where"}}}')
    kubectl("delete", "pod", "lone", "--now")
    kubectl("run", "lone", "--image=nginx", '--overrides={"spec":{"nodeSelector":{"no":"where"}}}')
    forced = kubectl.run("delete", "pod", "lone", "--force", "--grace-period=0")
    assert forced.status == 0
    assert names(kubectl, "pods") == []


def test_what_belongs_to_it_goes_after_it(kubectl: Any) -> None:
    deployed(kubectl)
    kubectl("delete", "deployment", "cart", "--cascade=background")
    gone(kubectl, "replicasets")
    gone(kubectl, "pods")


def test_what_belongs_to_it_goes_before_it(kubectl: Any) -> None:
    deployed(kubectl)
    kubectl("delete", "deployment", "cart", "--cascade=foreground")
    kept = names(kubectl, "deployments,replicasets,pods")
    assert kept == []


def test_what_belongs_to_it_may_stay_as_an_orphan(kubectl: Any) -> None:
    deployed(kubectl)
    kubectl("delete", "deployment", "cart", "--cascade=orphan")
    [orphan] = json.loads(kubectl("get", "replicasets", "--output=json"))["items"]
    assert "ownerReferences" not in orphan["metadata"]
    assert len(names(kubectl, "pods")) == 2
    kubectl("delete", "replicasets", "--all")
    gone(kubectl, "pods")


def test_a_finalizer_holds_an_object_until_it_is_taken_off(kubectl: Any) -> None:
    config_map(kubectl, "held", finalizers=["example.com/hold"])
    told = kubectl("delete", "configmap", "held", "--wait=false")
    assert 'configmap "held" deleted' in told
    stamp = "--output=jsonpath={.metadata.deletionTimestamp}"
    assert kubectl("get", "configmap", "held", stamp)
    taken = '{"metadata": {"finalizers": null}}'
    kubectl("patch", "configmap", "held", "--type=merge", f"--patch={taken}")
    assert "held" not in names(kubectl, "configmaps")


def test_a_namespace_is_emptied_then_removed(kubectl: Any) -> None:
    space = f"{kubectl.namespace}-more"
    kubectl.control.ask("POST", "/api/v1/namespaces", {"metadata": {"name": space}})
    kubectl(f"--namespace={space}", "apply", "--filename=-", stdin=DEPLOYMENT)
    told = kubectl("delete", "namespace", space, "--timeout=60s")
    assert f'namespace "{space}" deleted' in told
    assert "NotFound" in kubectl.fails("get", "namespace", space)
    assert names(kubectl, "pods,deployments,configmaps", f"--namespace={space}") == []
    words = kubectl.fails(f"--namespace={space}", "apply", "--filename=-", stdin=DEPLOYMENT)
    assert f'namespaces "{space}" not found' in words


# -- wait


def test_wait_for_a_condition_a_value_and_a_deletion(kubectl: Any) -> None:
    deployed(kubectl)
    told = kubectl("wait", "deployment/cart", "--for=condition=Progressing", "--timeout=30s")
    assert told == "deployment.apps/cart condition met\n"
    told = kubectl("wait", "deployment/cart", "--for=condition=Available=false", "--timeout=30s")
    assert told == "deployment.apps/cart condition met\n"
    told = kubectl("wait", "deployment/cart", "--for=jsonpath={.spec.replicas}=2")
    assert told == "deployment.apps/cart condition met\n"
    assert kubectl("wait", "configmap/nobody", "--for=delete") == ""


def test_wait_is_woken_by_what_happens(kubectl: Any) -> None:
    config_map(kubectl, "slow")
    with kubectl.watching(
        "wait", "configmap/slow", "--for=jsonpath={.data.done}=yes", "--timeout=60s", "--v=6"
    ) as lines:
        assert any("watch=true" in line for line in lines)
        path = f"/api/v1/namespaces/{kubectl.namespace}/configmaps/slow"
        kind = {"Content-Type": "application/merge-patch+json"}
        kubectl.control.ask("PATCH", path, {"data": {"done": "yes"}}, **kind)
        assert any(line == "configmap/slow condition met\n" for line in lines)
    with kubectl.watching(
        "wait", "configmap/slow", "--for=delete", "--timeout=60s", "--v=6"
    ) as lines:
        assert any("watch=true" in line for line in lines)
        kubectl.control.ask("DELETE", path)
        assert any(line == "configmap/slow condition met\n" for line in lines)


def test_wait_gives_up_in_its_time(kubectl: Any) -> None:
    deployed(kubectl)
    words = kubectl.fails("wait", "deployment/cart", "--for=condition=Available", "--timeout=1s")
    assert words == "error: timed out waiting for the condition on deployments/cart\n"
    words = kubectl.fails("wait", "pod/nobody", "--for=condition=Ready", "--timeout=1s")
    assert words == 'Error from server (NotFound): pods "nobody" not found\n'
