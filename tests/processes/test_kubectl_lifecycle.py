"""Owners, namespaces that go slowly, editors, and the API's own Service: lives of objects."""

import json
from pathlib import Path
from typing import Any

KUBECTLS = "ends"

MERGE = {"Content-Type": "application/merge-patch+json"}
HOLD = "example.com/hold"


def config_map(kubectl: Any, name: str, **metadata: Any) -> dict[str, Any]:
    path = f"/api/v1/namespaces/{kubectl.namespace}/configmaps"
    made: dict[str, Any] = kubectl.control.ask(
        "POST", path, {"metadata": {"name": name, **metadata}}
    )
    return made


def owned_by(owner: dict[str, Any], *, blocks: bool = True) -> list[dict[str, Any]]:
    metadata = owner["metadata"]
    meant = {"apiVersion": "v1", "kind": "ConfigMap", "name": metadata["name"]}
    return [{**meant, "uid": metadata["uid"], "blockOwnerDeletion": blocks}]


def released(kubectl: Any, *objects: str) -> None:
    for each in objects:
        kubectl("patch", each, "--type=merge", '--patch={"metadata":{"finalizers":null}}')


def value(kubectl: Any, what: str, path: str) -> str:
    told: str = kubectl("get", what, f"--output=jsonpath={{{path}}}")
    return told


def editor(kubectl: Any, name: str, script: str) -> dict[str, str]:
    """An editor that does this to the file, and shows what it was given in a file beside."""
    path: Path = kubectl.home / name
    path.write_text(f'#!/bin/sh\ncat "$1" >> {path}.seen\n{script}\n')
    path.chmod(0o700)
    return {"KUBE_EDITOR": str(path)}


# -- owners


def test_in_the_foreground_an_owner_waits_for_what_blocks_it(kubectl: Any) -> None:
    owner = config_map(kubectl, "owner")
    config_map(kubectl, "slow", ownerReferences=owned_by(owner), finalizers=[HOLD])
    kubectl("delete", "configmap", "owner", "--cascade=foreground", "--wait=false")
    shown = "--output=jsonpath={.metadata.deletionTimestamp}{'\\n'}"
    with kubectl.watching("get", "configmap", "slow", "--watch", shown) as lines:
        assert any(line.strip() for line in lines)
    assert value(kubectl, "configmap/owner", ".metadata.finalizers") == '["foregroundDeletion"]'
    released(kubectl, "configmap/slow")
    kubectl("wait", "configmap/owner", "configmap/slow", "--for=delete", "--timeout=30s")


def test_what_does_not_block_does_not_hold_its_owner(kubectl: Any) -> None:
    owner = config_map(kubectl, "owner")
    references = owned_by(owner, blocks=False)
    config_map(kubectl, "slow", ownerReferences=references, finalizers=[HOLD])
    kubectl("delete", "configmap", "owner", "--cascade=foreground", "--timeout=30s")
    assert value(kubectl, "configmap/slow", ".metadata.deletionTimestamp")
    released(kubectl, "configmap/slow")


def test_an_owner_that_never_was_or_is_elsewhere_owns_nothing(kubectl: Any) -> None:
    """Source: kubernetes.io, "Owners and Dependents"."""
    owner = config_map(kubectl, "owner")
    ghost = {"metadata": {"name": "ghost", "uid": "00000000-0000-0000-0000-000000000000"}}
    config_map(kubectl, "orphan", ownerReferences=owned_by(ghost))
    config_map(kubectl, "both", ownerReferences=[*owned_by(owner), *owned_by(ghost)])
    kubectl("wait", "configmap/orphan", "--for=delete", "--timeout=30s")
    kept = f"--for=jsonpath={{.metadata.ownerReferences[*].name}}={owner['metadata']['name']}"
    kubectl("wait", "configmap/both", kept, "--timeout=30s")

    name = f"{kubectl.namespace}-role"
    path = "/apis/rbac.authorization.k8s.io/v1/clusterroles"
    role = {"metadata": {"name": name, "ownerReferences": owned_by(owner)}}
    kubectl.control.ask("POST", path, role)
    told = "reason=OwnerRefInvalidNamespace,involvedObject.name=" + name
    with kubectl.watching(
        "--namespace=default", "get", "events", "--watch", f"--field-selector={told}", "-o", "name"
    ) as lines:
        assert next(lines).startswith("event/")
    kubectl("delete", "clusterrole", name)


# -- namespaces


def test_a_namespace_waits_for_finalizers_and_says_so(kubectl: Any) -> None:
    """kube_api section 6: Terminating, its conditions, nothing new in it, and its end."""
    config_map(kubectl, "held", finalizers=[HOLD])
    space = f"namespace/{kubectl.namespace}"
    words = kubectl.fails("delete", space, "--timeout=1s")
    assert "timed out waiting for the condition" in words
    assert value(kubectl, space, ".status.phase") == "Terminating"
    message = '.status.conditions[?(@.type=="NamespaceFinalizersRemaining")].message'
    assert value(kubectl, space, message) == (
        f"Some content in the namespace has finalizers remaining: {HOLD} in 1 resource instances"
    )
    content = '.status.conditions[?(@.type=="NamespaceContentRemaining")].message'
    told = "Some resources are remaining: configmaps. has 1 resource instances"
    assert value(kubectl, space, content) == told
    words = kubectl.fails("create", "configmap", "late")
    assert f"unable to create new content in namespace {kubectl.namespace} because it is" in words
    released(kubectl, "configmap/held")
    kubectl("wait", space, "--for=delete", "--timeout=30s")


