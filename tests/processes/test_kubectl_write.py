"""Creating, applying and changing objects with kubectl."""

import json
import re
from typing import Any

import pytest

SHOP = """
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
      containers: [{name: web, image: "nginx:1", ports: [{containerPort: 80}]}]
---
apiVersion: v1
kind: Service
metadata: {name: cart}
spec: {selector: {app: cart}, ports: [{port: 80}]}
"""
MAP = """
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {a: "1", b: "2"}
"""


def value(kubectl: Any, target: str, path: str) -> str:
    told: str = kubectl("get", target, f"--output=jsonpath={{{path}}}")
    return told


@pytest.fixture
def shop(kubectl: Any) -> Any:
    """The Deployment and the Service of a shop, applied."""
    kubectl("apply", "--filename=-", stdin=SHOP)
    return kubectl


# -- create


def test_create_tells_each_object_and_does_it_once(kubectl: Any) -> None:
    told = kubectl("create", "--filename=-", stdin=SHOP)
    assert told == "deployment.apps/cart created\nservice/cart created\n"
    words = kubectl.fails("create", "--filename=-", stdin=SHOP)
    assert 'deployments.apps "cart" already exists' in words
    assert 'services "cart" already exists' in words
    assert words.count("Error from server (AlreadyExists)") == 2


def test_create_from_a_directory_and_from_json(kubectl: Any) -> None:
    (kubectl.home / "all").mkdir()
    (kubectl.home / "all" / "one.yaml").write_text(MAP)
    (kubectl.home / "all" / "two.json").write_text(
        '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "made-"}}'
    )
    told = kubectl("create", "--filename=all", "--output=name").split()
    assert told[0] == "configmap/settings"
    assert re.fullmatch(r"configmap/made-[a-z0-9]{5}", told[1])


def test_run_and_expose_make_a_pod_and_its_service(kubectl: Any) -> None:
    kubectl("run", "web", "--image=nginx", "--port=80", "--labels=app=web")
    assert value(kubectl, "pod/web", ".spec.containers[0].ports[0].protocol") == "TCP"
    assert value(kubectl, "pod/web", ".spec.restartPolicy") == "Always"
    told = kubectl("expose", "pod", "web", "--port=8080", "--target-port=80", "--name=front")
    assert told == "service/front exposed\n"
    assert value(kubectl, "service/front", ".spec.selector.app") == "web"
    assert value(kubectl, "service/front", ".spec.ports[0].targetPort") == "80"


GENERATED = (
    ("deployment", "made", "--image=nginx", "--replicas=0"),
    ("configmap", "made", "--from-literal=a=1"),
    ("secret", "generic", "made", "--from-literal=a=1"),
    ("service", "clusterip", "made", "--tcp=80:8080"),
    ("serviceaccount", "made"),
    ("job", "made", "--image=busybox"),
    ("cronjob", "made", "--image=busybox", "--schedule=0 3 * * *"),
    ("role", "made", "--verb=get", "--resource=pods"),
    ("rolebinding", "made", "--role=made", "--user=jane"),
    ("ingress", "made", "--rule=shop.example/*=made:80"),
    ("quota", "made", "--hard=pods=2"),
    ("poddisruptionbudget", "made", "--selector=app=made", "--min-available=50%"),
)


def test_every_generator_makes_what_it_says(kubectl: Any) -> None:
    """From 1.32 on they send protobuf, whose zeros are as those of JSON."""
    for command in GENERATED:
        assert kubectl("create", *command).endswith("/made created\n")
    assert value(kubectl, "deployment/made", ".spec.replicas") == "0"
    assert value(kubectl, "secret/made", ".data.a") == "MQ=="
    assert value(kubectl, "service/made", ".spec.ports[0].targetPort") == "8080"
    assert value(kubectl, "poddisruptionbudget/made", ".spec.minAvailable") == "50%"
    assert value(kubectl, "deployment/made", ".spec.strategy.type") == "RollingUpdate"


# -- apply, diff


def test_apply_creates_leaves_alone_and_configures(kubectl: Any) -> None:
    assert kubectl("apply", "--filename=-", stdin=SHOP) == (
        "deployment.apps/cart created\nservice/cart created\n"
    )
    version = value(kubectl, "service/cart", ".metadata.resourceVersion")
    assert kubectl("apply", "--filename=-", stdin=SHOP) == (
        "deployment.apps/cart unchanged\nservice/cart unchanged\n"
    )
    assert value(kubectl, "service/cart", ".metadata.resourceVersion") == version
    changed = SHOP.replace("replicas: 2", "replicas: 3").replace("port: 80}]", "port: 8080}]")
    assert kubectl("apply", "--filename=-", stdin=changed) == (
        "deployment.apps/cart configured\nservice/cart configured\n"
    )
    assert value(kubectl, "deployment/cart", ".spec.replicas") == "3"
    assert value(kubectl, "service/cart", ".spec.ports[*].port") == "8080"


