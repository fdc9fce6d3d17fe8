"""The names asked before a connection, in its trace."""

import socket

import pytest

from cluster.dataplane.decision import Action, Code, Stage
from cluster.dns.resolver import EAI_NODATA, Lookup, NameNotResolved, Resolution
from cluster.wire.addresses import Protocol, SocketAddress
from cluster.wire.flow import Flow
from node_agent.cni.resolution import resolution_json, resolution_steps, unresolved_step

FLOW = Flow(Protocol.TCP, SocketAddress("10.244.1.9", 40000), SocketAddress("10.96.0.20", 80))
QUERIES = (
    Lookup("cart.shop.svc.cluster.local", "A", "10.96.0.10:53", "NXDOMAIN"),
    Lookup("cart.svc.cluster.local", "A", "10.96.0.10:53", "NOERROR", ("10.96.0.20",)),
)
RESOLUTION = Resolution("cart", ("10.96.0.20",), QUERIES)


def test_a_connection_by_number_has_no_such_step() -> None:
    assert resolution_steps(FLOW, None) == ()


def test_a_connection_by_name_begins_with_the_questions_in_their_order() -> None:
    """O-13, D-151."""
    (step,) = resolution_steps(FLOW, resolution_json(RESOLUTION))
    assert (step.stage, step.action) == (Stage.RESOLVE, Action.FORWARDED)
    assert step.reason == "cart is 10.96.0.20" and step.code is None
    assert [(each["name"], each["rcode"]) for each in step.detail["queries"]] == [
        ("cart.shop.svc.cluster.local", "NXDOMAIN"),
        ("cart.svc.cluster.local", "NOERROR"),
    ]
    assert step.detail["queries"][1]["answers"] == ["10.96.0.20"]


@pytest.mark.parametrize(
    ("number", "action", "code", "reason"),
    [
        (socket.EAI_NONAME, Action.REJECTED, Code.NXDOMAIN, "cart: no such name"),
        (EAI_NODATA, Action.REJECTED, Code.NODATA, "cart: the name exists, but has no address"),
        (
            socket.EAI_AGAIN,
            Action.DROPPED,
            Code.DNS_UNANSWERED,
            "cart: no DNS server gave an answer",
        ),
    ],
)
def test_a_name_that_led_nowhere_says_how(
    number: int, action: Action, code: Code, reason: str
) -> None:
    """O-13, O-20: no such name, no such record and no answer are told apart."""
    step = unresolved_step(FLOW, NameNotResolved(number, RESOLUTION))
    assert (step.stage, step.action, step.code) == (Stage.RESOLVE, action, code)
    assert step.reason.startswith(reason)
    assert step.detail["name"] == "cart" and len(step.detail["queries"]) == 2
