"""The rings of a process."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from cluster.dataplane.decision import Action, Code, Stage, Step
from cluster.errors import PoolExhausted
from cluster.trace import recorder as recorder_module
from cluster.trace.query import Query
from cluster.trace.record import ClientSaw, Outcome, Segment
from cluster.trace.recorder import Recorder
from cluster.wire.flow import FlowKind

TRAFFIC, DNS, PROBE = FlowKind.TRAFFIC, FlowKind.DNS, FlowKind.PROBE


@pytest.fixture
def recorder(clock: Any) -> Recorder:
    return Recorder("node-1", clock, dns_max=3, probes_max=2, delivered_max=4, refused_max=5)


def ids(segments: list[Segment]) -> list[str]:
    return [segment.flow_id for segment in segments]


def test_a_flow_is_found_by_its_id_newest_last(recorder: Recorder, segment: Any) -> None:
    for name in ("a", "b", "c"):
        recorder.record(segment(name))
    assert ids(recorder.find(Query(id="b"))) == ["b"]
    assert recorder.find(Query(id="z")) == []
    assert ids(recorder.find(Query())) == ["a", "b", "c"]
    assert ids(recorder.find(Query(limit=2))) == ["b", "c"]


@pytest.mark.parametrize(
    ("fields", "ring"),
    [
        ({"outcome": Outcome.DELIVERED}, "delivered"),
        ({"outcome": Outcome.PASSED}, "delivered"),
        ({"outcome": Outcome.REFUSED}, "refused"),
        ({"outcome": Outcome.DROPPED}, "refused"),
        ({"outcome": Outcome.DELIVERED, "kind": DNS}, "dns"),
        ({"outcome": Outcome.REFUSED, "kind": DNS, "code": Code.NXDOMAIN}, "dns"),
        ({"outcome": Outcome.DROPPED, "kind": DNS}, "refused"),
        ({"outcome": Outcome.REFUSED, "code": Code.NXDOMAIN}, "refused"),
        ({"outcome": Outcome.REFUSED, "kind": PROBE}, "probes"),
    ],
)
def test_each_kind_has_a_ring_of_its_own(
    recorder: Recorder, segment: Any, fields: dict[str, Any], ring: str
) -> None:
    recorder.record(segment("a", **fields))
    assert [name for name, held in recorder.held.items() if held] == [ring]


def test_a_busy_application_does_not_push_out_what_failed(recorder: Recorder, segment: Any) -> None:
    """O-49: what was forgotten is counted."""
    recorder.record(segment("denied", outcome=Outcome.DROPPED))
    for number in range(10):
        recorder.record(segment(f"t{number}"))
        recorder.record(segment(f"d{number}", kind=DNS))
        recorder.record(segment(f"p{number}", kind=PROBE))
    assert recorder.held == {"dns": 3, "probes": 2, "delivered": 4, "refused": 1}
    assert recorder.lost == {"dns": 7, "probes": 8, "delivered": 6, "refused": 0}
    assert ids(recorder.find(Query(id="denied"))) == ["denied"]
    assert recorder.find(Query(id="t0")) == []
    assert ids(recorder.find(Query(kind=TRAFFIC))) == ["denied", "t6", "t7", "t8", "t9"]
    assert recorder.recorded == 31


def test_an_update_replaces_the_stored_segment(recorder: Recorder, segment: Any) -> None:
    recorder.record(segment("a", client_saw=ClientSaw.UNKNOWN))
    assert recorder.update("a", client_saw=ClientSaw.RESET, ended=9.0, bytes_in=3)
    (found,) = recorder.find(Query(id="a"))
    assert (found.client_saw, found.ended, found.bytes_in) == (ClientSaw.RESET, 9.0, 3)
    assert not recorder.update("forgotten", ended=9.0)
    recorder.record(segment("b"))
    recorder.update("a", ended=10.0)
    assert ids(recorder.find(Query())) == ["a", "b"], "in the order they were decided"


def test_a_flow_that_fails_after_all_moves_to_the_failed(recorder: Recorder, segment: Any) -> None:
    recorder.record(segment("a", outcome=Outcome.PASSED))
    recorder.record(segment("b"))
    recorder.update("a", outcome=Outcome.DROPPED, code=Code.NODE_UNREACHABLE)
    assert recorder.held["delivered"] == 1 and recorder.held["refused"] == 1
    for number in range(8):
        recorder.record(segment(f"t{number}"))
    assert [each.outcome for each in recorder.find(Query(id="a"))] == [Outcome.DROPPED]
    assert recorder.find(Query(id="b")) == []
    assert recorder.update("a", client_saw=ClientSaw.TIMEOUT)


def test_a_flow_may_pass_a_process_twice(recorder: Recorder, path: Any) -> None:
    for each in path("balanced"):
        recorder.record(each)
    (first,) = path("balanced")[:1]
    assert [each.process for each in recorder.find(Query(id=first.flow_id))] == [
        "gateway",
        "node-1",
        "node-2",
    ]
    recorder.update(first.flow_id, ended=5.0)
    assert [each.ended for each in recorder.find(Query(id=first.flow_id))] == [None, None, 5.0]
    recorder.update(first.flow_id, opener=True, client_saw=ClientSaw.CONNECTED)
    seen = [each.client_saw for each in recorder.find(Query(id=first.flow_id))]
    assert seen == [ClientSaw.CONNECTED, ClientSaw.UNKNOWN, ClientSaw.UNKNOWN]
    for number in range(9):
        recorder.record(replace(first, flow_id=f"t{number}"))
    assert recorder.find(Query(id=first.flow_id)) == []


def test_forgetting_leaves_nothing_behind(recorder: Recorder, segment: Any) -> None:
    for number in range(1000):
        recorder.record(segment(f"t{number}"))
    assert sum(recorder.held.values()) == 4
    assert [recorder.update(f"t{number}", ended=1.0) for number in range(1000)].count(True) == 4


def test_what_ended_a_flow_after_its_decision_is_its_last_hop(
    recorder: Recorder, path: Any
) -> None:
    """O-2, O-11: numbered on, and of this process; too late is no harm."""
    (whole,) = path("datagrams")
    recorder.record(replace(whole, outcome=Outcome.PASSED, next_process="node-2"))
    flow = whole.flow
    step = Step(Stage.TUNNEL, Action.DROPPED, flow, flow, "lost", Code.NODE_UNREACHABLE)
    assert recorder.end(whole.flow_id, step, Outcome.DROPPED)
    (found,) = recorder.find(Query(id=whole.flow_id))
    assert found.hops[:-1] == whole.hops and found.hops[-1].step is step
    assert found.hops[-1].number == whole.hops[-1].number + 1
    assert found.hops[-1].process == recorder.process
    assert (found.outcome, found.code, found.reason) == (Outcome.DROPPED, step.code, "lost")
    assert found.next_process == "" and recorder.held["refused"] == 1
    assert not recorder.end("unknown", step, Outcome.DROPPED)


async def test_waiting_ends_when_something_matches(recorder: Recorder, segment: Any) -> None:
    waiting = asyncio.ensure_future(recorder.wait_for(Query(id="b"), 30))
    await asyncio.sleep(0)
    recorder.record(segment("a"))
    recorder.record(segment("b"))
    assert ids(await waiting) == ["b"]
    assert ids(await recorder.wait_for(Query(id="a"), 30)) == ["a"], "there already"


async def test_waiting_goes_on_until_the_program_has_seen_its_end(
    recorder: Recorder, path: Any
) -> None:
    """O-20."""
    dialled = replace(path("denied")[0], client_saw=ClientSaw.UNKNOWN)
    recorder.record(dialled)
    waiting = asyncio.ensure_future(recorder.wait_for(Query(id=dialled.flow_id), 30))
    await asyncio.sleep(0)
    assert not waiting.done()
    recorder.update(dialled.flow_id, client_saw=ClientSaw.TIMEOUT)
    assert [each.client_saw for each in await waiting] == [ClientSaw.TIMEOUT]


async def test_waiting_ends_at_its_time_with_what_there_is(recorder: Recorder, path: Any) -> None:
    assert await recorder.wait_for(Query(id="x"), 0.01) == []
    assert await recorder.wait_for(Query(id="x"), 0) == []
    dialled = replace(path("denied")[0], client_saw=ClientSaw.UNKNOWN)
    recorder.record(dialled)
    assert await recorder.wait_for(Query(), 0.01) == [dialled]


async def test_followers_are_bounded_and_leave(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder_module, "FOLLOWERS_MAX", 1)
    with recorder.follow(Query()), pytest.raises(PoolExhausted, match="node-1 has 1 followers"):
        recorder.follow(Query())
    with recorder.follow(Query()):
        pass


async def test_a_closed_recorder_ends_its_followers(recorder: Recorder) -> None:
    with recorder.follow(Query()) as follower:
        reading = asyncio.ensure_future(anext(follower, None))
        await asyncio.sleep(0)
        recorder.close()
        assert await reading is None


def test_what_is_noted_elsewhere_is_written_before_anybody_reads(
    recorder: Recorder, segment: Any
) -> None:
    """O-49: and what was forgotten before that is counted too."""
    noted = [segment("late", kind=DNS)]

    def write() -> None:
        while noted:
            recorder.record(noted.pop())

    end = recorder.before_reading(write)
    recorder.forgot("dns", 4)
    assert ids(recorder.find(Query())) == ["late"]
    assert (recorder.recorded, recorder.lost["dns"]) == (5, 4)
    noted.append(segment("later", kind=DNS))
    assert recorder.held["dns"] == 2
    end()
    noted.append(segment("never", kind=DNS))
    assert ids(recorder.find(Query())) == ["late", "later"]
