"""The work queue: once each, one worker each, later when told."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from cluster.aio.tasks import Tasks
from cluster.objects.resources import PODS
from control.controllers.queue import RETRY_LIMIT_SECONDS, WorkQueue
from control.controllers.view import Key

A, B = Key(PODS, "default", "a"), Key(PODS, "default", "b")


@pytest.fixture
async def queue(clock: Any) -> AsyncIterator[WorkQueue]:
    tasks = Tasks(clock)
    yield WorkQueue(clock, tasks, name="test")
    await tasks.close()


async def turns(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_a_key_waits_once(queue: WorkQueue) -> None:
    for key in (A, B, A):
        queue.add(key)
    assert [await queue.take(), await queue.take()] == [A, B]
    assert len(queue) == 2  # both are with a worker


async def test_a_key_with_a_worker_comes_back_when_that_one_is_done(queue: WorkQueue) -> None:
    queue.add(A)
    assert await queue.take() == A
    queue.add(A)
    other = asyncio.ensure_future(queue.take())
    await turns()
    assert not other.done()
    queue.done(A)
    assert await other == A


async def test_a_worker_waits_for_the_first_key(queue: WorkQueue) -> None:
    worker = asyncio.ensure_future(queue.take())
    await turns()
    queue.add(A)
    assert await worker == A


async def test_of_two_dates_the_earlier_stands(queue: WorkQueue, clock: Any) -> None:
    queue.add_after(A, 50)
    queue.add_after(A, 10)
    queue.add_after(A, 90)
    await turns()
    clock.advance(9)
    await turns()
    assert len(queue) == 0
    clock.advance(1)
    await turns()
    assert len(queue) == 1
    await queue.take()
    clock.advance(100)
    await turns()
    queue.done(A)
    assert len(queue) == 0


async def test_pauses_double_up_to_a_limit_and_start_over(queue: WorkQueue) -> None:
    pauses = [queue.retry(A) for _ in range(40)]
    assert pauses[:3] == [0.005, 0.01, 0.02]
    assert pauses[-1] == RETRY_LIMIT_SECONDS
    queue.forget(A)
    assert queue.retry(A) == 0.005
