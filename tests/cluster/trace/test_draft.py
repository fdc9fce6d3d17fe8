"""What is recorded in short reads as if it had been written out at once."""

from dataclasses import replace
from typing import Any

import pytest

from cluster.dataplane.decision import Action, Code, Decision, Drop, Stage, Step, Via
from cluster.trace.draft import FlowDraft, Whole, outline_of, received
from cluster.trace.query import Query
from cluster.trace.record import ClientSaw, Outcome, segment_of
from cluster.wire.addresses import Protocol, SocketAddress
from cluster.wire.flow import Flow, FlowContext, FlowKind, Origin, OriginKind

ENDPOINT = {"namespace": "shop", "pod": "web", "node": "node-2", "ip": "10.244.2.7", "port": "8080"}


def context(source: str = "10.244.1.5:4000", **fields: Any) -> FlowContext:
    flow = Flow(Protocol.TCP, SocketAddress.parse(source), SocketAddress("10.96.0.20", 80))
    given: dict[str, Any] = {
        "flow_id": "feed",
        "flow": flow,
        "original": flow,
        "origin": Origin(OriginKind.POD, "shop/client", "node-1"),
    }
    return FlowContext(**(given | fields))


def decided(flow: Flow) -> Decision:
    """A Service, a masquerade to the node's address, and a route: as a node decides."""
    there = flow.to(SocketAddress("10.244.2.7", 8080))
    masqueraded = there.by(SocketAddress("172.30.0.1", flow.source.port))
    steps = (
        Step(Stage.SERVICE, Action.FORWARDED, flow, there, "random, 1 of 2"),
        Step(Stage.MASQUERADE, Action.FORWARDED, there, masqueraded, "off-cluster"),
        Step(
            Stage.ROUTE, Action.FORWARDED, masqueraded, masqueraded, "via node-2", detail={"a": 1}
        ),
    )
    return Decision(Via("node-2"), masqueraded, steps)


def outline(of: FlowContext) -> Any:
    return outline_of(of, decided(of.flow), Outcome.PASSED, next_process="node-2")


@pytest.mark.parametrize("source", ["10.244.1.5:4000", "10.244.1.5:51234", "10.244.1.9:7"])
def test_a_flow_of_the_class_reads_as_its_own_decision_would(source: str) -> None:
    """O-2, O-3: every hop with both 5-tuples, whoever came first of its class."""
    mine = context(source, flow_id="cafe")
    draft = FlowDraft(mine, outline(context()), "node-1", at=7.0)
    wanted = segment_of(decided(mine.flow), mine, process="node-1", at=7.0, outcome=Outcome.PASSED)
    assert draft.segment() == replace(wanted, next_process="node-2")
    assert draft.outline.onward(mine.flow) == decided(mine.flow).flow
    assert set(draft.flows()) == set(draft.segment().flows())


def test_what_was_sent_here_has_arrived_and_what_came_before_stays_first() -> None:
    """O-2, O-13: numbered on from where the flow comes from."""
    mine = context(sender="gateway", hops=2)
    asked = Step(Stage.RESOLVE, Action.FORWARDED, mine.flow, mine.flow, "web is 10.96.0.20")
    draft = FlowDraft(mine, outline(mine), "node-1", 7.0, (asked,))
    hops = draft.segment().hops
    assert [hop.number for hop in hops] == [2, 3, 4, 5, 6] and draft.hop_count == 5
    assert [hop.step for hop in hops[:2]] == [asked, received(mine)]
    assert (hops[1].step.action, hops[1].step.detail) == (Action.RECEIVED, {"from": "gateway"})
    assert not draft.opened_here


def test_a_flow_that_is_not_translated_goes_on_as_it_came() -> None:
    mine = context()
    denied = Step(Stage.INGRESS, Action.DROPPED, mine.flow, mine.flow, "denied", Code.POLICY_DENIED)
    decision = Decision(Drop(Code.POLICY_DENIED, "denied"), mine.flow, (denied,))
    shared = outline_of(mine, decision, Outcome.DROPPED, endpoint=ENDPOINT)
    other = context("10.244.1.5:9")
    assert shared.onward(other.flow) is other.flow
    segment = FlowDraft(other, shared, "node-1", 7.0).segment()
    assert (segment.code, segment.reason, segment.endpoint) == (
        Code.POLICY_DENIED,
        "denied",
        ENDPOINT,
    )
    assert segment.hops[0].step.before == segment.hops[0].step.after == other.flow


def test_what_became_known_later_is_read_with_the_rest() -> None:
    """O-20: and what a reader was told before does not change in its hands."""
    draft = FlowDraft(context(), outline(context()), "node-1", 7.0)
    assert not draft.complete and draft.opened_here
    draft.known = {"client_saw": ClientSaw.CONNECTED, "next_process": "node-3"}
    assert draft.complete and draft.segment().complete
    assert draft.segment().next_process == "node-3"
    assert draft.as_known({}).next_process == "node-2"


@pytest.mark.parametrize("name", ["balanced", "denied", "datagrams", "unknown_name"])
def test_a_segment_written_out_is_kept_as_it_is(path: Any, name: str) -> None:
    for segment in path(name):
        draft = Whole(segment)
        assert draft.segment() is segment and draft.complete == segment.complete
        assert (draft.started, draft.original) == (segment.started, segment.original)
        assert draft.opened_here == segment.opened_here
        assert draft.as_known({"ended": 9.0}) == replace(segment, ended=9.0)


def test_a_query_finds_a_draft_by_all_that_it_finds_the_segment_by() -> None:
    """O-48."""
    draft = FlowDraft(context(), outline(context()), "node-1", 7.0)
    queries = [
        {"id": "feed"},
        {"source": "10.244.1.5:4000"},
        {"source": "172.30.0.1"},
        {"destination": "10.244.2.7:8080"},
        {"protocol": "TCP", "kind": "traffic", "outcome": "passed", "since": "7"},
        {"destination": "10.244.2.8"},
        {"outcome": "dropped"},
        {"since": "8"},
        {"kind": "dns"},
    ]
    found = [Query.parse(each).matches(draft) for each in queries]
    assert found == [Query.parse(each).matches(draft.segment()) for each in queries]
    assert found == [True] * 5 + [False] * 4


def test_a_dns_flow_that_was_answered_is_complete() -> None:
    draft = FlowDraft(context(kind=FlowKind.DNS), outline(context()), "node-1", 7.0)
    assert not draft.complete, "it was passed on"
