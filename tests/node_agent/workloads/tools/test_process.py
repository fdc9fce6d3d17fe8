"""Streams and processes."""

import asyncio

import pytest

from node_agent.workloads.tools import process as module
from node_agent.workloads.tools.process import Bytes, Captured, Pipe, ProcessTable


async def test_lines_and_pieces_of_one_input():
    source = Bytes(b"one\ntwo\nthree")
    assert await source.readline() == b"one\n"
    assert await source.read(2) == b"tw"
    assert await source.readline() == b"o\n"
    assert await source.readline() == b"three"
    assert (await source.readline(), await source.read()) == (b"", b"")


async def test_a_line_may_come_in_parts():
    pipe = Pipe()
    line = asyncio.ensure_future(pipe.readline())
    for part in (b"a", b"b", b"c\nd"):
        await pipe.write(part)
        await asyncio.sleep(0)
    assert await line == b"abc\n"
    pipe.close_write()
    assert await pipe.readline() == b"d"


async def test_a_line_without_end_comes_in_parts_of_a_limit(monkeypatch):
    monkeypatch.setattr(module, "LINE_BYTES_MAX", 10)
    assert await Bytes(b"x" * 25).readline() == b"x" * 25
    pipe = Pipe()
    for _ in range(3):
        await pipe.write(b"x" * 6)
    assert await pipe.readline() == b"x" * 12


async def test_a_pipe_holds_so_much_and_then_the_writer_waits():
    pipe = Pipe()
    data = b"x" * (3 * module.PIPE_BYTES_MAX)
    writing = asyncio.ensure_future(pipe.write(data))
    for _ in range(10):
        await asyncio.sleep(0)
    assert not writing.done()
    got = 0
    while got < len(data):
        got += len(await pipe.read())
        await asyncio.sleep(0)
    await writing


async def test_a_writer_hears_that_its_reader_is_gone():
    pipe = Pipe()
    writing = asyncio.ensure_future(pipe.write(b"x" * (2 * module.PIPE_BYTES_MAX)))
    await asyncio.sleep(0)
    pipe.close_read()
    with pytest.raises(BrokenPipeError):
        await writing


async def test_captured_output_has_a_limit():
    out = Captured(5)
    await out.write(b"abc")
    await out.write(b"defgh")
    assert out.text == "abcde"


async def test_a_process_has_a_number_until_it_ends(container):
    table = ProcessTable()
    first = await container.commands.process(
        ["a"], stdin=Bytes(), stdout=Captured(), stderr=Captured()
    )
    second = first.fork(["b"], directory="/tmp")
    task = asyncio.ensure_future(asyncio.sleep(0))
    table.enter(first, task, 1.0)
    table.enter(second, task, 2.0)
    assert (first.pid, second.pid, second.parent, second.directory) == (2, 3, 0, "/tmp")
    assert table.find(3) is second and table.all() == [first, second]
    table.leave(first)
    assert table.find(2) is None
    await task


async def test_too_many_processes_are_refused(container, monkeypatch):
    monkeypatch.setattr(module, "PROCESSES_MAX", 4)
    result = await container.sh("for i in 1 2 3 4 5 6; do sleep 100 & done; echo never")
    assert "Resource temporarily unavailable" in result.err
    assert result.code != 0
    for each in container.commands.table.all():
        each.signal(9)


async def test_signals_end_a_process_unless_it_ignores_them(container):
    process = await container.commands.process(
        ["x"], stdin=Bytes(), stdout=Captured(), stderr=Captured()
    )
    heard = []
    process.ignored = frozenset({1})
    process.handlers[15] = heard.append
    for number in (0, 1, 17, 18, 28, 15):
        process.signal(number)
    assert (process.signalled, heard) == (0, [15])
    process.signal(9)
    assert process.signalled == 9
