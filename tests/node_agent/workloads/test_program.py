"""One run of a container's program: its tasks, its signals, its end."""

import asyncio
import gc
import signal
import sys
from types import SimpleNamespace

import pytest

from node_agent.workloads.program import exit_code_of, explanation


def module(run):
    return SimpleNamespace(run=run)


async def test_the_result_is_the_exit_code(pods):
    async def run(ctx):
        return 7

    assert await pods.start(module(run)).exit_code() == 7


async def test_a_program_that_only_waits_is_not_collected(pods):
    """The loop holds tasks weakly, and nobody else knows what this one waits for."""

    async def run(ctx):
        print("waiting", file=ctx.stdout)
        await asyncio.get_running_loop().create_future()

    started = pods.start(module(run))
    await started.said("waiting")
    gc.collect()
    await asyncio.sleep(0)
    assert not started.program.exited and "destroyed" not in started.log.text()


async def test_an_exception_is_exit_code_1_and_the_traceback_is_log_and_failure(pods):
    async def run(ctx):
        raise ValueError("no such cart")

    started = pods.start(module(run))
    assert await started.exit_code() == 1
    text = started.log.text()
    assert text.startswith("Traceback (most recent call last):\n")
    assert text.endswith("ValueError: no such cart\n")
    assert started.program.failure == text


async def test_a_traceback_shows_the_programs_frames_and_none_of_ours(pods):
    async def run(ctx):
        try:
            {}["key"]
        except KeyError as error:
            raise ValueError("wrapped") from error

    started = pods.start(module(run))
    await started.exit_code()
    frames = [line for line in started.log.text().splitlines() if line.startswith("  File")]
    assert len(frames) == 2
    assert all("test_program.py" in frame for frame in frames)


@pytest.mark.parametrize(
    ("end", "code"),
    [
        (SystemExit(), 0),
        (SystemExit(3), 3),
        (SystemExit(259), 3),
        (SystemExit("text"), 1),
        (KeyboardInterrupt(), 130),
        (RuntimeError(), 1),
    ],
)
def test_what_a_process_would_exit_with(end, code):
    assert exit_code_of(end) == code


async def test_system_exit_ends_the_container_and_nothing_else(pods):
    async def run(ctx):
        sys.exit("cannot go on")

    started = pods.start(module(run))
    assert await started.exit_code() == 1
    assert started.log.text() == started.program.failure == "cannot go on\n"


async def test_system_exit_in_a_task_of_the_program_ends_the_container(pods):
    async def run(ctx):
        async def worker():
            sys.exit(4)

        await asyncio.gather(asyncio.create_task(worker()), asyncio.Event().wait())

    assert await pods.start(module(run)).exit_code() == 4


async def test_with_the_program_all_its_tasks_end(pods):
    ended = []

    async def background():
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    async def run(ctx):
        ctx.task = asyncio.create_task(background())
        await asyncio.sleep(0)
        return 0

    started = pods.start(module(lambda ctx: run(SimpleNamespace())))
    assert await started.exit_code() == 0
    assert ended == [True]


async def test_sigterm_ends_a_program_that_does_not_catch_it(pods):
    async def run(ctx):
        await asyncio.Event().wait()

    started = pods.start(module(run))
    await asyncio.sleep(0)
    started.program.signal(signal.SIGTERM)
    assert await started.exit_code() == 128 + signal.SIGTERM


async def test_sigterm_reaches_the_programs_own_handler(pods):
    async def run(ctx):
        stopping = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
        await stopping.wait()
        return 9

    started = pods.start(module(run))
    await asyncio.sleep(0)
    started.program.signal(signal.SIGTERM)
    assert await started.exit_code() == 9


async def test_a_handler_that_fails_is_told_and_the_program_goes_on(pods):
    async def run(ctx):
        def broken():
            raise ValueError("in the handler")

        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, broken)
        await asyncio.Event().wait()

    started = pods.start(module(run))
    await asyncio.sleep(0)
    started.program.signal(signal.SIGTERM)
    assert "ValueError: in the handler" in started.log.text()
    assert not started.program.exited


async def test_a_handler_may_exit(pods):
    async def run(ctx):
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, sys.exit, 5)
        await asyncio.Event().wait()

    started = pods.start(module(run))
    await asyncio.sleep(0)
    started.program.signal(signal.SIGTERM)
    assert await started.exit_code() == 5


async def test_sigkill_asks_nothing(pods):
    """P-58: exit code 137."""

    async def run(ctx):
        await ctx.until_terminated()
        await asyncio.Event().wait()

    started = pods.start(module(run))
    await asyncio.sleep(0)
    started.program.signal(signal.SIGTERM)
    assert not started.program.exited
    started.program.kill()
    assert await started.exit_code() == 137


async def test_the_first_exit_code_counts(pods):
    async def run(ctx):
        return 0

    started = pods.start(module(run))
    await started.exit_code()
    started.program.kill()
    assert await started.exit_code() == 0


async def test_a_program_that_cancels_itself_has_failed(pods):
    async def run(ctx):
        raise asyncio.CancelledError

    assert await pods.start(module(run)).exit_code() == 1


def test_an_error_without_frames_is_explained_too():
    assert explanation(ValueError("bare")) == "ValueError: bare\n"