def test_a_finalizer_of_somebody_else_holds_a_namespace(kubectl: Any) -> None:
    path = f"/api/v1/namespaces/{kubectl.namespace}"
    held = kubectl.control.ask("GET", path)
    held["spec"]["finalizers"].append("example.com/mine")
    kubectl("replace", "--raw", f"{path}/finalize", "--filename=-", stdin=json.dumps(held))
    kubectl("delete", "namespace", kubectl.namespace, "--wait=false")
    space = f"namespace/{kubectl.namespace}"
    kubectl("wait", space, "--for=condition=NamespaceContentRemaining=false", "--timeout=30s")
    left = "--for=jsonpath={.spec.finalizers[*]}=example.com/mine"
    kubectl("wait", space, left, "--timeout=30s")
    held = kubectl.control.ask("GET", path)
    held["spec"]["finalizers"] = []
    kubectl("replace", "--raw", f"{path}/finalize", "--filename=-", stdin=json.dumps(held))
    kubectl("wait", space, "--for=delete", "--timeout=30s")


def test_a_cluster_keeps_its_first_namespaces_and_its_service(kubectl: Any) -> None:
    """S-21."""
    for name in ("default", "kube-system", "kube-public"):
        words = kubectl.fails("delete", "namespace", name)
        why = f'namespaces "{name}" is forbidden: this namespace may not be deleted'
        assert words.endswith(f"Error from server (Forbidden): {why}\n")
    kubectl("--namespace=default", "delete", "services,endpointslices", "--all")
    chosen = ("--watch", "--field-selector=metadata.name=kubernetes", "--output=name")
    for kind, name in (
        ("services", "service"),
        ("endpointslices", "endpointslice.discovery.k8s.io"),
    ):
        with kubectl.watching("--namespace=default", "get", kind, *chosen) as lines:
            assert next(lines) == f"{name}/kubernetes\n"


# -- editors


SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{port: 80}]
"""


def test_an_edit_that_is_refused_is_opened_again_with_its_reason(kubectl: Any) -> None:
    kubectl("apply", "--filename=-", stdin=SERVICE)
    script = """grep -q '^# ' "$1" && grep -q 'port: 0' "$1" && to=81 || to=0
sed -i "s/  - port: .*/  - port: $to/;s/^    port: .*/    port: $to/" "$1"
"""
    ran = kubectl.run("edit", "service", "web", **editor(kubectl, "ports", script))
    assert (ran.status, ran.out) == (0, "service/web edited\n")
    assert value(kubectl, "service/web", ".spec.ports[0].port") == "81"
    seen = (kubectl.home / "ports.seen").read_text()
    assert '# services "web" was not valid:' in seen
    assert "# * spec.ports[0].port: Invalid value: 0: must be between 1 and 65535" in seen


def test_an_edit_of_a_status_leaves_the_rest(kubectl: Any) -> None:
    kubectl("create", "deployment", "web", "--image=nginx", "--replicas=0")
    script = """sed -i 's/replicas: 0/replicas: 7/' "$1"
printf '  collisionCount: 3\\n' >> "$1" """
    ran = kubectl.run(
        "edit", "deployment", "web", "--subresource=status", **editor(kubectl, "status", script)
    )
    assert (ran.status, ran.out) == (0, "deployment.apps/web edited\n")
    assert value(kubectl, "deployment/web", ".spec.replicas") == "0"
    managers = '.metadata.managedFields[?(@.manager=="kubectl-edit")].subresource'
    assert value(kubectl, "deployment/web", managers) == "status"


# -- sets


MAPS = """
apiVersion: v1
kind: ConfigMap
metadata: {name: kept, labels: {app: set}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: dropped, labels: {app: set}}
"""


def test_prune_takes_what_is_no_longer_applied(kubectl: Any) -> None:
    less = MAPS.partition("---")[0]
    kubectl("apply", "--filename=-", stdin=MAPS)
    config_map(kubectl, "made-otherwise", labels={"app": "set"})
    words = ("--prune", "--selector=app=set", "--prune-allowlist=core/v1/ConfigMap")
    told = kubectl("apply", "--filename=-", *words, stdin=less)
    assert told == "configmap/kept unchanged\nconfigmap/dropped pruned\n"
    assert value(kubectl, "configmap/made-otherwise", ".metadata.name") == "made-otherwise"


def test_an_apply_set_takes_what_left_it(kubectl: Any) -> None:
    words = ("apply", "--filename=-", "--prune", "--applyset=parts")
    kubectl(*words, stdin=MAPS, KUBECTL_APPLYSET="true")
    told = kubectl(*words, stdin=MAPS.partition("---")[0], KUBECTL_APPLYSET="true")
    assert told == "configmap/kept unchanged\nconfigmap/dropped pruned\n"
    assert "applyset.kubernetes.io/id" in kubectl("get", "secret", "parts", "--show-labels")
