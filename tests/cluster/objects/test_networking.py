from typing import Any

import pytest

from cluster.objects.networking import NetworkPolicy, PolicyType, parse_network_policy
from cluster.wire.addresses import Protocol


def policy(**spec: Any) -> NetworkPolicy:
    return parse_network_policy({"metadata": {"namespace": "a", "name": "b"}, "spec": spec})


INGRESS, EGRESS = PolicyType.INGRESS, PolicyType.EGRESS


@pytest.mark.parametrize(
    ("spec", "types"),
    [
        ({}, {INGRESS}),
        ({"egress": []}, {INGRESS}),
        ({"egress": [{}]}, {INGRESS, EGRESS}),
        ({"policyTypes": ["Egress"], "ingress": [{}]}, {EGRESS}),
        ({"policyTypes": ["Ingress"], "egress": [{}]}, {INGRESS}),
    ],
)
def test_policy_types_default_by_what_the_policy_holds(
    spec: dict[str, Any], types: set[PolicyType]
) -> None:
    """N-3, N-4, N-5, N-142."""
    assert policy(**spec).types == types


def test_an_absent_pod_selector_selects_every_pod() -> None:
    """N-2."""
    assert policy().selector.matches({"any": "thing"})
    assert policy(podSelector={}).selector.matches({})


def test_ports_are_tcp_unless_told_and_may_be_ranges_or_names() -> None:
    """N-6, N-37, N-38, N-48, N-49."""
    ports = [
        {},
        {"protocol": "UDP"},
        {"port": 80},
        {"port": 80, "endPort": 90},
        {"port": 80, "endPort": 80},
        {"port": "http"},
    ]
    read = policy(ingress=[{"ports": ports}]).ingress[0].ports
    assert [str(port) for port in read] == [
        "any TCP port",
        "any UDP port",
        "TCP 80",
        "TCP 80-90",
        "TCP 80",
        "TCP http",
    ]
    assert read[1].protocol is Protocol.UDP


def test_an_ip_block_excepts() -> None:
    """N-52."""
    block = {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16", "10.2.0.0/16"]}
    peer = policy(ingress=[{"from": [{"ipBlock": block}]}]).ingress[0].peers[0]
    assert peer.block is not None
    assert [peer.block.matches(ip) for ip in ("10.3.0.1", "10.1.0.1", "11.0.0.1")] == [
        True,
        False,
        False,
    ]
    assert str(peer.block) == "10.0.0.0/8 except 10.1.0.0/16, 10.2.0.0/16"


def test_a_peer_without_a_field_is_refused() -> None:
    """It would otherwise allow everybody or nobody, and the writer meant neither."""
    with pytest.raises(ValueError, match="must have podSelector"):
        policy(ingress=[{"from": [{}]}])
