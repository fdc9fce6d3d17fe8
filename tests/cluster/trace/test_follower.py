"""Following what is recorded."""

import asyncio
from typing import Any

import pytest

from cluster.trace import follower as follower_module
from cluster.trace.query import Query
from cluster.trace.record import ClientSaw, Outcome
from cluster.trace.recorder import Recorder


@pytest.fixture
def recorder(clock: Any) -> Recorder:
    return Recorder("node-1", clock)


async def test_what_matches_comes_in_order_and_again_when_it_is_updated(
    recorder: Recorder, segment: Any
) -> None:
    recorder.record(segment("before"))
    with recorder.follow(Query(outcome=Outcome.DELIVERED)) as follower:
        recorder.record(segment("a"))
        recorder.record(segment("b", outcome=Outcome.DROPPED))
        recorder.record(segment("c"))
        recorder.update("a", client_saw=ClientSaw.RESET)
        seen = [await anext(follower) for _ in range(3)]
    assert [each.flow_id for each in seen] == ["a", "c", "a"]
    assert seen[2].client_saw is ClientSaw.RESET


async def test_a_reader_waits_for_what_comes(recorder: Recorder, segment: Any) -> None:
    with recorder.follow(Query()) as follower:
        waiting = asyncio.ensure_future(follower.batch())
        await asyncio.sleep(0)
        assert not waiting.done()
        recorder.record(segment("a"))
        recorder.record(segment("b"))
        assert [each.flow_id for each in await waiting] == ["a", "b"]


async def test_a_slow_reader_loses_the_oldest_and_knows_how_many(
    recorder: Recorder, segment: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """O-49."""
    monkeypatch.setattr(follower_module, "FOLLOWER_QUEUE_MAX", 2)
    with recorder.follow(Query()) as follower:
        for name in "abcde":
            recorder.record(segment(name))
        assert [each.flow_id for each in await follower.batch()] == ["d", "e"]
        assert follower.lost == 3


async def test_a_closed_follower_gives_what_it_has_and_ends(
    recorder: Recorder, segment: Any
) -> None:
    follower = recorder.follow(Query())
    recorder.record(segment("a"))
    follower.close()
    recorder.record(segment("b"))
    assert [each.flow_id async for each in follower] == ["a"]
    assert await follower.batch() == []
