"""A document's way into the store, on the kinds' real schemas."""

import copy
from typing import Any

import pytest

from control.resources.kinds import Kind, find_kind
from control.resources.strategy import (
    delete_answer,
    prepare_create,
    prepare_update,
    prune,
    type_faults,
    validate_create,
    validate_update,
)

Made = dict[str, Any]


def kind(plural: str, group: str = "") -> Kind:
    found = find_kind(group, "v1", plural)
    assert found is not None
    return found


PODS, SERVICES, NAMESPACES, NODES = map(kind, ("pods", "services", "namespaces", "nodes"))
DEPLOYMENTS = kind("deployments", "apps")
NOW = "2026-01-01T12:00:00Z"
STAMPED = {"name": "web", "namespace": "shop", "uid": "u-1", "creationTimestamp": NOW}
TEMPLATE = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "a"}]}}


def deployment(**spec: Any) -> Made:
    container = {"name": "a", "image": "echo", "ports": [{"containerPort": 80}]}
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}}
    selector = {"matchLabels": {"app": "web"}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": dict(STAMPED),
        "spec": {"selector": selector, "template": template, **spec},
    }


def pod(**spec: Any) -> Made:
    held = {"containers": [{"name": "a", "image": "echo"}], **spec}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": dict(STAMPED), "spec": held}


def changed(document: Made, *path: str, value: Any) -> Made:
    """A copy with another value somewhere."""
    made = copy.deepcopy(document)
    place = made
    for each in path[:-1]:
        place = place[each]
    place[path[-1]] = value
    return made


def test_unknown_fields_and_nulls_go() -> None:
    document = deployment(foo=1, paused=None)
    pruned, unknown = prune(DEPLOYMENTS, document)
    assert unknown == ["spec.foo"]
    assert not {"foo", "paused"} & pruned["spec"].keys()


def test_a_wrong_type_is_a_fault_and_a_missing_field_is_not() -> None:
    assert type_faults(DEPLOYMENTS, deployment()) == []
    assert type_faults(DEPLOYMENTS, {"metadata": {}, "spec": {}}) == []
    (fault,) = type_faults(DEPLOYMENTS, deployment(replicas="three"))
    assert fault.field == "spec.replicas"


def test_a_new_deployment_is_complete() -> None:
    """P-81, P-83, P-85."""
    made = prepare_create(DEPLOYMENTS, deployment(strategy={}))
    assert made["metadata"]["generation"] == 1
    assert made["status"] == {}
    spec = made["spec"]
    assert (spec["replicas"], spec["revisionHistoryLimit"]) == (1, 10)
    assert spec["progressDeadlineSeconds"] == 600
    assert spec["strategy"]["rollingUpdate"] == {"maxUnavailable": "25%", "maxSurge": "25%"}
    inner = spec["template"]["spec"]
    assert (inner["restartPolicy"], inner["dnsPolicy"]) == ("Always", "ClusterFirst")
    container = inner["containers"][0]
    assert container["imagePullPolicy"] == "Always"
    assert container["ports"] == [{"containerPort": 80, "protocol": "TCP"}]
    assert validate_create(DEPLOYMENTS, made) == []


def test_a_new_pod_is_pending() -> None:
    """P-38, P-42, P-56."""
    resources = {"requests": {"cpu": "1000m"}}
    made = prepare_create(
        PODS, {**pod(containers=[{"name": "a", "image": "e", "resources": resources}])}
    )
    assert made["status"] == {"phase": "Pending", "qosClass": "Burstable"}
    assert made["spec"]["containers"][0]["resources"] == {"requests": {"cpu": "1"}}
    assert made["spec"]["restartPolicy"] == "Always"
    assert made["spec"]["terminationGracePeriodSeconds"] == 30
    assert validate_create(PODS, made) == []


def test_a_client_cannot_create_a_status() -> None:
    for kind_, document in ((PODS, pod()), (DEPLOYMENTS, deployment())):
        made = prepare_create(kind_, {**document, "status": {"phase": "Running", "replicas": 9}})
        assert made["status"] == prepare_create(kind_, document)["status"]


def test_but_a_kubelet_can_create_its_nodes() -> None:
    node = {"metadata": {"name": "n"}, "status": {"capacity": {"memory": "1024Mi"}}}
    assert prepare_create(NODES, node)["status"] == {"capacity": {"memory": "1Gi"}}


def test_a_new_namespace_is_active_and_held() -> None:
    """N-40."""
    made = prepare_create(NAMESPACES, {"metadata": {"name": "shop"}})
    assert made["status"] == {"phase": "Active"}
    assert made["spec"] == {"finalizers": ["kubernetes"]}
    assert made["metadata"] == {
        "name": "shop",
        "labels": {"kubernetes.io/metadata.name": "shop"},
    }


def test_a_new_service_waits_for_its_balancer() -> None:
    """S-108."""
    spec = {"type": "LoadBalancer", "ports": [{"port": 80}]}
    made = prepare_create(SERVICES, {"metadata": dict(STAMPED), "spec": spec})
    assert made["status"] == {"loadBalancer": {}}
    assert "generation" not in made["metadata"]


