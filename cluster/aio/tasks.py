"""Background tasks that nobody can lose: named, held, their failures logged, ended together."""

import asyncio
import contextvars
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from cluster.aio.clock import Clock

log = logging.getLogger(__name__)

BACKOFF_FIRST_SECONDS = 0.1
BACKOFF_LIMIT_SECONDS = 10.0


class Tasks:
    """The background tasks of one component; `close()` cancels and awaits them all.

    A task that fails is logged with its traceback and forgotten; `supervise` starts it again.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._running: set[asyncio.Task[Any]] = set()
        self._closed = False

    def start(
        self,
        work: Coroutine[Any, Any, Any],
        *,
        name: str,
        context: contextvars.Context | None = None,
    ) -> asyncio.Task[Any]:
        """Run `work` in the background under a name that shows up in logs."""
        if self._closed:
            work.close()
            raise RuntimeError(f"task {name} started after its component closed")
        task = asyncio.get_running_loop().create_task(work, name=name, context=context)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    def supervise(
        self, work: Callable[[], Coroutine[Any, Any, None]], *, name: str
    ) -> asyncio.Task[Any]:
        """Run `work()` again with growing pauses whenever it fails; its normal end is its end."""
        return self.start(self._again(work, name), name=name)

    async def close(self) -> None:
        """Cancel everything and wait until it has ended; safe to call twice."""
        self._closed = True
        running = [task for task in self._running if task is not asyncio.current_task()]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def __len__(self) -> int:
        return len(self._running)

    async def _again(self, work: Callable[[], Coroutine[Any, Any, None]], name: str) -> None:
        pause = BACKOFF_FIRST_SECONDS
        while True:
            started = self._clock.monotonic()
            try:
                return await work()
            except Exception:
                log.exception("task failed task=%s retry_seconds=%.1f", name, pause)
            if self._clock.monotonic() - started > BACKOFF_LIMIT_SECONDS:
                pause = BACKOFF_FIRST_SECONDS
            await self._clock.sleep(pause)
            pause = min(pause * 2, BACKOFF_LIMIT_SECONDS)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("task failed task=%s", task.get_name(), exc_info=task.exception())
