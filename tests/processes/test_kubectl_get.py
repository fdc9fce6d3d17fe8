"""`kubectl get` in every form of output, and as a watch."""

import json
import re
from itertools import takewhile
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
    metadata: {labels: {app: cart, tier: web}}
    spec:
      nodeSelector: {nowhere: "yes"}
      containers: [{name: web, image: "nginx:1", ports: [{containerPort: 80}]}]
---
apiVersion: v1
kind: Service
metadata: {name: cart, labels: {app: cart}}
spec: {selector: {app: cart}, ports: [{port: 80, name: http}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, labels: {app: cart}}
data: {a: "1", b: "2"}
"""


@pytest.fixture
def shop(kubectl: Any) -> Any:
    """A Deployment, whose pods no node takes, a Service, a ConfigMap; there to be read."""
    kubectl("create", "--filename=-", stdin=SHOP)
    kubectl("wait", "deployment/cart", "--for=jsonpath={.status.replicas}=2", "--timeout=30s")
    return kubectl


def rows(text: str) -> list[list[str]]:
    """A table's cells: columns are apart by two spaces or more."""
    return [re.split(r" {2,}", line.strip()) for line in text.splitlines() if line.strip()]


def test_a_table_shows_each_kinds_columns(shop: Any) -> None:
    header, row = rows(shop("get", "deployments"))
    assert header == ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE"]
    assert row[:4] == ["cart", "0/2", "2", "0"]
    header, *pods = rows(shop("get", "pods"))
    assert header == ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]
    assert [each[1:4] for each in pods] == [["0/1", "Pending", "0"]] * 2
    header, service = rows(shop("get", "services"))
    assert header == ["NAME", "TYPE", "CLUSTER-IP", "EXTERNAL-IP", "PORT(S)", "AGE"]
    assert [service[0], service[1], *service[3:5]] == ["cart", "ClusterIP", "<none>", "80/TCP"]
    assert re.fullmatch(r"10\.96\.\d+\.\d+", service[2])
    assert re.fullmatch(r"\d+s", service[5])


def test_wide_tables_show_more(shop: Any) -> None:
    header, row = rows(shop("get", "deployment", "cart", "--output=wide"))
    assert header[5:] == ["CONTAINERS", "IMAGES", "SELECTOR"]
    assert row[5:] == ["web", "nginx:1", "app=cart"]
    header, *pods = rows(shop("get", "pods", "--output=wide"))
    assert header[5:] == ["IP", "NODE", "NOMINATED NODE", "READINESS GATES"]
    assert pods[0][5:] == ["<none>"] * 4
    header, row = rows(shop("get", "replicasets", "--output=wide"))
    assert row[1:4] == ["2", "2", "0"]
    assert row[7].startswith("app=cart,pod-template-hash=")


def test_a_scale_has_a_table_too(shop: Any) -> None:
    header, row = rows(shop("get", "deployment", "cart", "--subresource=scale"))
    assert header == ["NAME", "DESIRED", "AVAILABLE", "AGE"]
    assert row[:3] == ["cart", "2", "2"]


def test_several_kinds_come_in_tables_of_their_own(shop: Any) -> None:
    told = shop("get", "deployments,services", "--no-headers")
    assert [each[0] for each in rows(told)] == ["deployment.apps/cart", "service/cart"]
    everything = {each[0].partition("/")[0] for each in rows(shop("get", "all", "--no-headers"))}
    assert everything == {"deployment.apps", "replicaset.apps", "pod", "service"}


def test_objects_as_json_and_yaml(shop: Any) -> None:
    made = json.loads(shop("get", "configmap", "settings", "--output=json"))
    assert (made["apiVersion"], made["kind"]) == ("v1", "ConfigMap")
    assert made["data"] == {"a": "1", "b": "2"}
    assert made["metadata"]["namespace"] == shop.namespace
    assert {"uid", "resourceVersion", "creationTimestamp"} <= set(made["metadata"])
    listed = json.loads(shop("get", "configmaps", "--output=json"))
    assert listed["kind"] == "List"
    assert made in listed["items"]
    yaml = shop("get", "configmap", "settings", "--output=yaml")
    assert "kind: ConfigMap\n" in yaml
    assert '  a: "1"\n' in yaml


def test_single_values(shop: Any) -> None:
    assert shop("get", "service", "cart", "--output=jsonpath={.spec.ports[0].name}") == "http"
    template = "--output=go-template={{range .items}}{{.spec.schedulerName}} {{end}}"
    assert shop("get", "pods", template).split() == ["default-scheduler"] * 2
    columns = "--output=custom-columns=NAME:.metadata.name,DATA:.data.a"
    told = rows(shop("get", "configmap", "settings", columns))
    assert told == [["NAME", "DATA"], ["settings", "1"]]
    assert shop("get", "service", "cart", "--output=name") == "service/cart\n"


def test_labels_choose_and_show(shop: Any) -> None:
    assert len(rows(shop("get", "pods", "--selector=app=cart,tier in (web)", "--no-headers"))) == 2
    assert shop.run("get", "pods", "--selector=app!=cart").err.startswith("No resources found")
    shown = rows(shop("get", "configmap", "settings", "--show-labels", "--no-headers"))
    assert shown[0][-1] == "app=cart"
    header, row = rows(shop("get", "pods", "--label-columns=tier"))[:2]
    assert (header[-1], row[-1]) == ("TIER", "web")


