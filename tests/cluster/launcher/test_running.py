"""Finding running clusters, and giving them orders."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import pytest

from cluster.errors import ClusterError, ConfigError
from cluster.launcher import running as module
from cluster.launcher.places import Places
from cluster.launcher.record import write_record
from cluster.launcher.running import Running, find, list_running
from cluster.launcher.sweep import lock

Answer = Callable[[dict[str, object]], Awaitable[dict[str, object] | None]]
RECORD = {"name": "demo", "nodes": ["node-1"], "processes": [{"name": "control"}]}


@pytest.fixture
def lives(places: Places) -> Iterator[Places]:
    """A launcher that holds its lock and has written its record."""
    held = lock(places)
    write_record(places.cluster_file, RECORD)
    yield places
    os.close(held)


@pytest.fixture
async def answering(lives: Places) -> AsyncIterator[list[Answer]]:
    """A launcher's socket; the test says how it answers."""
    answers: list[Answer] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answer = await answers[0](json.loads(await reader.readline()))
        if answer is not None:
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()
        writer.close()

    async with await asyncio.start_unix_server(serve, str(lives.launcher_socket)):
        yield answers


def says(answer: dict[str, object] | None) -> Answer:
    async def say(_: dict[str, object]) -> dict[str, object] | None:
        return answer

    return say


def test_a_running_cluster_is_found_with_what_it_wrote(lives: Places):
    found = find("demo")
    assert (found.name, found.run_dir, found.kubeconfig) == (
        "demo",
        lives.run_dir,
        lives.kubeconfig,
    )
    assert (found.nodes, found.processes) == (["node-1"], [{"name": "control"}])


def test_what_a_dead_launcher_left_is_no_cluster(places: Places):
    write_record(places.cluster_file, RECORD)
    with pytest.raises(ConfigError, match=r"no cluster 'demo' runs: .*`kubehop up --name demo`$"):
        find("demo")


def test_a_launcher_that_has_not_written_yet_is_not_found(places: Places):
    held = lock(places)
    with pytest.raises(ConfigError, match=r"no cluster 'demo' runs"):
        find("demo")
    os.close(held)


def test_who_asks_for_one_that_does_not_run_hears_which_do(lives: Places):
    with pytest.raises(
        ConfigError, match=r"no cluster 'default' runs: .*`kubehop up`; running: demo \(--name\)"
    ):
        find()


def test_the_running_ones_are_listed_and_others_are_not(lives: Places):
    Places.of("gone").make()
    assert [each.name for each in list_running()] == ["demo"]


def test_where_nothing_ever_ran_nothing_is_listed(places: Places):
    places.run_dir.rmdir()
    places.run_dir.parent.rmdir()
    assert list_running() == []


async def test_an_order_is_answered(answering: list[Answer]):
    async def echo(order: dict[str, object]) -> dict[str, object]:
        return {"ok": order}

    answering.append(echo)
    assert await find("demo").call("kill", name="dns") == {"verb": "kill", "name": "dns"}


@pytest.mark.parametrize(("misused", "kind"), [(True, ConfigError), (False, ClusterError)])
async def test_an_error_is_the_callers_fault_or_the_clusters(
    answering: list[Answer], misused: bool, kind: type[Exception]
):
    answering.append(says({"error": "it is so", "misused": misused}))
    with pytest.raises(ClusterError, match=r"it is so") as caught:
        await find("demo").call("status")
    assert type(caught.value) is kind


async def test_a_launcher_that_ends_meanwhile_is_an_error(answering: list[Answer]):
    answering.append(says(None))
    with pytest.raises(ClusterError, match=r"the launcher of 'demo' ended when asked: status"):
        await find("demo").call("status")


async def test_a_cluster_that_went_since_it_was_found_does_not_run(lives: Places):
    with pytest.raises(ConfigError, match=r"no cluster 'demo' runs"):
        await find("demo").call("status")


@pytest.fixture
def launcher() -> Iterator["subprocess.Popen[bytes]"]:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


async def test_down_waits_for_the_end_of_the_launchers_process(
    answering: list[Answer], launcher: "subprocess.Popen[bytes]"
):
    answering.append(says({"ok": None}))  # and then the connection ends: the process does not
    record = {**RECORD, "launcher": {"pid": launcher.pid, "start": "1"}}
    down = asyncio.ensure_future(Running("demo", find("demo").places, record).down(keep=True))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(down), 0.1)
    launcher.kill()
    await down


async def test_a_launcher_that_does_not_end_is_named(
    answering: list[Answer], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "GONE_SECONDS", 0.1)
    answering.append(says({"ok": None}))
    record = {**RECORD, "launcher": {"pid": os.getpid(), "start": "1"}}
    with pytest.raises(
        ClusterError, match=f"not down after 0.1 s; its launcher is .*{os.getpid()}"
    ):
        await Running("demo", find("demo").places, record).down()


async def test_a_launcher_that_has_ended_already_is_not_waited_for(answering: list[Answer]):
    answering.append(says({"ok": None}))
    await Running("demo", find("demo").places, RECORD).down()
