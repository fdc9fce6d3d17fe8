"""Logs that are written, read and followed."""

import asyncio

from node_agent.kubelet.log_ring import LogQuery
from node_agent.kubelet.logs import ContainerLogs, RunLog


async def read(run, *, follow=False, **query):
    return [chunk async for chunk in run.read(LogQuery(**query), follow=follow)]


async def test_what_is_there_is_read_at_once(clock):
    run = RunLog(clock)
    print("one", file=run.stdout)
    print("two", file=run.stderr)
    assert b"".join(await read(run)) == b"one\ntwo\n"


async def test_a_follower_sees_lines_as_they_come_and_ends_with_the_run(clock, field):
    run = RunLog(clock)
    print("one", file=run.stdout)
    following = asyncio.create_task(read(run, follow=True))
    await field.turns()
    print("two", file=run.stdout)
    await field.turns()
    assert not following.done()
    run.end()
    assert await following == [b"one\n", b"two\n"]


async def test_a_limit_cuts_the_answer_even_within_a_line(clock):
    run = RunLog(clock)
    print("0123456789", file=run.stdout)
    assert await read(run, limit_bytes=4, follow=True) == [b"0123"]


async def test_bytes_written_beneath_are_text(clock):
    run = RunLog(clock)
    run.stdout.buffer.write(b"caf\xc3\xa9\n")
    assert run.text() == "café\n"
    assert not run.stdout.isatty()


async def test_the_run_before_is_kept_and_only_that(clock):
    logs = ContainerLogs(clock)
    for text in ("one", "two", "three"):
        print(text, file=logs.begin().stdout)
    assert logs.current.text() == "three\n"
    assert logs.previous.text() == "two\n"
