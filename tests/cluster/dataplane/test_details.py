import json
from typing import Any

from cluster.dataplane.decision import Decision
from cluster.dataplane.details import ADDRESSES_SHOWN_MAX, party_detail
from cluster.dataplane.policy import Party

POD, OUTSIDE = "10.244.1.5", "203.0.113.7"


def test_an_address_is_a_pod_a_node_or_the_world(make: Any) -> None:
    """O-16, O-17."""
    pod = make.pod("a", POD, labels={"app": "cart"})
    owner = {"kind": "ReplicaSet", "name": "cart-7d4b9c", "controller": True}
    pod["metadata"]["ownerReferences"] = [owner]
    view = make.view(make.node("node-2"), pod)
    assert party_detail(Party(POD, view.pods.at(POD)), view) == {
        "kind": "pod",
        "ip": POD,
        "name": "default/a",
        "node": "node-1",
        "labels": {"app": "cart"},
        "controller": "ReplicaSet/cart-7d4b9c",
    }
    node = party_detail(Party("172.30.0.2"), view)
    assert (node["kind"], node["name"]) == ("node", "node-2")
    for ip in (OUTSIDE, "10.244.2.9"):
        assert party_detail(Party(ip), view)["kind"] == "world"


def test_every_detail_is_json(make: Any) -> None:
    ports, target = [{"port": 80}], [{"name": "", "port": 8080}]
    view = make.view(
        make.node("node-1"),
        make.pod("a", POD),
        make.policy("p", ingress=[{"ports": [{"port": 1}]}]),
        make.service("web", ports=ports, type="LoadBalancer", ingress=[{"ip": "127.65.0.1"}],
                     loadBalancerSourceRanges=["198.51.100.0/24"]),
        make.slice("web", POD, ports=target),
    )  # fmt: skip
    decisions: list[Decision] = [
        make.decide(view, OUTSIDE, "10.96.1.1:80"),
        make.decide(view, OUTSIDE, "127.65.0.1:80"),
        make.decide(view, POD, "10.96.1.1:2"),
        make.admit(view, OUTSIDE, f"{POD}:8080"),
        make.admit(view, POD, f"{POD}:8080", listening=False),
    ]
    for decision in decisions:
        for step in decision.steps:
            assert json.loads(json.dumps(step.detail)) == step.detail


def test_a_long_list_of_candidates_is_cut(make: Any) -> None:
    """O-5; the count is told, the list is bounded."""
    ips = [f"10.244.2.{number}" for number in range(2, 202)]
    view = make.view(
        make.service("web", ports=[{"port": 80}]),
        make.slice("web", *ips, ports=[{"name": "", "port": 8080}]),
    )
    candidates = make.decide(view, POD, "10.96.1.1:80").steps[0].detail["candidates"]
    assert candidates["count"] == 200
    assert len(candidates["addresses"]) == ADDRESSES_SHOWN_MAX


def test_a_filter_of_candidates_is_told(make: Any) -> None:
    """O-5: Local, hints, fallback."""
    leaving = {"ready": False, "serving": True, "terminating": True}
    view = make.view(
        make.service("web", ports=[{"port": 80}], internalTrafficPolicy="Local"),
        make.slice("web", make.endpoint(POD, **leaving), ports=[{"name": "", "port": 8080}]),
    )
    detail = make.decide(view, POD, "10.96.1.1:80").steps[0].detail
    assert detail["trafficPolicy"] == "Local"
    assert detail["candidates"]["filter"] == "terminating on node-1"
    assert detail["endpoint"]["state"] == "terminating"
