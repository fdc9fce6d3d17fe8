"""Pods and their Services across the cluster's parts: controller, kube-proxy's tables, DNS.

Pure parts, one after the other: what the EndpointSlice controller writes is what the others read.
"""

from typing import Any

import pytest

from cluster.dataplane.endpoints import backends_of
from cluster.dns.zone import Zone
from cluster.objects.core import parse_service
from cluster.objects.discovery import parse_endpoint_slice
from cluster.objects.resources import ENDPOINT_SLICES, PODS, SERVICES
from cluster.wire.dns import Question, RRType
from control.controllers import endpointslice
from control.controllers.view import Key, Objects, View
from control.controllers.writes import Create

Document = dict[str, Any]
LABELS = {"app": "db"}


def service(**spec: Any) -> Document:
    metadata = {"name": "db", "namespace": "shop", "uid": "s", "resourceVersion": "1"}
    held = {"selector": LABELS, "ports": [{"port": 80, "protocol": "TCP"}], **spec}
    return {"metadata": metadata, "spec": held}


def pod(name: str, ip: str, *, ready: bool = True, **status: Any) -> Document:
    """A pod with a name of its own below the Service, as a StatefulSet makes them."""
    readiness = {"type": "Ready", "status": str(ready)}
    return {
        "metadata": {
            "name": name,
            "namespace": "shop",
            "uid": name,
            "labels": LABELS,
            "resourceVersion": "1",
        },
        "spec": {"hostname": name, "subdomain": "db", "nodeName": "node-1", "containers": []},
        "status": {"phase": "Running", "podIP": ip, "conditions": [readiness], **status},
    }


def slices(of: Document, *pods: Document) -> list[Document]:
    """What the controller writes for the Service."""
    objects = Objects()
    objects.put(SERVICES, of)
    for each in pods:
        objects.put(PODS, each)
    view = View(objects=objects, now=0.0, monotonic=0.0)
    made: list[Document] = []
    for number, write in enumerate(endpointslice.reconcile(view, Key(SERVICES, "shop", "db"))):
        assert isinstance(write, Create) and write.resource == ENDPOINT_SLICES
        document = dict(write.document)
        made.append({**document, "metadata": {**document["metadata"], "name": f"db-{number}"}})
    return made


def named(of: Document, *pods: Document) -> dict[str, list[str]]:
    """What the DNS answers for the name of each pod below the Service."""
    namespace = {"metadata": {"name": "shop"}}
    zone = Zone.build(services=[of], endpoint_slices=slices(of, *pods), namespaces=[namespace])
    names = [each["metadata"]["name"] for each in pods]
    questions = {name: f"{name}.db.shop.svc.cluster.local" for name in names}
    answers = {name: zone.answer(Question(full, RRType.A)) for name, full in questions.items()}
    return {name: [str(each.data) for each in held.answers] for name, held in answers.items()}


def proxied(of: Document, *pods: Document) -> list[str]:
    """The backends that kube-proxy knows of the Service's port."""
    parsed = [parse_endpoint_slice(each) for each in slices(of, *pods)]
    return [each.address.ip for each in backends_of(parse_service(of).ports[0], parsed, "IPv4")]


def test_a_pod_has_a_name_of_its_own_while_it_is_ready() -> None:
    """P-93."""
    pods = pod("db-0", "10.244.1.2"), pod("db-1", "10.244.1.3", ready=False)
    assert named(service(clusterIP="None"), *pods) == {"db-0": ["10.244.1.2"], "db-1": []}


def test_unless_the_service_publishes_those_that_are_not() -> None:
    """P-93."""
    pods = pod("db-0", "10.244.1.2"), pod("db-1", "10.244.1.3", ready=False)
    published = service(clusterIP="None", publishNotReadyAddresses=True)
    assert named(published, *pods) == {"db-0": ["10.244.1.2"], "db-1": ["10.244.1.3"]}


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_a_jobs_pod_that_is_over_is_nowhere(phase: str) -> None:
    """P-95, P-16: though its status still says Ready, and an address that may be another's."""
    owner = {"apiVersion": "batch/v1", "kind": "Job", "name": "dump", "uid": "j"}
    over = pod("dump", "10.244.1.2", phase=phase)
    over["metadata"]["ownerReferences"] = [owner]
    heir = pod("db-0", "10.244.1.2")
    plain, published = service(clusterIP="10.96.0.9"), {"publishNotReadyAddresses": True}
    assert proxied(plain, over) == []
    assert proxied(service(clusterIP="10.96.0.9", **published), over) == []
    assert proxied(plain, over, heir) == ["10.244.1.2"]
    [held] = slices(plain, over, heir)
    assert [each["targetRef"]["name"] for each in held["endpoints"]] == ["db-0"]
    assert named(service(clusterIP="None", **published), over) == {"dump": []}
