"""Waiting for something, but only so long: by the clock that was handed in, or until a signal."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from cluster.aio.clock import Clock

Result = TypeVar("Result")


async def within(clock: Clock, seconds: float | None, wait: Coroutine[Any, Any, Any]) -> bool:
    """Whether `wait` ended in time; it is cancelled when it did not. None waits without limit."""
    if seconds is None:
        await wait
        return True
    waiting = asyncio.ensure_future(wait)
    sleeping = asyncio.ensure_future(clock.sleep(max(0.0, seconds)))
    try:
        await asyncio.wait({waiting, sleeping}, return_when=asyncio.FIRST_COMPLETED)
        if waiting.done():
            waiting.result()
            return True
        return False
    finally:
        for task in (waiting, sleeping):
            task.cancel()
        await asyncio.gather(waiting, sleeping, return_exceptions=True)


async def unless(
    stop: Coroutine[Any, Any, Any], work: Coroutine[Any, Any, Result]
) -> Result | None:
    """The result of `work`; None when `stop` ended first, and then `work` is cancelled."""
    working, stopped = asyncio.ensure_future(work), asyncio.ensure_future(stop)
    try:
        await asyncio.wait({working, stopped}, return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        for task in (working, stopped):
            task.cancel()
        await asyncio.gather(working, stopped, return_exceptions=True)