WRITTEN = [
    (DEPLOYMENTS, deployment()),
    (PODS, pod()),
    (SERVICES, {"metadata": dict(STAMPED), "spec": {"ports": [{"port": 80}]}}),
    (NAMESPACES, {"metadata": {"name": "shop", "uid": "u"}}),
    (kind("secrets"), {"metadata": dict(STAMPED), "stringData": {"a": "b"}}),
    (kind("statefulsets", "apps"), {**deployment(), "kind": "StatefulSet"}),
    (kind("daemonsets", "apps"), {**deployment(), "kind": "DaemonSet"}),
    (kind("networkpolicies", "networking.k8s.io"), {"metadata": dict(STAMPED), "spec": {}}),
]


@pytest.mark.parametrize(("which", "document"), WRITTEN)
def test_nothing_given_is_changed(which: Kind, document: Made) -> None:
    before = copy.deepcopy(document)
    made = prepare_create(which, document)
    assert document == before
    held = copy.deepcopy(made)
    prepare_update(which, document, made, subresource=None)
    prepare_update(which, made, made, subresource="status")
    assert made == held
    assert document == before


@pytest.mark.parametrize(("which", "document"), WRITTEN)
def test_an_object_written_back_is_equal(which: Kind, document: Made) -> None:
    made = prepare_create(which, document)
    assert prepare_update(which, made, made, subresource=None) == made
    if "status" in which.subresources:
        assert prepare_update(which, made, made, subresource="status") == made
    assert validate_update(which, made, made) == []


@pytest.mark.parametrize(("which", "document"), [each for each in WRITTEN if each[0] != PODS])
def test_the_same_manifest_again_is_equal(which: Kind, document: Made) -> None:
    """Without what admission adds to a pod once, which a manifest of it lacks."""
    made = prepare_create(which, document)
    assert prepare_update(which, document, made, subresource=None) == made


def test_an_update_keeps_what_only_the_server_writes() -> None:
    old = prepare_create(DEPLOYMENTS, deployment())
    old["metadata"]["deletionTimestamp"] = NOW
    new = deployment()
    new["metadata"] = {"name": "web", "uid": "mine", "generation": 99, "labels": {"a": "b"}}
    metadata = prepare_update(DEPLOYMENTS, new, old, subresource=None)["metadata"]
    kept = {key: old["metadata"][key] for key in old["metadata"]}
    assert metadata == {**kept, "labels": {"a": "b"}}


def test_a_generation_counts_changes_of_the_spec_alone() -> None:
    old = prepare_create(DEPLOYMENTS, deployment())
    scaled = prepare_update(
        DEPLOYMENTS, changed(old, "spec", "replicas", value=2), old, subresource=None
    )
    assert scaled["metadata"]["generation"] == 2
    labelled = changed(old, "metadata", "labels", value={"a": "b"})
    again = prepare_update(DEPLOYMENTS, labelled, old, subresource=None)
    assert again["metadata"]["generation"] == 1


def test_each_endpoint_writes_its_own_half() -> None:
    old = prepare_create(DEPLOYMENTS, deployment())
    new = changed(old, "spec", "replicas", value=7)
    new["status"] = {"replicas": 3}
    assert prepare_update(DEPLOYMENTS, new, old, subresource=None)["status"] == {}
    status = prepare_update(DEPLOYMENTS, new, old, subresource="status")
    assert status == {**old, "status": {"replicas": 3}}


def test_amounts_in_a_status_have_one_spelling() -> None:
    old = prepare_create(NODES, {"metadata": {"name": "n"}})
    new = {**old, "status": {"allocatable": {"cpu": "2000m"}}}
    made = prepare_update(NODES, new, old, subresource="status")
    assert made["status"] == {"allocatable": {"cpu": "2"}}


def test_only_finalize_lets_a_namespace_go() -> None:
    old = prepare_create(NAMESPACES, {"metadata": {"name": "shop"}})
    free = changed(old, "spec", "finalizers", value=[])
    assert prepare_update(NAMESPACES, free, old, subresource=None) == old
    final = prepare_update(NAMESPACES, free, old, subresource="finalize")
    assert final == {**old, "spec": {"finalizers": []}}


def test_metadata_that_says_nothing_is_not_there() -> None:
    document = deployment()
    document["metadata"].update(labels={}, annotations={}, finalizers=[])
    assert (
        not {"labels", "annotations", "finalizers"}
        & prepare_create(DEPLOYMENTS, document)["metadata"].keys()
    )


def test_a_schemas_causes_are_told_where_the_kind_has_none_of_its_own() -> None:
    made = prepare_create(DEPLOYMENTS, {"metadata": dict(STAMPED), "spec": {}})
    fields = [each.field for each in validate_create(DEPLOYMENTS, made)]
    assert {"spec.selector", "spec.template"} <= set(fields)
    assert len(fields) == len(set(fields))
    lease = kind("leases", "coordination.k8s.io")
    assert validate_create(lease, {"metadata": dict(STAMPED), "spec": {}}) == []


def test_what_a_deletion_answers() -> None:
    assert delete_answer(PODS) == "object"
    assert delete_answer(DEPLOYMENTS) == "status"
