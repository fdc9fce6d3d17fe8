"""Waiting for something, but only so long, by the clock that was handed in."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from cluster.aio.clock import Clock


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
