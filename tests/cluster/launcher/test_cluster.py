"""A running cluster as its launcher holds it: real processes of the tests' own, no API."""

import json
import os
import signal
import socket
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from cluster.errors import ClusterError, ConfigError
from cluster.launcher import cluster as module
from cluster.launcher.cluster import Cluster
from cluster.launcher.commands import Command
from cluster.launcher.places import Places
from cluster.launcher.progress import Progress
from cluster.launcher.settled import NotSettled
from cluster.launcher.spec import ClusterSpec
from cluster.launcher.supervisor import ProcessFailed, ProcessState

SPEC = ClusterSpec(name="demo", nodes=2)
NAMES = ("control", "node-1", "node-2")


@pytest.fixture
def modes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, tuple[str, ...]]:
    """What each process does, for a test to change before the start."""
    chosen = dict.fromkeys(NAMES, ("serve",))
    monkeypatch.setattr(
        module, "commands", lambda *_: [Command(n, "child", m) for n, m in chosen.items()]
    )
    monkeypatch.setattr(module, "lease_slot", partial(module.lease_slot, tmp_path / "slots"))
    # these slots are not the machine's: a real cluster may have the ports of the same addresses
    monkeypatch.setattr(module, "vacant_ports", lambda _: (6443, 10053))
    return chosen


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """For which nodes it was waited, each time; without an API there is nothing else to see."""
    waited: list[list[str]] = []

    async def settle(api: Any, sockets: Any, *, nodes: list[str], seconds: float) -> None:
        waited.append(nodes)

    monkeypatch.setattr(module, "settled", settle)
    return waited


@pytest.fixture
async def cluster(
    modes: object, settled: object, places: Places, zygote: socket.socket
) -> AsyncIterator[Cluster]:
    made = Cluster(SPEC, places, zygote)
    made.supervisor.stop_seconds = 2.0
    yield made
    await made.stop()


def state(cluster: Cluster, name: str) -> str:
    return str(cluster.supervisor.processes[name].state)


async def test_a_start_tells_of_each_part_and_ends_settled(cluster: Cluster, settled):
    told: list[Progress] = []
    await cluster.start(told.append)
    ready = [step.what for step in told if step.state == "ready"]
    assert ready[0] == "control"
    assert set(ready) == {*NAMES, "cluster"}
    assert told[-1].detail == "https://127.64.0.254:6443"
    assert settled == [["node-1", "node-2"]]


async def test_the_record_says_what_runs(cluster: Cluster, places: Places):
    await cluster.start()
    record = json.loads(places.cluster_file.read_text())
    assert record["nodes"] == ["node-1", "node-2"]
    assert record["launcher"]["pid"] == os.getpid()
    assert [each["name"] for each in record["processes"]] == list(NAMES)
    assert {each["state"] for each in cluster.described()["processes"]} == {"ready"}


async def test_a_process_that_does_not_start_is_told_with_the_end_of_its_log(
    cluster: Cluster, modes, places: Places
):
    modes["node-2"] = ("fail",)
    (places.logs / "node-2.log").write_text("".join(f"line {n}\n" for n in range(9)))
    told: list[Progress] = []
    with pytest.raises(
        ProcessFailed, match=r"node-2 did not start: it ended with status 3;"
    ) as why:
        await cluster.start(told.append)
    assert "line 8" in str(why.value)
    assert "line 3" not in str(why.value)
    failed = [step for step in told if step.state == "failed"]
    assert [(step.what, step.detail) for step in failed] == [
        ("node-2", "it ended with status 3"),
    ]


async def test_a_process_that_was_told_wrong_is_the_users_to_mend(
    cluster: Cluster, modes, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "MISCONFIGURED", 3)
    modes["control"] = ("fail",)
    with pytest.raises(ConfigError, match=r"control did not start: .*it wrote no log"):
        await cluster.start()


async def test_a_manifest_that_is_wrong_starts_nothing(
    places: Places, zygote: socket.socket, tmp_path: Path
):
    (tmp_path / "wrong.yaml").write_text("kind: [")
    with pytest.raises(ConfigError, match=r"is not YAML"):
        Cluster(ClusterSpec(name="demo", manifests=(tmp_path / "wrong.yaml",)), places, zygote)
    assert not places.lock_file.exists()


async def test_a_second_cluster_of_the_name_is_refused(
    cluster: Cluster, places: Places, zygote: socket.socket
):
    with pytest.raises(ConfigError, match=r"'demo' runs already"):
        Cluster(SPEC, places, zygote)


