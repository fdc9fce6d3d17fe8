"""NetworkPolicies: every refusal, with its field and words."""

from typing import Any

import pytest

from control.resources.validation.network_policies import policy_causes


def told(**spec: Any) -> list[str]:
    held = {"podSelector": {}, "policyTypes": ["Ingress"], **spec}
    return [f"{each.field}: {each.message}" for each in policy_causes({"spec": held})]


def from_peer(**peer: Any) -> list[str]:
    return told(ingress=[{"from": [peer]}])


def to_port(**port: Any) -> list[str]:
    return told(egress=[{"ports": [{"protocol": "TCP", **port}]}])


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"ingress": [{}], "egress": []},
        {"ingress": [{"from": [{"podSelector": {}, "namespaceSelector": {}}]}]},
        {"egress": [{"to": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}]}]},
        {"egress": [{"ports": [{"port": 80, "endPort": 90}, {"port": "http"}, {}]}]},
    ],
)
def test_what_is_fine(spec: dict[str, Any]) -> None:
    """N-2, N-6."""
    assert told(**spec) == []


def test_a_peer_is_somebody() -> None:
    """N-89."""
    assert from_peer() == ["spec.ingress[0].from[0]: Required value: must specify a peer"]


def test_a_peer_is_a_block_or_selected() -> None:
    """N-90."""
    assert from_peer(ipBlock={"cidr": "10.0.0.0/8"}, podSelector={}) == [
        "spec.ingress[0].from[0]: Forbidden: may not specify both ipBlock and another peer"
    ]


@pytest.mark.parametrize("excepted", ["10.0.0.0/8", "11.0.0.0/16", "0.0.0.0/0", "fd00::/64"])
def test_an_exception_lies_within(excepted: str) -> None:
    """N-53, N-91."""
    assert from_peer(ipBlock={"cidr": "10.0.0.0/8", "except": [excepted]}) == [
        f'spec.ingress[0].from[0].ipBlock.except[0]: Invalid value: "{excepted}": '
        "must be a strict subset of `cidr`"
    ]


def test_ranges_of_ports() -> None:
    """N-92."""
    path = "spec.egress[0].ports[0].endPort"
    assert to_port(port=80, endPort=79) == [
        f"{path}: Invalid value: 79: must be greater than or equal to `port`"
    ]
    assert to_port(port="http", endPort=90) == [
        f"{path}: Invalid value: 90: may not be specified when `port` is non-numeric"
    ]
    assert to_port(endPort=90) == [
        f"{path}: Invalid value: 90: may not be specified when `port` is not specified"
    ]
    assert to_port(port=80, endPort=70000)[0].startswith(f"{path}: Invalid value: 70000")


def test_policy_types() -> None:
    """N-93."""
    assert told(policyTypes=["Ingress", "Egress", "Ingress"]) == [
        'spec.policyTypes: Invalid value: ["Ingress","Egress","Ingress"]: '
        "may not specify more than two policyTypes"
    ]
    assert told(policyTypes=["X"]) == [
        'spec.policyTypes[0]: Unsupported value: "X": supported values: "Egress", "Ingress"'
    ]


def test_protocols_and_numbers() -> None:
    """N-94."""
    assert to_port(protocol="ICMP") == [
        'spec.egress[0].ports[0].protocol: Unsupported value: "ICMP": '
        'supported values: "SCTP", "TCP", "UDP"'
    ]
    for number in (0, 65536):
        assert to_port(port=number) == [
            f"spec.egress[0].ports[0].port: Invalid value: {number}: "
            "must be between 1 and 65535, inclusive"
        ]


@pytest.mark.parametrize("cidr", ["10.0.0.0", "10.0.0.0/33", "x/8"])
def test_a_block_is_a_range(cidr: str) -> None:
    """N-95."""
    words = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
    assert from_peer(ipBlock={"cidr": cidr}) == [
        f'spec.ingress[0].from[0].ipBlock.cidr: Invalid value: "{cidr}": {words}'
    ]
    (cause,) = from_peer(ipBlock={"cidr": "10.0.0.0/8", "except": [cidr]})
    assert cause.endswith(words)
    assert from_peer(ipBlock={}) == ["spec.ingress[0].from[0].ipBlock.cidr: Required value"]


def test_selectors_are_checked_wherever_they_stand() -> None:
    bad = {"matchLabels": {"a": "b c"}}
    assert told(podSelector=bad)[0].startswith("spec.podSelector.matchLabels: Invalid value")
    (cause,) = from_peer(namespaceSelector=bad)
    assert cause.startswith("spec.ingress[0].from[0].namespaceSelector.matchLabels: Invalid")