def test_apply_takes_back_what_it_no_longer_says_and_keeps_what_others_said(kubectl: Any) -> None:
    kubectl("apply", "--filename=-", stdin=MAP)
    other = '{"data": {"c": "3"}}'
    kubectl("patch", "configmap", "settings", "--type=merge", f"--patch={other}")
    kubectl("apply", "--filename=-", stdin=MAP.replace(', b: "2"', ""))
    told = json.loads(kubectl("get", "configmap", "settings", "--output=json"))
    assert told["data"] == {"a": "1", "c": "3"}


def test_apply_merges_containers_by_their_names(shop: Any) -> None:
    added = json.dumps(
        {"spec": {"template": {"spec": {"containers": [{"name": "log", "image": "fluentd"}]}}}}
    )
    shop("patch", "deployment", "cart", f"--patch={added}")
    shop("apply", "--filename=-", stdin=SHOP.replace("nginx:1", "nginx:2"))
    path = ".spec.template.spec.containers[*].image"
    assert sorted(value(shop, "deployment/cart", path).split()) == ["fluentd", "nginx:2"]


def test_a_dry_run_on_the_server_changes_nothing(kubectl: Any) -> None:
    told = kubectl("apply", "--dry-run=server", "--filename=-", stdin=SHOP)
    assert told.splitlines()[0] == "deployment.apps/cart created (server dry run)"
    assert kubectl("get", "deployments,services", "--output=name") == ""
    kubectl("apply", "--filename=-", stdin=SHOP)
    version = value(kubectl, "deployment/cart", ".metadata.generation")
    more = SHOP.replace("replicas: 2", "replicas: 9")
    shown = kubectl("apply", "--dry-run=server", "--filename=-", "--output=yaml", stdin=more)
    assert "replicas: 9" in shown
    assert value(kubectl, "deployment/cart", ".spec.replicas") == "2"
    assert value(kubectl, "deployment/cart", ".metadata.generation") == version
    assert "dry run" in kubectl("delete", "service/cart", "--dry-run=server")
    assert kubectl("get", "service/cart", "--output=name") == "service/cart\n"


def test_diff_shows_what_apply_would_change(shop: Any) -> None:
    same = shop.run("diff", "--filename=-", stdin=SHOP)
    assert (same.status, same.out) == (0, "")
    changed = SHOP.replace("replicas: 2", "replicas: 5")
    shown = shop.run("diff", "--filename=-", stdin=changed)
    assert shown.status == 1
    assert "-  replicas: 2\n+  replicas: 5\n" in shown.out
    assert "kind: Service" not in shown.out
    new = shop.run("diff", "--filename=-", stdin=MAP)
    assert new.status == 1
    assert "+kind: ConfigMap\n" in new.out
    assert value(shop, "deployment/cart", ".spec.replicas") == "2"


# -- patch, label, annotate, scale, set, replace, edit


def test_three_types_of_patches(shop: Any) -> None:
    ports = '{"spec": {"ports": [{"port": 443, "name": "tls"}, {"port": 80, "name": "http"}]}}'
    assert shop("patch", "service", "cart", f"--patch={ports}") == "service/cart patched\n"
    assert value(shop, "service/cart", ".spec.ports[*].port") == "443 80"
    replaced = '{"spec": {"ports": [{"port": 81}]}}'
    shop("patch", "service", "cart", "--type=merge", f"--patch={replaced}")
    assert value(shop, "service/cart", ".spec.ports[*].port") == "81"
    operations = '[{"op": "replace", "path": "/spec/ports/0/port", "value": 82}]'
    shop("patch", "service", "cart", "--type=json", f"--patch={operations}")
    assert value(shop, "service/cart", ".spec.ports[*].port") == "82"
    again = shop("patch", "service", "cart", "--type=json", f"--patch={operations}")
    assert again == "service/cart patched (no change)\n"
    failed = '[{"op": "test", "path": "/spec/ports/0/port", "value": 1}]'
    words = shop.fails("patch", "service", "cart", "--type=json", f"--patch={failed}")
    assert "Error from server" in words or "the server rejected our request" in words


def test_a_patch_of_the_status_leaves_the_rest(kubectl: Any) -> None:
    kubectl("run", "web", "--image=nginx")
    status = '{"status": {"message": "told"}, "metadata": {"labels": {"never": "seen"}}}'
    arguments = ("--subresource=status", "--type=merge", f"--patch={status}")
    kubectl("patch", "pod", "web", *arguments)
    assert value(kubectl, "pod/web", ".status.message") == "told"
    shown = value(kubectl, "pod/web", ".metadata.labels.never")
    assert shown in ("", "seen")


