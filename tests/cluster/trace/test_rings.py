"""Which ring keeps what, for how long, and how a flow's drafts are found."""

from typing import Any

import pytest

from cluster.dataplane.decision import Code
from cluster.trace.draft import Whole
from cluster.trace.record import Outcome
from cluster.trace.rings import DELIVERED, DNS, PROBES, REFUSED, Rings, ring_of
from cluster.wire.flow import FlowKind


@pytest.fixture
def rings() -> Rings:
    return Rings({DNS: 2, PROBES: 2, DELIVERED: 3, REFUSED: 2})


@pytest.mark.parametrize(
    ("kind", "outcome", "code", "ring"),
    [
        (FlowKind.TRAFFIC, Outcome.PASSED, None, DELIVERED),
        (FlowKind.TRAFFIC, Outcome.DROPPED, Code.POLICY_DENIED, REFUSED),
        (FlowKind.PROBE, Outcome.REFUSED, Code.PORT_CLOSED, PROBES),
        (FlowKind.DNS, Outcome.DELIVERED, None, DNS),
        (FlowKind.DNS, Outcome.REFUSED, Code.NXDOMAIN, DNS),
        (FlowKind.DNS, Outcome.DROPPED, Code.POLICY_DENIED, REFUSED),
    ],
)
def test_what_failed_is_kept_apart_but_for_names_that_do_not_exist(
    segment: Any, kind: FlowKind, outcome: Outcome, code: Code | None, ring: str
) -> None:
    """O-49."""
    assert ring_of(Whole(segment("t", kind=kind, outcome=outcome, code=code))) == ring


def test_a_full_ring_forgets_its_oldest_and_counts_it(rings: Rings, segment: Any) -> None:
    """O-49."""
    for number in range(5):
        rings.put(Whole(segment(f"t{number}")))
    assert [draft.flow_id for draft in rings.newest_first()] == ["t4", "t3", "t2"]
    assert rings.rings[DELIVERED].lost == 2
    assert rings.newest("t1") is None and rings.newest("t2") is not None


def test_a_flows_drafts_are_told_apart_and_forgotten_one_by_one(rings: Rings, segment: Any) -> None:
    """Those of other rings stay when a ring forgets one, whichever it was."""
    refused = {"outcome": Outcome.REFUSED, "code": Code.PORT_CLOSED}
    drafts = [Whole(segment("t")), Whole(segment("t", **refused)), Whole(segment("t"))]
    for draft in drafts:
        rings.put(draft)
    assert list(rings.of("t")) == drafts[::-1]
    for number in range(2):
        rings.put(Whole(segment(f"r{number}", **refused)))
    assert list(rings.of("t")) == [drafts[2], drafts[0]], "the middle one was the oldest refused"
    for number in range(2):
        rings.put(Whole(segment(f"d{number}")))
    assert list(rings.of("t")) == [drafts[2]]
    rings.put(Whole(segment("d2")))
    assert list(rings.of("t")) == [] and rings.opener("t") is None


def test_a_draft_moves_to_the_ring_of_its_outcome(rings: Rings, segment: Any) -> None:
    draft = Whole(segment("t"))
    rings.put(draft)
    rings.place(draft)
    assert draft.ring is rings.rings[DELIVERED] and rings.serial == 1, "it lay there already"
    draft.outcome = Outcome.DROPPED
    rings.place(draft)
    assert draft.ring is rings.rings[REFUSED] and rings.newest("t") is draft
    assert len(rings.rings[DELIVERED].drafts) == 0


def test_the_opener_is_where_the_flow_began(rings: Rings, path: Any) -> None:
    drafts = [Whole(each) for each in path("balanced")]
    for draft in drafts:
        rings.put(draft)
    flow_id = drafts[0].flow_id
    assert rings.opener(flow_id) is drafts[0] and rings.newest(flow_id) is drafts[2]
