"""Background tasks that nobody can lose."""

import asyncio
import contextvars
import logging

import pytest

from cluster.aio.tasks import BACKOFF_FIRST_SECONDS, BACKOFF_LIMIT_SECONDS, Tasks


class Clock:
    """Each piece of work takes `work_seconds`; pauses take no time, and are noted."""

    scale = 1.0

    def __init__(self, work_seconds: float = 0.0) -> None:
        self.pauses: list[float] = []
        self._work_seconds = work_seconds
        self._time = 0.0

    def now(self) -> float:
        return self._time

    def monotonic(self) -> float:
        self._time += self._work_seconds
        return self._time

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        await asyncio.sleep(0)


async def test_a_task_runs_under_its_name_and_is_forgotten_when_it_ends():
    tasks = Tasks(Clock())
    names: list[str] = []

    async def work() -> None:
        names.append(asyncio.current_task().get_name())  # type: ignore[union-attr]

    task = tasks.start(work(), name="watch pods")
    assert len(tasks) == 1
    await task
    await asyncio.sleep(0)
    assert names == ["watch pods"]
    assert len(tasks) == 0


async def test_a_task_can_run_in_a_context_of_its_own():
    place: contextvars.ContextVar[str] = contextvars.ContextVar("place")
    context = contextvars.copy_context()
    context.run(place.set, "pod")

    async def work() -> str:
        return place.get("nowhere")

    tasks = Tasks(Clock())
    assert await tasks.start(work(), name="a", context=context) == "pod"
    assert await tasks.start(work(), name="b") == "nowhere"


async def test_a_task_that_fails_is_logged_with_its_traceback(caplog: pytest.LogCaptureFixture):
    async def work() -> None:
        raise ZeroDivisionError

    tasks = Tasks(Clock())
    with pytest.raises(ZeroDivisionError):
        await tasks.start(work(), name="watch pods")
    await asyncio.sleep(0)
    (record,) = caplog.records
    assert (record.levelno, record.getMessage()) == (logging.ERROR, "task failed task=watch pods")
    assert record.exc_info is not None
    assert record.exc_info[0] is ZeroDivisionError


async def test_the_end_is_the_end_of_all_of_them(caplog: pytest.LogCaptureFixture):
    ended: list[str] = []

    async def work(name: str) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(name)

    tasks = Tasks(Clock())
    for name in ("a", "b"):
        tasks.start(work(name), name=name)
    await asyncio.sleep(0)
    await tasks.close()
    await tasks.close()
    assert sorted(ended) == ["a", "b"]
    assert len(tasks) == 0
    assert caplog.records == []


async def test_nothing_starts_after_the_end():
    tasks = Tasks(Clock())
    await tasks.close()

    async def work() -> None: ...

    with pytest.raises(RuntimeError, match="task late started after its component closed"):
        tasks.start(work(), name="late")


async def test_a_task_may_end_its_own_component():
    tasks = Tasks(Clock())
    task = tasks.start(tasks.close(), name="closes")
    await task
    assert not task.cancelled()


def failing(times: int):
    left = iter(range(times))

    async def work() -> None:
        if next(left, None) is not None:
            raise ConnectionError("the link is gone")

    return work


async def test_supervised_work_is_done_again_after_growing_pauses(
    caplog: pytest.LogCaptureFixture,
):
    clock = Clock()
    await Tasks(clock).supervise(failing(9), name="watch pods")
    doubled = [BACKOFF_FIRST_SECONDS * 2**n for n in range(9)]
    assert clock.pauses == [min(each, BACKOFF_LIMIT_SECONDS) for each in doubled]
    assert clock.pauses[-1] == BACKOFF_LIMIT_SECONDS
    assert caplog.records[0].getMessage() == "task failed task=watch pods retry_seconds=0.1"


async def test_work_that_lived_for_a_while_is_not_punished_for_what_was_long_ago():
    clock = Clock(work_seconds=BACKOFF_LIMIT_SECONDS + 1)
    await Tasks(clock).supervise(failing(4), name="watch pods")
    assert clock.pauses == [BACKOFF_FIRST_SECONDS] * 4


async def test_supervised_work_that_ends_well_is_over():
    clock = Clock()
    await Tasks(clock).supervise(failing(0), name="once")
    assert clock.pauses == []


async def test_supervised_work_is_cancelled_like_any_other():
    async def work() -> None:
        await asyncio.Event().wait()

    tasks = Tasks(Clock())
    task = tasks.supervise(work, name="watch pods")
    await asyncio.sleep(0)
    await tasks.close()
    assert task.cancelled()
