"""Which fields select, and what they read."""

import re
from typing import Any

import pytest

from cluster.errors import ApiError
from cluster.objects import resources
from cluster.objects.resources import Resource
from control.apiserver.field_selectors import fields_of
from control.resources.kinds import Kind

JOBS = Resource("batch", "v1", "jobs", "Job")
NEW_EVENTS = Resource("events.k8s.io", "v1", "events", "Event")


def read(resource: Resource, path: str, **document: Any) -> str:
    made = {"metadata": {"name": "it", "namespace": "shop"}, **document}
    return fields_of(Kind(resource, resource.kind.lower()), made)(path)


@pytest.mark.parametrize("resource", [resources.PODS, resources.DEPLOYMENTS, resources.LEASES])
def test_every_kind_selects_by_name_and_namespace(resource: Resource) -> None:
    assert read(resource, "metadata.name") == "it"
    assert read(resource, "metadata.namespace") == "shop"


def test_an_object_without_a_namespace_reads_as_empty() -> None:
    document = {"metadata": {"name": "node-1"}}
    assert fields_of(Kind(resources.NODES, "node"), document)("metadata.namespace") == ""


def test_pods_select_by_place_policy_and_state() -> None:
    spec = {
        "nodeName": "node-1",
        "restartPolicy": "Always",
        "schedulerName": "default-scheduler",
        "serviceAccountName": "default",
        "hostNetwork": True,
    }
    status = {"phase": "Running", "podIP": "10.244.1.2", "nominatedNodeName": "node-2"}
    paths = [f"spec.{each}" for each in spec] + [f"status.{each}" for each in status]
    told = [read(resources.PODS, each, spec=spec, status=status) for each in paths]
    values = ["node-1", "Always", "default-scheduler", "default", "true"]
    assert told == [*values, "Running", "10.244.1.2", "node-2"]


def test_what_a_pod_does_not_say_reads_as_gos_zero_values() -> None:
    assert read(resources.PODS, "spec.nodeName") == ""
    assert read(resources.PODS, "spec.hostNetwork") == "false"
    assert read(resources.PODS, "status.podIP", status={"podIPs": [{"ip": "fd00::1"}]}) == "fd00::1"
    assert read(resources.NODES, "spec.unschedulable") == "false"
    assert read(resources.REPLICA_SETS, "status.replicas") == "0"


@pytest.mark.parametrize(
    ("resource", "path", "document", "value"),
    [
        (resources.NODES, "spec.unschedulable", {"spec": {"unschedulable": True}}, "true"),
        (resources.NAMESPACES, "status.phase", {"status": {"phase": "Active"}}, "Active"),
        (resources.SECRETS, "type", {"type": "Opaque"}, "Opaque"),
        (resources.SERVICES, "spec.clusterIP", {"spec": {"clusterIP": "None"}}, "None"),
        (resources.SERVICES, "spec.type", {"spec": {"type": "NodePort"}}, "NodePort"),
        (resources.REPLICA_SETS, "status.replicas", {"status": {"replicas": 3}}, "3"),
        (JOBS, "status.successful", {"status": {"succeeded": 2}}, "2"),
    ],
)
def test_other_kinds_select_by_a_field_or_two(
    resource: Resource, path: str, document: dict[str, Any], value: str
) -> None:
    assert read(resource, path, **document) == value


def test_events_select_by_what_they_are_about_and_who_reports() -> None:
    event = {
        "involvedObject": {"kind": "Pod", "name": "cart-0", "uid": "u", "namespace": "shop"},
        "reason": "Killing",
        "type": "Normal",
        "source": {"component": "kubelet"},
        "reportingComponent": "agent",
    }

    def told(path: str) -> str:
        return read(resources.EVENTS, path, **event)

    assert told("involvedObject.kind") == "Pod"
    assert told("involvedObject.name") == "cart-0"
    assert told("involvedObject.uid") == "u"
    assert told("involvedObject.fieldPath") == ""
    assert (told("reason"), told("type")) == ("Killing", "Normal")
    assert (told("source"), told("reportingComponent")) == ("kubelet", "agent")
    assert read(resources.EVENTS, "source", reportingComponent="agent") == "agent"


def test_events_of_the_newer_group_call_it_regarding() -> None:
    event = {"regarding": {"name": "cart-0"}, "reportingController": "scheduler"}
    assert read(NEW_EVENTS, "regarding.name", **event) == "cart-0"
    assert read(NEW_EVENTS, "reportingController", **event) == "scheduler"


def test_a_field_that_a_kind_does_not_offer_is_refused() -> None:
    with pytest.raises(ApiError, match=r"^field label not supported: spec\.hostname$") as caught:
        read(resources.PODS, "spec.hostname")
    assert caught.value.code == 400
    words = '"spec.replicas" is not a known field selector: only "metadata.name", '
    words += '"metadata.namespace"'
    with pytest.raises(ApiError, match=f"^{re.escape(words)}$"):
        read(resources.DEPLOYMENTS, "spec.replicas")
