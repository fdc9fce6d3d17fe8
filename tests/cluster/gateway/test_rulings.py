"""What is recorded of a flow, and what goes on with it."""

from random import Random
from typing import Any

import pytest

from cluster.dataplane.decision import Action, Code, Drop, Stage
from cluster.gateway.backend_nodes import BackendNode
from cluster.gateway.balancer import Chosen, FrontPlan, FrontState, Place
from cluster.gateway.health import NodeHealth
from cluster.gateway.rulings import Rulings
from cluster.trace.query import Query
from cluster.trace.record import ClientSaw, Outcome
from cluster.trace.recorder import Recorder
from cluster.wire.addresses import Protocol, SocketAddress
from cluster.wire.clients import OutsideClients
from cluster.wire.flow import Entry, OriginKind

PEER = SocketAddress("127.66.0.7", 40000)


def plan(state: FrontState = FrontState.SERVING, **more: Any) -> FrontPlan:
    fields: dict[str, Any] = {
        "place": Place(SocketAddress("127.65.0.1", 80), Protocol.TCP),
        "service": ("shop", "web"),
        "uid": "uid",
        "port": "http",
        "node_port": 30080,
        "local_only": False,
        "state": state,
        "reason": "",
        "code": None,
        "nodes": (BackendNode("node-1"), BackendNode("node-2")),
    }
    return FrontPlan(**{**fields, **more})


class Ruled:
    """Rulings, and what they recorded."""

    def __init__(self, clock: Any) -> None:
        self.clock = clock
        self.health = NodeHealth()
        self.recorder = Recorder("gateway", clock)
        self.rulings = Rulings(
            self.recorder,
            self.health,
            OutsideClients.parse(),
            clock,
            Random(1),
            lambda ip: "node-2" if ip == "172.30.0.2" else "",
        )

    @property
    def segment(self) -> Any:
        (found,) = self.recorder.find(Query())
        return found


@pytest.fixture
def ruled(clock: Any) -> Ruled:
    return Ruled(clock)


def test_a_flow_begins_with_the_clients_emulated_address(ruled: Ruled) -> None:
    context = ruled.rulings.opened(plan(), PEER)
    assert str(context.flow) == "TCP 203.0.113.7:40000 -> 127.65.0.1:80"
    assert context.original == context.flow
    assert context.origin.kind is OriginKind.OUTSIDE
    assert context.origin.name == "203.0.113.7"
    assert context.entry is Entry.FRONT
    assert len(context.flow_id) == 16
    assert ruled.rulings.opened(plan(), PEER).flow_id != context.flow_id


def test_who_dials_from_a_nodes_address_is_that_node(ruled: Ruled) -> None:
    origin = ruled.rulings.opened(plan(), SocketAddress("127.64.0.2", 40000)).origin
    assert (origin.kind, origin.name) == (OriginKind.NODE, "node-2")


def test_the_choice_is_one_hop_and_the_next_process_counts_on(ruled: Ruled) -> None:
    """O-2, O-3, O-4: process, number, time; flow before and after; the Service."""
    context = ruled.rulings.opened(plan(), PEER)
    chosen = Chosen(BackendNode("node-2"), "node-2, 2 of 2 healthy nodes")
    onward = ruled.rulings.passed(context, plan(), chosen, {}, 0.0)
    assert (onward.hops, onward.sender, onward.flow) == (1, "gateway", context.flow)
    segment = ruled.segment
    assert (segment.outcome, segment.next_process) == (Outcome.PASSED, "node-2")
    (hop,) = segment.hops
    assert (hop.number, hop.process, hop.at) == (0, "gateway", ruled.clock.now())
    assert (hop.step.stage, hop.step.action) == (Stage.BALANCE, Action.FORWARDED)
    assert hop.step.before == hop.step.after == context.flow
    assert hop.step.detail["service"]["name"] == "web"
    assert hop.step.detail["nodePort"] == 30080
    assert "failed" not in hop.step.detail


def test_nodes_that_were_skipped_are_named_with_the_reason(ruled: Ruled) -> None:
    context = ruled.rulings.opened(plan(), PEER)
    chosen = Chosen(BackendNode("node-2"), "node-2, 1 of 1 healthy node")
    ruled.rulings.passed(context, plan(), chosen, {"node-1": "Connection refused"}, 0.0)
    step = ruled.segment.hops[0].step
    assert step.reason.endswith("; node-1 was skipped: Connection refused")
    assert step.detail["failed"] == {"node-1": "Connection refused"}


@pytest.mark.parametrize("with_it", [True, False])
def test_the_socket_may_go_with_the_flow(ruled: Ruled, with_it: bool) -> None:
    """O-20: then its next holder tells what the client saw."""
    context = ruled.rulings.opened(plan(), PEER)
    chosen = Chosen(BackendNode("node-2"), "the only one")
    ruled.rulings.passed(context, plan(), chosen, {}, 0.0, handed_over=with_it)
    assert ruled.segment.handed_over == ruled.segment.complete == with_it


def test_a_flow_that_nobody_takes_is_dropped_and_the_client_waits(ruled: Ruled) -> None:
    """O-11, O-12, O-20."""
    context = ruled.rulings.opened(plan(), PEER)
    ruled.rulings.dropped(context, plan(), Drop(Code.NO_NODE, "none of 2 nodes answers"), {}, 0.0)
    segment = ruled.segment
    assert (segment.outcome, segment.code) == (Outcome.DROPPED, Code.NO_NODE)
    assert segment.hops[0].step.action is Action.DROPPED
    assert segment.client_saw is ClientSaw.TIMEOUT


def test_an_unhealthy_node_is_not_chosen(ruled: Ruled) -> None:
    ruled.health.failed("node-1", "refused", surely=True)
    for _ in range(20):
        choice = ruled.rulings.choose(plan(), {})
        assert isinstance(choice, Chosen)
        assert choice.node.name == "node-2"
    assert isinstance(ruled.rulings.choose(plan(), {"node-2": "refused"}), Drop)


@pytest.mark.parametrize(
    ("state", "code", "outcome", "action"),
    [
        (FrontState.CLOSED, Code.NO_ENDPOINT, Outcome.REFUSED, Action.REJECTED),
        (FrontState.SILENT, Code.NO_NODE, Outcome.DROPPED, Action.DROPPED),
    ],
)
def test_what_no_client_ever_gets_to_see_can_be_explained(
    ruled: Ruled, state: FrontState, code: Code, outcome: Outcome, action: Action
) -> None:
    """O-11: the kernel refuses or is silent before anything could be recorded."""
    segment = ruled.rulings.explain(plan(state, reason="why", code=code), PEER)
    assert (segment.outcome, segment.code, segment.reason) == (outcome, code, "why")
    assert segment.hops[0].step.action is action
    assert ruled.recorder.find(Query()) == []


def test_a_decision_can_be_explained_without_being_made(ruled: Ruled) -> None:
    segment = ruled.rulings.explain(plan(), PEER)
    assert segment.outcome is Outcome.PASSED
    assert segment.next_process in {"node-1", "node-2"}
    assert ruled.recorder.find(Query()) == []
