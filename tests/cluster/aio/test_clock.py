"""The machine's clock."""

import asyncio
import time

from cluster.aio.clock import SystemClock


def test_a_clock_without_a_word_is_real_time():
    assert SystemClock().scale == 1.0
    assert SystemClock(0.1).scale == 0.1


def test_records_are_stamped_with_the_time_of_day():
    before = time.time()
    now = SystemClock().now()
    assert before <= now <= time.time()


def test_deadlines_are_of_a_clock_that_never_goes_back():
    before = time.monotonic()
    now = SystemClock().monotonic()
    assert before <= now <= time.monotonic()


async def test_sleeping_is_the_loops_and_not_scaled_again(monkeypatch):
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    await SystemClock(0.5).sleep(3.0)
    assert slept == [3.0]
