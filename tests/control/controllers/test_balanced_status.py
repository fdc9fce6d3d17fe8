"""The status of a Service that has an external address."""

from typing import Any

from control.controllers.balanced_status import served_status

NOW, LATER = "2026-01-01T12:00:00Z", "2026-01-01T13:00:00Z"
IP = "127.65.3.1"
PLAIN = {"loadBalancer": {"ingress": [{"ip": IP, "ipMode": "VIP"}]}}
TCP, UDP = {"port": 53, "protocol": "TCP"}, {"port": 53, "protocol": "UDP"}
SCTP = {"port": 99, "protocol": "SCTP"}


def status(*ports: dict[str, Any], held: dict[str, Any] | None = None, when: str = NOW) -> Any:
    service = {"metadata": {}, "spec": {"ports": list(ports)}, "status": held or {}}
    return served_status(service, IP, when=when)


def test_mixed_protocols_are_served() -> None:
    """S-114, S-123."""
    assert status(TCP, UDP) == PLAIN
    assert status(TCP, UDP, held=PLAIN) == {}


def test_a_protocol_that_is_not_carried_is_an_error_of_its_port_and_a_condition() -> None:
    """S-123."""
    shown = status(TCP, SCTP)
    assert shown["loadBalancer"]["ingress"] == [
        {
            "ip": IP,
            "ipMode": "VIP",
            "ports": [TCP, {**SCTP, "error": "kubehop.dev/ProtocolNotSupported"}],
        }
    ]
    assert shown["conditions"] == [
        {
            "type": "LoadBalancerPortsError",
            "status": "True",
            "reason": "ProtocolNotSupported",
            "message": "the load balancer carries TCP and UDP; not served: 99/SCTP",
            "lastTransitionTime": NOW,
        }
    ]
    assert status(TCP, SCTP, held=shown, when=LATER) == {}


def test_the_condition_ends_with_its_cause_and_others_stay() -> None:
    """S-123."""
    other = {"type": "Other", "status": "True"}
    held = status(TCP, SCTP)
    held = {**held, "conditions": [other, *held["conditions"]]}
    shown = status(TCP, held=held, when=LATER)
    assert shown["loadBalancer"] == PLAIN["loadBalancer"]
    assert shown["conditions"][0] == other
    ended = shown["conditions"][1]
    assert (ended["status"], ended["lastTransitionTime"]) == ("False", LATER)
    assert status(TCP, held={**held, **shown}) == {}
