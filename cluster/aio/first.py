"""Several works at once, until the first of them is done."""

import asyncio
from collections.abc import Coroutine
from typing import Any


async def first_of(*works: Coroutine[Any, Any, object]) -> None:
    """Return when one work is done, or raise what it raised; the others are cancelled by then."""
    loop = asyncio.get_running_loop()
    tasks = [loop.create_task(work, name=f"first of {len(works)}") for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    failures = [failure for task in tasks if not task.cancelled() and (failure := task.exception())]
    for task in tasks:
        if task in done:
            task.result()
    if failures:  # of one that failed while it was cancelled
        raise failures[0]
