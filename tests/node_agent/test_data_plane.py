"""The data plane of one node: what it listens on, what it counts."""

import socket
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from cluster.aio.clock import SystemClock
from cluster.aio.handoff import Handoff, place
from cluster.aio.tasks import Tasks
from cluster.trace.recorder import Recorder
from node_agent.cni.network import NodeNetwork
from node_agent.config import AgentConfig
from node_agent.data_plane import DataPlane
from node_agent.view import ClusterView

KEY = bytes(range(32))
Make = Callable[..., DataPlane]


class NoView:
    """A node that has heard of nothing."""

    def __init__(self) -> None:
        self.informers: Any = _Nothing()
        self.current = None


class _Nothing:
    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], Any] = {}

    def __getitem__(self, _: object) -> "_Nothing":
        return self


@pytest.fixture
async def make() -> AsyncIterator[Make]:
    made: list[DataPlane] = []
    clock = SystemClock()
    tasks = Tasks(clock)
    with tempfile.TemporaryDirectory(prefix="kh-") as run_dir:

        def build(*options: str) -> DataPlane:
            config = AgentConfig.parse(
                [
                    *("--name", "node-1", "--bind", "127.0.0.1", "--internal-ip", "172.30.0.1"),
                    *("--api", "unix:/nowhere", "--run-dir", run_dir, "--cluster-key", "/nowhere"),
                    *options,
                ]
            )
            view: ClusterView = NoView()  # type: ignore[assignment]
            network = NodeNetwork("node-1", "172.30.0.1")
            recorder = Recorder("node-1", clock)
            plane = DataPlane(config, KEY, view, network, recorder, clock, tasks)
            plane.run_dir = Path(run_dir)  # type: ignore[attr-defined]
            made.append(plane)
            return plane

        yield build
        for each in made:
            await each.stop()
            each.close()
        await tasks.close()


async def test_streams_and_datagrams_share_a_port(make: Make) -> None:
    plane = make()
    plane.start()
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as other, pytest.raises(OSError, match="in use"):
            other.bind(plane.address)


async def test_a_port_that_is_taken_for_datagrams_is_none(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match="in use"):
            make("--tunnel-port", str(port))
        with socket.socket() as free:  # what had been bound is given back
            free.bind(("127.0.0.1", port))


@pytest.mark.parametrize(("options", "takes"), [((), True), (("--no-hand-over",), False)])
async def test_sockets_are_taken_unless_that_is_switched_off(
    make: Make, options: tuple[str, ...], takes: bool
) -> None:
    plane = make(*options)
    plane.start()
    run_dir: Path = plane.run_dir  # type: ignore[attr-defined]
    giver = Handoff(run_dir, "gateway#1", undelivered=lambda *_: None, ended=lambda _: None)
    assert giver.reachable("node-1") == takes == place(run_dir, "node-1").is_socket()
    giver.close()
    counts = plane.counts()
    assert counts["connections"] == counts["relays"] == counts["udp_flows"] == 0
    assert ("handed_over_total" in counts) == takes
