"""head and tail."""

import asyncio

import pytest

from node_agent.workloads.tools import ends
from node_agent.workloads.tools.process import Bytes, Captured

FILES = r"printf 'one\ntwo\nthree\nfour\nfive\n' > f; printf 'x y z\n\nlast' > g; "
SCRIPTS = [
    "head -n 2 f",
    "head -2 f",
    "head -n2 f",
    "head --lines=1 f",
    "head -c 5 f",
    "head -n -2 f",
    "head -c -4 f",
    "head f g",
    "head -q -n 1 f g",
    "head -v -n 1 f",
    "tail -n 2 f",
    "tail -1 f",
    "tail -n +3 f",
    "tail -c 4 f",
    "tail -c +3 f",
    "tail -n 1 f g",
    "tail -n 1 < f",
    "head nope",
    "tail nope",
    "head -n 0 f",
    "seq 100 | tail -n 3",
    "seq 100 | head",
    "yes | head -n 3",
    "head -n x f",
    "head -n 1k f | wc -l",
]


@pytest.mark.parametrize("script", SCRIPTS)
async def test_it_does_what_the_machines_own_does(same, script):
    await same(FILES + script)


async def test_tail_follows_a_file_that_grows(container):
    """Until it is ended."""
    container.put("/tmp/log", "a\n")
    out = Captured()
    run = asyncio.ensure_future(
        container.commands.run(["tail", "-f", "/tmp/log"], stdin=Bytes(), stdout=out, stderr=out)
    )
    async with asyncio.timeout(5):
        while out.text != "a\n":  # noqa: ASYNC110
            await asyncio.sleep(0)
    with (container.directory / "tmp/log").open("a") as log:
        log.write("b\n")
    async with asyncio.timeout(5):
        while out.text != "a\nb\n":  # noqa: ASYNC110
            await asyncio.sleep(0)
    run.cancel()
    await asyncio.wait([run])


async def test_the_last_lines_have_a_limit_in_bytes(container, monkeypatch):
    monkeypatch.setattr(ends, "MEMORY_BYTES_MAX", 1000)
    lines = b"x\n" * 200
    assert (await container.run("tail", "-n", "15", stdin=lines)).out == "x\n" * 15
    said = await container.run("tail", "-n", "16", stdin=lines)
    assert (said.code, said.err) == (1, "tail: Cannot allocate memory\n")
