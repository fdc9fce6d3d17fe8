from collections import Counter
from typing import Any

import pytest

from cluster.dataplane.decision import Code, Drop, Reject
from cluster.dataplane.endpoints import Backend, cluster_candidates, local_candidates
from cluster.dataplane.served_port import Forward, FrontKind, ServedPort, choice_of, draw_lot
from cluster.objects.core import ServicePort, TrafficPolicy
from cluster.wire.addresses import SocketAddress

HERE = Backend(address=SocketAddress("10.244.1.2", 8080), node="node-1")
AWAY = Backend(address=SocketAddress("10.244.2.2", 8080), node="node-2")
OTHER = Backend(address=SocketAddress("10.244.3.2", 8080), node="node-3")


def served(*backends: Backend, node: str = "node-1") -> ServedPort:
    return ServedPort(
        service=("shop", "cart"),
        port=ServicePort(name="http", port=80),
        address_type="IPv4",
        internal_policy=TrafficPolicy.CLUSTER,
        external_policy=TrafficPolicy.LOCAL,
        affinity_seconds=None,
        source_ranges=(),
        backends=backends,
        everywhere=cluster_candidates(backends, node, ""),
        here=local_candidates(backends, node),
    )


def choose(
    port: ServedPort,
    kind: FrontKind = FrontKind.CLUSTER_IP,
    *,
    local_only: bool = False,
    pinned: SocketAddress | None = None,
    draw: float = 0.0,
) -> Any:
    lot = draw_lot(port.here if local_only else port.everywhere, pinned, draw)
    return choice_of(port, kind, local_only=local_only, lot=lot)


def test_the_choice_is_uniform_over_the_draw() -> None:
    """S-64."""
    port = served(HERE, AWAY, OTHER)
    chosen = Counter(choose(port, draw=step / 300).backend.node for step in range(300))
    assert chosen == {"node-1": 100, "node-2": 100, "node-3": 100}


@pytest.mark.parametrize(("draw", "node"), [(0.0, "node-1"), (0.5, "node-2"), (0.999999, "node-2")])
def test_the_draw_names_the_backend(draw: float, node: str) -> None:
    """O-19: the same chance gives the same choice."""
    assert choose(served(HERE, AWAY), draw=draw).backend.node == node


def test_the_reason_counts_the_candidates() -> None:
    """O-4, O-5."""
    assert choose(served(HERE, AWAY), draw=0.9).reason == "random, 2 of 2 endpoints"
    assert choose(served(HERE)).reason == "only endpoint"
    local = choose(served(HERE, AWAY), local_only=True)
    assert local.reason == "only ready endpoint on node-1, of 2"
    assert local.candidates.of == 2
    pinned = choose(served(HERE), pinned=HERE.address)
    assert pinned.reason == "session affinity, 1 of 1 endpoint"


def test_the_remembered_endpoint_is_chosen_while_it_is_usable() -> None:
    """S-68, S-70, S-73."""
    port = served(HERE, AWAY)
    pinned = choose(port, pinned=AWAY.address)
    assert pinned.backend is AWAY
    assert pinned.reason == "session affinity, 2 of 2 endpoints"
    assert choose(port, pinned=OTHER.address).backend is HERE, "no longer usable: drawn anew"
    assert choose(port, pinned=AWAY.address, local_only=True).backend is HERE


def test_no_endpoint_at_all_refuses() -> None:
    """S-85, S-170."""
    for kind in FrontKind:
        refused = choose(served(), kind)
        assert isinstance(refused, Reject) and refused.code is Code.NO_ENDPOINT
        assert "shop/cart:http" in refused.reason
    unready = Backend(address=HERE.address, ready=False, serving=False)
    assert "none of its 1 is ready" in choose(served(unready)).reason


def test_no_endpoint_anywhere_refuses_under_policy_local_too() -> None:
    """S-85."""
    assert isinstance(choose(served(), FrontKind.NODE_PORT, local_only=True), Reject)


@pytest.mark.parametrize(
    ("kind", "code", "policy"),
    [
        (FrontKind.CLUSTER_IP, Code.NO_LOCAL_ENDPOINT_INTERNAL, "internalTrafficPolicy"),
        (FrontKind.NODE_PORT, Code.NO_LOCAL_ENDPOINT_EXTERNAL, "externalTrafficPolicy"),
        (FrontKind.LOAD_BALANCER, Code.NO_LOCAL_ENDPOINT_EXTERNAL, "externalTrafficPolicy"),
        (FrontKind.EXTERNAL_IP, Code.NO_LOCAL_ENDPOINT_EXTERNAL, "externalTrafficPolicy"),
    ],
)
def test_endpoints_on_other_nodes_only_are_silence_under_policy_local(
    kind: FrontKind, code: Code, policy: str
) -> None:
    """S-86, S-87, S-170."""
    dropped = choose(served(AWAY, OTHER), kind, local_only=True)
    assert isinstance(dropped, Drop) and dropped.code is code
    assert dropped.reason == (
        f"shop/cart:http: {policy} Local and no endpoint on node-1; 2 on other nodes"
    )


def test_the_terminating_fallback_is_told() -> None:
    """O-4, S-58."""
    gone = Backend(address=HERE.address, ready=False, terminating=True, node="node-1")
    chosen = choose(served(gone))
    assert isinstance(chosen, Forward)
    assert chosen.reason == "only terminating endpoint, none is ready"


def test_each_front_has_its_own_traffic_policy() -> None:
    """S-89."""
    port = served()
    assert port.policy(FrontKind.CLUSTER_IP) is TrafficPolicy.CLUSTER
    external = set(FrontKind) - {FrontKind.CLUSTER_IP}
    assert all(port.policy(kind) is TrafficPolicy.LOCAL for kind in external)


def test_the_affinity_record_is_named_by_service_port_and_protocol() -> None:
    """S-68."""
    assert served().affinity_name == "shop/cart:http/TCP"


def test_udp_flows_may_go_on_to_what_is_ready_or_still_serves() -> None:
    """S-126, S-128."""
    serving = Backend(address=AWAY.address, ready=False, serving=True, terminating=True)
    gone = Backend(address=OTHER.address, ready=False, serving=False, terminating=True)
    assert served(HERE, serving, gone).serving == {HERE.address, AWAY.address}
