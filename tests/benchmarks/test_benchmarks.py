"""That the benchmarks run; what they measure is for people to read."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks import bulk, client, document, goals, pods
from tests.benchmarks.__main__ import PARTS
from tests.benchmarks.table import Table

ROOT = Path(__file__).resolve().parent.parent.parent


SECONDS = 120
ENDING_SECONDS = 30
# What each part puts into the document: the beginnings of lines.
WRITTEN = {
    "paths": (
        "### Memory of 1,000 idle connections",
        "### Keep-alive requests, 4 clients",
        "### New connections, one for each request, 4 clients, minimal pod",
        "### Where the CPU time of a new connection is spent",
        "### New connections, one for each request, 4 clients, aiohttp pod",
        "### Bulk upload, 2 connections",
        "### Bulk download, 2 connections",
        "### Connect and first reply",
        "### From pod to Service to pod",
        "| kubehop, relays only |",
        "| lost, reset or misdelivered in any of these | <= 0 | <= 0 | 0.00 |",
    ),
    "datagrams": (
        "### Datagrams of 64 bytes, 128 in flight",
        "### A datagram there and back",
    ),
    "names": ("### A name, one question after the other",),
    "start": ("### Start of 1 nodes", "| first 200 |"),
    "memory": ("### Memory with 1 node", "| control |", "| a node, mean of 1 |"),
    "many": ("| 2 nodes, 4 pods |",),
    "decisions": ("### Decisions and records",),
    "api": ("### The API server", "| list of 20 pods |"),
    "relays": (
        "### Bare relays, 3 in a row: keep-alive requests, 4 clients",
        "### Bare relays, 3 in a row: bulk download",
    ),
}


def test_each_part_of_the_benchmarks_is_expected_to_run() -> None:
    assert set(WRITTEN) == set(PARTS)


@pytest.mark.parametrize("part", WRITTEN)
def test_a_part_runs_and_is_written_down(part: str, tmp_path: Path) -> None:
    document = tmp_path / "benchmarks.md"
    output = (tmp_path / "output").open("w+")
    command = [sys.executable, "-m", "tests.benchmarks", "--smoke", "--only", part]
    with (
        output,
        subprocess.Popen(
            [*command, "-o", str(document)], cwd=ROOT, stdout=output, stderr=output
        ) as running,
    ):
        try:
            status = running.wait(SECONDS)
        except subprocess.TimeoutExpired:
            running.terminate()  # it ends what it has started
            status = running.wait(ENDING_SECONDS)
        output.seek(0)
        said = output.read()
    assert status == 0, said
    text = document.read_text()
    for line in WRITTEN[part]:
        assert f"\n{line}" in text, (line, said)
    assert "\n## Goals" in text and "\n## How it is measured" in text


def test_a_goal_is_reached_by_its_figure_alone() -> None:
    more = goals.Goal("faster", "speed", 0.9, 1.2)
    assert [more.reached(at) for at in (0.89, 0.9, 1.2)] == ["**no**", "yes", "yes, and the aim"]
    less = goals.Goal("smaller", "size", 8, 4, less_is_better=True)
    assert [less.reached(at) for at in (8.1, 8, 4)] == ["**no**", "yes", "yes, and the aim"]
    rows = goals.table({"keep-alive 32: kubehop / direct": 0.95}).rows
    assert rows[0][-2:] == ("0.95", "yes")
    assert rows[1][-2:] == ("not measured", "")


def test_whatever_was_lost_anywhere_is_added_up() -> None:
    first = Table("a", ("x",), figures={"a: kubehop, lost": 2})
    second = Table("b", ("x",), figures={"b: kubehop, lost": 1, "b: kubehop / direct": 1.0})
    assert goals.gathered([first, second])["lost"] == 3
    assert "lost" not in goals.gathered([])


def test_the_document_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "benchmarks.md"
    path.write_text("old")
    table = Table("Result", ("way", "a second"))
    table.add("direct", "1")
    document.write(path, {"processor": "none"}, [table])
    text = path.read_text()
    assert "- processor: none\n" in text and "### Result\n\n| way | a second |" in text
    assert [each.name for each in tmp_path.iterdir()] == ["benchmarks.md"]


async def test_our_own_client_counts_answers_and_what_was_lost() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(pods.Minimal, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    for keep in (True, False):
        asked = await client.ask("127.0.0.1", port, 2, 0.05, keep)
        assert asked.requests > 0 and asked.lost == 0 and asked.p99 >= asked.p50 > 0
    server.close()
    await server.wait_closed()
    refused = await client.ask("127.0.0.1", port, 1, 0.0)
    assert (refused.lost, refused.requests) == (1, 0)


@pytest.mark.parametrize(("way", "protocol"), [("up", pods.Sink), ("down", pods.Source)])
async def test_bytes_that_were_moved_are_counted_at_both_ends(
    way: str, protocol: type[asyncio.BaseProtocol]
) -> None:
    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0)
    address = server.sockets[0].getsockname()
    moved = await asyncio.to_thread(bulk.move, way, address, 2, 0.05)
    assert moved.size > 0 and moved.lost == 0
    server.close()
    await server.wait_closed()