def test_fields_choose(shop: Any) -> None:
    assert len(rows(shop("get", "pods", "--field-selector=status.phase=Pending"))) == 3
    assert shop("get", "pods", "--field-selector=status.phase!=Pending") == ""
    assert shop("get", "pods", "--field-selector=spec.nodeName=node-1") == ""
    named = shop("get", "configmaps", "--field-selector=metadata.name=settings", "--output=name")
    assert named == "configmap/settings\n"
    told = shop.fails("get", "pods", "--field-selector=spec.nothing=1")
    assert told.startswith("Error from server (BadRequest)")
    assert told.endswith("field label not supported: spec.nothing\n")


def test_rows_can_be_sorted(shop: Any) -> None:
    shop(
        "create",
        "--filename=-",
        stdin='{"apiVersion": "v1", "kind": "ConfigMap", '
        '"metadata": {"name": "another", "labels": {"app": "z"}}}',
    )
    by_name = shop("get", "configmaps", "--sort-by=.metadata.name", "--no-headers")
    names = [each[0] for each in rows(by_name)]
    assert names == sorted(names)
    assert {"another", "settings"} <= set(names)
    by_app = shop("get", "configmaps", "--selector=app", "--sort-by=.metadata.labels.app")
    assert [each[0] for each in rows(by_app)[1:]] == ["settings", "another"]


def test_lists_come_in_chunks(shop: Any) -> None:
    told = shop("get", "pods", "--chunk-size=1", "--no-headers", "--v=8")
    assert len(rows(told)) == 2
    log = shop.run("get", "pods", "--chunk-size=1", "--v=8").err
    assert "limit=1" in log
    assert "continue=" in log


def test_all_namespaces_are_told_apart(shop: Any) -> None:
    header, *found = rows(shop("get", "configmaps", "--all-namespaces"))
    assert header[:2] == ["NAMESPACE", "NAME"]
    assert [shop.namespace, "settings", "2"] in [each[:3] for each in found]
    assert {"default", "kube-system"} <= {each[0] for each in found}


def test_what_is_not_there(shop: Any) -> None:
    told = shop.fails("get", "pod", "nobody")
    assert told == 'Error from server (NotFound): pods "nobody" not found\n'
    told = shop.fails("get", "deployment", "cart", "nobody")
    assert told == 'Error from server (NotFound): deployments.apps "nobody" not found\n'
    assert shop("get", "pod", "nobody", "--ignore-not-found") == ""
    empty = shop.run("get", "networkpolicies")
    assert (empty.status, empty.out) == (0, "")
    assert empty.err == f"No resources found in {shop.namespace} namespace.\n"


def config_map(shop: Any, name: str) -> None:
    path = f"/api/v1/namespaces/{shop.namespace}/configmaps"
    shop.control.ask("POST", path, {"metadata": {"name": name, "labels": {"app": "new"}}})


def test_a_watch_shows_what_is_there_then_what_happens(shop: Any) -> None:
    chosen = "--selector=app in (cart,new)"
    with shop.watching("get", "configmaps", chosen, "--watch", "--output-watch-events") as lines:
        assert next(lines).split() == ["EVENT", "NAME", "DATA", "AGE"]
        assert next(lines).split()[:3] == ["ADDED", "settings", "2"]
        config_map(shop, "later")
        assert next(lines).split()[:3] == ["ADDED", "later", "0"]
        path = f"/api/v1/namespaces/{shop.namespace}/configmaps/later"
        kind = {"Content-Type": "application/merge-patch+json"}
        shop.control.ask("PATCH", path, {"data": {"c": "3"}}, **kind)
        assert next(lines).split()[:3] == ["MODIFIED", "later", "1"]
        shop.control.ask("DELETE", path)
        assert next(lines).split()[:3] == ["DELETED", "later", "1"]


def test_a_watch_of_one_object_as_json_begins_with_it(shop: Any) -> None:
    output = "--output=jsonpath={.data.a}{'\\n'}"
    with shop.watching("get", "configmap", "settings", "--watch", output, "--v=6") as lines:
        # its log says when it watches: a change before that it takes for what it has shown already
        shown = list(takewhile(lambda line: "watch=true" not in line, lines))
        assert "1\n" in shown
        config_map(shop, "other")
        path = f"/api/v1/namespaces/{shop.namespace}/configmaps/settings"
        kind = {"Content-Type": "application/merge-patch+json"}
        shop.control.ask("PATCH", path, {"data": {"a": "7"}}, **kind)
        assert "7\n" in lines


def test_watch_only_leaves_out_what_is_there(shop: Any) -> None:
    arguments = ("get", "configmaps", "--watch-only", "--selector=app=new", "--no-headers")
    config_map(shop, "before")
    with shop.watching(*arguments, "--v=6") as lines:
        for line in lines:  # its log says when it watches
            if "watch=true" in line:
                break
        config_map(shop, "after")
        assert next(line for line in lines if line.startswith("after")).split()[:2] == [
            "after",
            "0",
        ]
