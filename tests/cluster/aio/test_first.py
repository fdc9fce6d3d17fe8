"""Of several works the first to end decides; the others are over when it is told."""

import asyncio

import pytest

from cluster.aio.first import first_of


async def test_the_others_are_cancelled_and_over_when_the_first_is_done():
    over = []

    async def long():
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            await asyncio.sleep(0)
            over.append("long")

    async def short():
        await asyncio.sleep(0)

    await first_of(long(), short())
    assert over == ["long"]


async def test_what_the_first_raises_is_raised_as_it_is():
    async def fails():
        raise BrokenPipeError("gone")

    with pytest.raises(BrokenPipeError, match="gone"):
        await first_of(asyncio.sleep(3600), fails())


async def test_a_failure_while_being_cancelled_is_not_swallowed():
    async def fails_late():
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            raise ValueError("at the end")

    with pytest.raises(ValueError, match="at the end"):
        await first_of(fails_late(), asyncio.sleep(0))


async def test_a_cancelled_caller_cancels_all():
    over = asyncio.Event()

    async def long():
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            over.set()

    task = asyncio.create_task(first_of(long()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert over.is_set()