@pytest.mark.parametrize(
    ("how", "status"), [("shutdown", 0), ("crash", -signal.SIGQUIT), ("power-off", None)]
)
async def test_a_node_stops_as_it_is_told_and_starts_again(
    cluster: Cluster, settled, how: str, status: int | None
):
    await cluster.start()
    await cluster.stop_node("node-1", how)
    process = cluster.supervisor.processes["node-1"]
    assert process.last_status == status
    assert process.state is (ProcessState.FROZEN if status is None else ProcessState.STOPPED)
    await cluster.settled()
    assert settled[-1] == ["node-2"]  # it is not waited for
    assert [path.stem for path in cluster.sockets] == ["node-2"]
    await cluster.start_node("node-1")
    assert process.state is ProcessState.READY
    assert process.pid is not None


async def test_a_node_that_was_powered_off_can_be_stopped_otherwise(cluster: Cluster):
    await cluster.start()
    await cluster.stop_node("node-1", "power-off")
    await cluster.stop_node("node-1", "shutdown")
    assert state(cluster, "node-1") == "stopped"


async def test_orders_that_make_no_sense_say_what_would(cluster: Cluster):
    await cluster.start()
    with pytest.raises(ConfigError, match=r"'node-9' is not a node.*; nodes: node-1, node-2"):
        await cluster.stop_node("node-9")
    with pytest.raises(ConfigError, match=r"'control' is not a node"):
        await cluster.stop_node("control")
    with pytest.raises(ConfigError, match=r"'flood': a node stops by shutdown, crash or power-off"):
        await cluster.stop_node("node-1", "flood")
    with pytest.raises(ConfigError, match=r"node-1 runs already"):
        await cluster.start_node("node-1")
    with pytest.raises(ConfigError, match=r"'x' is no process; there are control, node-1, node-2"):
        cluster.kill("x")


async def test_a_node_that_is_stopped_cannot_be_powered_off(cluster: Cluster):
    await cluster.start()
    await cluster.stop_node("node-1")
    with pytest.raises(ClusterError, match=r"node-1 does not run: it is stopped"):
        await cluster.stop_node("node-1", "power-off")


async def test_a_process_that_is_killed_comes_back(cluster: Cluster):
    await cluster.start()
    cluster.kill("node-2")
    await cluster.supervisor.processes["node-2"].exited.wait()
    await cluster.supervisor.ready("node-2")
    assert cluster.supervisor.processes["node-2"].restarts == 1


async def test_a_cluster_with_a_killed_process_is_settled_once_that_is_back(
    cluster: Cluster, settled
):
    await cluster.start()
    cluster.kill("node-2")
    with pytest.raises(NotSettled, match=r"not settled after 0 s: node-2 does not serve"):
        await cluster.settled(0)
    await cluster.settled()
    assert cluster.supervisor.processes["node-2"].restarts == 1
    assert len(settled) == 2


async def test_an_end_leaves_nothing_but_the_users_authority(cluster: Cluster, places: Places):
    await cluster.start()
    places.store.touch()
    await cluster.stop()
    assert not places.run_dir.exists()
    assert not places.state_dir.exists()
    assert places.pki.exists()
    await cluster.stop()  # a second time is fine


async def test_a_kept_store_comes_back_with_its_addresses(
    modes, settled, places: Places, zygote_process, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    other = module.lease_slot()  # slot 0 is somebody else's while the cluster first runs
    zygote, _ = zygote_process
    first = Cluster(SPEC, places, zygote)
    await first.start()
    places.store.touch()
    await first.stop(keep=True)
    other.release()
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    near.setblocking(False)
    second = Cluster(SPEC, places, near)
    assert second.addresses.slot == first.addresses.slot == 1
    assert places.store.exists()
    far.close()
    await second.stop()


@pytest.mark.parametrize(
    ("went_on", "left"), [(False, {"logs"}), (True, {"logs", "slot", "store.db"})]
)
async def test_a_failure_leaves_its_logs_and_a_store_that_was_kept(
    modes, places: Places, zygote: socket.socket, went_on: bool, left: set[str]
):
    if went_on:
        places.store.touch()
    made = Cluster(SPEC, places, zygote)
    places.store.touch()
    await made.stop(failed=True)
    assert {each.name for each in places.state_dir.iterdir()} == left


async def test_a_store_in_memory_cannot_be_kept(modes, places: Places, zygote: socket.socket):
    made = Cluster(ClusterSpec(name="demo", durable=False), places, zygote)
    await made.stop(keep=True)
    assert not places.state_dir.exists()
