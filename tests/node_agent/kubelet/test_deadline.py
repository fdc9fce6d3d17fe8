"""Waiting with a limit: a time, or a signal."""

import asyncio

import pytest

from node_agent.kubelet.deadline import unless, within


async def test_what_ends_in_time(clock):
    event = asyncio.Event()
    event.set()
    assert await within(clock, 1, event.wait())


async def test_what_does_not_is_cancelled(clock, field):
    cancelled = []

    async def work():
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    waiting = asyncio.create_task(within(clock, 5, work()))
    await clock.advance(4)
    assert not waiting.done()
    await clock.advance(2)
    assert await waiting is False
    assert cancelled == [True]


async def test_errors_pass_through(clock):
    async def fail():
        raise LookupError("x")

    with pytest.raises(LookupError):
        await within(clock, 1, fail())


async def test_no_limit_waits_to_the_end(clock, field):
    event = asyncio.Event()
    waiting = asyncio.create_task(within(clock, None, event.wait()))
    await clock.advance(10_000)
    assert not waiting.done()
    event.set()
    assert await waiting is True


async def test_work_that_ends_before_the_signal_gives_its_result():
    async def work():
        return "done"

    assert await unless(asyncio.Event().wait(), work()) == "done"


async def test_a_signal_cancels_the_work():
    stop, ended = asyncio.Event(), []

    async def work():
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    waiting = asyncio.create_task(unless(stop.wait(), work()))
    await asyncio.sleep(0)
    stop.set()
    assert await waiting is None
    assert ended == [True]


async def test_errors_of_the_work_pass_through():
    async def fail():
        raise LookupError("x")

    with pytest.raises(LookupError):
        await unless(asyncio.Event().wait(), fail())