def test_labels_and_annotations(shop: Any) -> None:
    assert shop("label", "service", "cart", "tier=web") == "service/cart labeled\n"
    assert "--overwrite is false" in shop.fails("label", "service", "cart", "tier=db")
    shop("label", "service", "cart", "tier=db", "--overwrite")
    assert value(shop, "service/cart", ".metadata.labels.tier") == "db"
    assert shop("label", "service", "cart", "tier-") == "service/cart unlabeled\n"
    assert value(shop, "service/cart", ".metadata.labels.tier") == ""
    assert shop("annotate", "service", "cart", "note=a b").startswith("service/cart annotate")
    assert value(shop, "service/cart", ".metadata.annotations.note") == "a b"
    assert "labeled" in shop("label", "services,deployments", "--all", "all=yes")
    assert value(shop, "deployment/cart", ".metadata.labels.all") == "yes"
    words = shop.fails("label", "service", "cart", "tier=not/allowed")
    assert "tier" in words


def test_scale_and_its_condition(shop: Any) -> None:
    assert shop("scale", "deployment", "cart", "--replicas=4") == "deployment.apps/cart scaled\n"
    assert value(shop, "deployment/cart", ".spec.replicas") == "4"
    shop("wait", "deployment/cart", "--for=jsonpath={.status.replicas}=4", "--timeout=30s")
    words = shop.fails("scale", "deployment/cart", "--replicas=1", "--current-replicas=3")
    assert "Expected replicas to be 3, was 4" in words
    shop("scale", "deployment/cart", "--replicas=0", "--current-replicas=4")
    shop("wait", "pod", "--selector=app=cart", "--for=delete", "--timeout=30s")
    assert shop("get", "pods", "--output=name") == ""


def test_set_image_makes_a_revision_that_can_be_undone(shop: Any) -> None:
    assert shop("set", "image", "deployment/cart", "web=nginx:2") == (
        "deployment.apps/cart image updated\n"
    )
    image = ".spec.template.spec.containers[0].image"
    revision = r".metadata.annotations.deployment\.kubernetes\.io/revision"
    shop("wait", "deployment/cart", f"--for=jsonpath={{{revision}}}=2", "--timeout=30s")
    history = shop("rollout", "history", "deployment/cart")
    assert [line.split()[0] for line in history.splitlines()[2:4]] == ["1", "2"]
    assert "rolled back" in shop("rollout", "undo", "deployment/cart")
    assert value(shop, "deployment/cart", image) == "nginx:1"
    assert "env updated" in shop("set", "env", "deployment/cart", "COLOUR=blue")
    assert (
        value(shop, "deployment/cart", ".spec.template.spec.containers[0].env[0].value") == "blue"
    )
    assert "restarted" in shop("rollout", "restart", "deployment/cart")
    assert "paused" in shop("rollout", "pause", "deployment/cart")
    assert value(shop, "deployment/cart", ".spec.paused") == "true"


def test_replace_needs_the_version_it_was_made_from(kubectl: Any) -> None:
    kubectl("create", "--filename=-", stdin=MAP)
    old = json.loads(kubectl("get", "configmap", "settings", "--output=json"))
    new = json.dumps({**old, "data": {"a": "9"}})
    assert kubectl("replace", "--filename=-", stdin=new) == "configmap/settings replaced\n"
    assert value(kubectl, "configmap/settings", ".data") == '{"a":"9"}'
    words = kubectl.fails("replace", "--filename=-", stdin=new)
    assert "Error from server (Conflict)" in words
    assert (
        'Operation cannot be fulfilled on configmaps "settings": the object has been mod' in words
    )
    forced = kubectl("replace", "--force", "--filename=-", stdin=MAP)
    assert "configmap/settings replaced" in forced
    uid = value(kubectl, "configmap/settings", ".metadata.uid")
    assert uid != old["metadata"]["uid"]


def test_edit_sends_what_the_editor_changed(kubectl: Any) -> None:
    kubectl("create", "--filename=-", stdin=MAP)
    editor = 'sed -i s/\\"2\\"/\\"22\\"/'
    assert kubectl("edit", "configmap", "settings", KUBE_EDITOR=editor) == (
        "configmap/settings edited\n"
    )
    assert value(kubectl, "configmap/settings", ".data.b") == "22"
    same = kubectl.run("edit", "configmap", "settings", KUBE_EDITOR="true")
    assert same.status == 0
    assert "Edit cancelled, no changes made." in same.out + same.err


def test_cordon_marks_a_node(kubectl: Any) -> None:
    name = f"node-{kubectl.namespace}"
    spec = {"taints": [{"key": "nobody", "effect": "NoSchedule"}]}
    kubectl.control.ask("POST", "/api/v1/nodes", {"metadata": {"name": name}, "spec": spec})
    assert kubectl("cordon", name) == f"node/{name} cordoned\n"
    assert value(kubectl, f"node/{name}", ".spec.unschedulable") == "true"
    assert kubectl("uncordon", name) == f"node/{name} uncordoned\n"
    assert value(kubectl, f"node/{name}", ".spec.unschedulable") == ""
    kubectl("taint", "node", name, "more=yes:NoSchedule")
    assert "more" in value(kubectl, f"node/{name}", ".spec.taints[*].key").split()
    kubectl.control.ask("DELETE", f"/api/v1/nodes/{name}")
