"""Picking pods for a scenario."""

from typing import Any

import pytest

from cluster.cli.demo.pods import (
    PodSeen,
    endpoint_addresses,
    is_ready,
    of_app,
    of_service,
    pair,
    pods_seen,
)
from cluster.cli.demo.scenario import DoesNotHold


def seen(name: str, node: str, app: str = "cart", ready: bool = True) -> PodSeen:
    return PodSeen(name=name, app=app, node=node, ip="10.244.1.2", ready=ready, restarts=0)


def document(name: str, ip: str = "10.244.1.2", **status: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "labels": {"app": "cart"}},
        "spec": {"nodeName": "node-1"},
        "status": {
            "podIP": ip,
            "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [{"restartCount": 2}, {"restartCount": 1}],
            **status,
        },
    }


def test_pods_are_seen_by_name_with_what_scenarios_need() -> None:
    found = pods_seen([document("b"), document("a")])
    assert [pod.name for pod in found] == ["a", "b"]
    (first, _) = found
    assert (first.app, first.node, first.ip) == ("cart", "node-1", "10.244.1.2")
    assert first.ready and first.restarts == 3 and first.place == "pod/a"


def test_who_has_no_address_or_is_ending_is_not_seen() -> None:
    ending = document("ending")
    ending["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert pods_seen([ending, document("new", ip="")]) == []


def test_a_pod_without_conditions_is_not_ready() -> None:
    assert not is_ready({"metadata": {"name": "new"}})
    assert not pods_seen([document("a", conditions=[{"type": "Ready", "status": "False"}])])[
        0
    ].ready


def test_only_ready_pods_of_an_application_are_chosen() -> None:
    pods = [seen("a", "n1"), seen("b", "n1", ready=False), seen("c", "n1", app="web")]
    assert of_app(pods, "cart") == pods[:1]


def test_pairs_on_one_node_and_on_two() -> None:
    here, neighbour, away = seen("a", "n1"), seen("b", "n1"), seen("c", "n2")
    pods = [here, neighbour, away]
    assert pair(pods, [here], same_node=True) == (neighbour, here)
    assert pair(pods, [here], same_node=False) == (away, here)


def test_a_pod_is_no_pair_with_itself_and_the_lack_is_explained() -> None:
    alone = seen("a", "n1")
    with pytest.raises(DoesNotHold, match="no two pods are on one node: a on n1, a on n1"):
        pair([alone], [alone], same_node=True)


def slice_of(service: str, *endpoints: dict[str, Any], port: int | None = 8080) -> dict[str, Any]:
    return {
        "metadata": {"name": "x", "labels": {"kubernetes.io/service-name": service}},
        "ports": [{"port": port}],
        "endpoints": list(endpoints),
    }


def test_endpoints_are_those_that_are_ready_or_say_nothing() -> None:
    found = slice_of(
        "cart",
        {"addresses": ["10.244.2.2"], "conditions": {"ready": True}},
        {"addresses": ["10.244.1.2"]},
        {"addresses": ["10.244.1.3"], "conditions": {"ready": False}},
    )
    assert endpoint_addresses([found]) == ["10.244.1.2:8080", "10.244.2.2:8080"]
    assert endpoint_addresses([slice_of("cart", {"addresses": ["10.244.1.2"]}, port=None)]) == []


def test_slices_belong_to_a_service_by_their_label() -> None:
    cart, web = slice_of("cart"), slice_of("web")
    assert of_service([cart, web, {"metadata": {"name": "cart"}}], "cart") == [cart]
