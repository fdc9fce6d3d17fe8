"""What is kept of a front's choices is what each flow would be told anew."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cluster.dataplane.decision import Code, Drop
from cluster.gateway.backend_nodes import BackendNode
from cluster.gateway.balancer import Chosen, FrontPlan, FrontState, Place, choose_node
from cluster.gateway.choices import OUTCOMES, Choices, decided
from cluster.gateway.health import NodeHealth
from cluster.trace.draft import FlowDraft
from cluster.trace.record import segment_of
from cluster.wire.addresses import Protocol, SocketAddress
from cluster.wire.flow import Flow, FlowContext, Origin, OriginKind

NAMES = ["node-1", "node-2", "node-3"]


def plan(*names: str, **more: Any) -> FrontPlan:
    fields: dict[str, Any] = {
        "place": Place(SocketAddress("127.65.0.1", 80), Protocol.TCP),
        "service": ("shop", "web"),
        "uid": "uid",
        "port": "http",
        "node_port": 30080,
        "local_only": False,
        "state": FrontState.SERVING,
        "reason": "no node",
        "code": None,
        "nodes": tuple(map(BackendNode, names)),
    }
    return FrontPlan(**(fields | more))


def context(source: str = "203.0.113.7:40000") -> FlowContext:
    flow = Flow(Protocol.TCP, SocketAddress.parse(source), SocketAddress("127.65.0.1", 80))
    origin = Origin(OriginKind.OUTSIDE, flow.source.ip)
    return FlowContext(flow_id="feed", flow=flow, original=flow, origin=origin)


EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("flow"), st.floats(0, 1, exclude_max=True), st.integers(1, 3)),
        st.tuples(st.just("failed"), st.sampled_from(NAMES), st.booleans()),
        st.tuples(st.just("succeeded"), st.sampled_from(NAMES), st.none()),
        st.tuples(st.just("planned"), st.sets(st.sampled_from(NAMES)), st.booleans()),
        st.tuples(st.just("known"), st.sets(st.sampled_from(NAMES)), st.none()),
    ),
    max_size=30,
)


@given(events=EVENTS)
def test_kept_and_anew_are_the_same_whatever_nodes_come_to(events: Any) -> None:
    """S-122, O-2, O-3: the node, why, and every word that is recorded of it."""
    health = NodeHealth()
    choices, held = Choices(health), plan(*NAMES)
    for what, first, second in events:
        match what:
            case "failed":
                health.failed(first, "silent", surely=second)
            case "succeeded":
                health.succeeded(first)
            case "planned":
                held = plan(*sorted(first), local_only=second)
            case "known":
                health.keep(first)
            case _:
                _flow_is_the_same(choices, health, held, first, f"203.0.113.{second}:4000{second}")


def _flow_is_the_same(
    choices: Choices, health: NodeHealth, held: FrontPlan, draw: float, source: str
) -> None:
    mine = context(source)
    anew = choose_node(held, health.healthy, draw=draw)
    kept = choices.choose(held, {}, draw=draw)
    assert kept == anew
    wanted = segment_of(
        decided(mine, held, anew, {}), mine, process="gateway", at=1.0, outcome=OUTCOMES[type(anew)]
    )
    read = FlowDraft(mine, choices.outline(mine, held, kept, {}), "gateway", 1.0).segment()
    assert (read.hops, read.outcome, read.reason, read.code) == (
        wanted.hops,
        wanted.outcome,
        wanted.reason,
        wanted.code,
    )
    assert read.next_process == (anew.node.name if isinstance(anew, Chosen) else "")


def test_a_second_flow_makes_nothing_new() -> None:
    choices, held = Choices(NodeHealth()), plan(*NAMES)
    first = choices.choose(held, {}, draw=0.5)
    assert choices.choose(held, {}, draw=0.5) is first
    outline = choices.outline(context(), held, first, {})
    assert choices.outline(context("203.0.113.9:1"), held, first, {}) is outline


def test_a_flow_that_has_tried_nodes_in_vain_is_decided_by_itself() -> None:
    """S-122, O-5."""
    choices, held = Choices(NodeHealth()), plan("node-1", "node-2")
    failed = {"node-1": "refused"}
    chosen = choices.choose(held, failed, draw=0.0)
    assert isinstance(chosen, Chosen) and chosen.node.name == "node-2"
    (step,) = choices.outline(context(), held, chosen, failed).steps
    assert step.reason.endswith("; node-1 was skipped: refused")
    assert step.detail["failed"] == failed
    assert choices.choose(held, {"node-1": "", "node-2": ""}, draw=0.0) == Drop(
        Code.NO_NODE, "none of 2 nodes answers"
    )
    untried = choices.choose(held, {}, draw=0.9)
    assert "failed" not in choices.outline(context(), held, untried, {}).steps[0].detail


def test_what_is_kept_of_fronts_is_bounded() -> None:
    choices = Choices(NodeHealth(), fronts_max=3)
    for number in range(20):
        choices.choose(plan("node-1", uid=str(number)), {}, draw=0.0)
        assert len(choices) <= 3
