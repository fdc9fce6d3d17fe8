"""The launcher's own loop: what it reports, what ends it, with which status."""

import asyncio
import json
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cluster.errors import ClusterError, ConfigError
from cluster.launcher import daemon
from cluster.launcher.places import Places
from cluster.launcher.progress import Progress, ProgressState
from cluster.launcher.spec import ClusterSpec


class Cluster:
    """Starts as the test says, and notes how it is stopped."""

    refuses: Exception | None = None
    fails: Exception | None = None
    hangs = False
    made: "Cluster"
    begun: asyncio.Event

    def __init__(self, spec: ClusterSpec, places: Places, zygote: object) -> None:
        type(self).made = self
        self.places = places
        self.supervisor = SimpleNamespace(zygote_gone=asyncio.Event())
        self.stopped: dict[str, bool] | None = None
        if self.refuses:
            raise self.refuses

    async def start(self, tell: Callable[[Progress], None]) -> None:
        tell(Progress("control", ProgressState.READY, 0.12345, "https://127.64.0.254:6443"))
        self.begun.set()
        if self.fails:
            raise self.fails
        if self.hangs:
            await asyncio.Event().wait()

    def record(self) -> None:
        pass

    async def stop(self, **how: bool) -> None:
        self.stopped = how


class Launcher:
    """A daemon that runs as a task, and the pipe it reports to."""

    def __init__(self, begun: asyncio.Event) -> None:
        self.begun = begun
        self.reading, writing = os.pipe()
        os.set_blocking(self.reading, False)
        self.zygote, self.far = socket.socketpair()
        spec = ClusterSpec(name="demo")
        self.task = asyncio.ensure_future(daemon._Daemon(spec, self.zygote, writing).serve())
        self._buffer = b""

    async def reports(self) -> list[dict[str, Any]]:
        """Everything until the pipe ends."""
        loop = asyncio.get_running_loop()
        ended, found = loop.create_future(), bytearray()

        def readable() -> None:
            chunk = os.read(self.reading, 65536)
            found.extend(chunk)
            if not chunk:
                loop.remove_reader(self.reading)
                ended.set_result(None)

        loop.add_reader(self.reading, readable)
        await ended
        return [json.loads(line) for line in found.splitlines()]


@pytest.fixture
async def launch(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Callable[..., Launcher]]:
    made: list[Launcher] = []

    def start(**how: Any) -> Launcher:
        begun = asyncio.Event()
        scripted = type("Scripted", (Cluster,), {**how, "begun": begun})
        monkeypatch.setattr(daemon, "Cluster", scripted)
        made.append(Launcher(begun))
        return made[-1]

    yield start
    for each in made:
        assert each.task.done()
        os.close(each.reading)
        each.zygote.close()
        each.far.close()


def made() -> Any:
    return daemon.Cluster.made


async def test_progress_is_reported_and_then_that_it_is_done(launch):
    launcher = launch()
    assert await launcher.reports() == [
        {
            "what": "control",
            "state": "ready",
            "seconds": 0.123,
            "detail": "https://127.64.0.254:6443",
        },
        {"done": True},
    ]
    os.kill(os.getpid(), signal.SIGTERM)
    assert await launcher.task == daemon.OK
    assert made().stopped == {"keep": False, "failed": False}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
async def test_a_signal_ends_a_start_that_is_under_way(launch, number):
    launcher = launch(hangs=True)
    await launcher.begun.wait()
    os.kill(os.getpid(), number)
    assert await launcher.task == daemon.OK
    assert made().stopped is not None


async def test_an_order_ends_it(launch, places: Places):
    launcher = launch()
    await launcher.reports()
    reader, writer = await asyncio.open_unix_connection(str(places.launcher_socket))
    writer.write(b'{"verb": "down", "keep": true}\n')
    assert json.loads(await reader.readline()) == {"ok": None}
    assert await launcher.task == daemon.OK
    assert made().stopped == {"keep": True, "failed": False}
    writer.close()


async def test_a_cluster_that_cannot_be_is_the_users_to_mend(launch):
    launcher = launch(refuses=ConfigError("the cluster 'demo' runs already"))
    assert await launcher.reports() == [
        {"failed": "the cluster 'demo' runs already", "misused": True}
    ]
    assert await launcher.task == daemon.FAILED


@pytest.mark.parametrize(
    ("error", "text", "misused"),
    [
        (ConfigError("shop.yaml, document 1: no"), "shop.yaml, document 1: no", True),
        (ClusterError("not settled after 30 s"), "not settled after 30 s", False),
        (OSError(98, "Address already in use"), "[Errno 98] Address already in use", False),
        (KeyError("spec"), "'spec' (a fault of kubehop: see {logs}/launcher.log)", False),
    ],
)
async def test_a_start_that_fails_says_why_and_leaves_its_logs(
    launch, places: Places, error: Exception, text: str, misused: bool
):
    launcher = launch(fails=error)
    expected = {"failed": text.format(logs=places.logs), "misused": misused}
    assert (await launcher.reports())[-1] == expected
    assert await launcher.task == daemon.FAILED
    assert made().stopped == {"keep": False, "failed": True}


async def test_without_its_zygote_a_cluster_ends(launch):
    launcher = launch()
    await launcher.reports()
    made().supervisor.zygote_gone.set()
    assert await launcher.task == daemon.FAILED
    assert made().stopped is not None


async def test_who_started_it_may_leave_before_it_is_done(launch):
    launcher = launch(hangs=True)
    os.close(launcher.reading)
    launcher.reading, unused = os.pipe()  # the number stays ours to close
    os.close(unused)
    await launcher.begun.wait()
    os.kill(os.getpid(), signal.SIGTERM)
    assert await launcher.task == daemon.OK


def test_it_runs_to_its_end_and_gives_a_status(
    places: Places, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    async def serve(self: object) -> int:
        return 7

    monkeypatch.setattr(daemon._Daemon, "serve", serve)
    monkeypatch.setattr(daemon, "log_to", lambda config: None)
    monkeypatch.setattr(daemon, "set_title", lambda title: titles.append(title))
    titles: list[str] = []
    near, far = socket.socketpair()
    assert daemon.run(ClusterSpec(name="demo"), near, 1) == 7
    assert titles == ["kubehop launcher (demo)"]
    near.close()
    far.close()
