"""What a killed launcher left, and what an ended one leaves."""

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.errors import ConfigError
from cluster.launcher import sweep as module
from cluster.launcher.places import Places
from cluster.launcher.record import start_of, write_record
from cluster.launcher.sweep import Leave, clear, lock, running, sweep


@pytest.fixture
def sleeper() -> Iterator["subprocess.Popen[bytes]"]:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def record(places: Places, pid: int, start: str) -> None:
    process = {"name": "node-1", "pid": pid, "start": start}
    write_record(places.cluster_file, {"name": "demo", "processes": [process]})


def test_a_second_launcher_of_a_name_is_told_what_it_can_do(places: Places):
    held = lock(places)
    with pytest.raises(ConfigError, match=r"'demo' runs already: .*kubehop down --name demo"):
        lock(places)
    os.close(held)


def test_the_lock_goes_with_its_holder(places: Places):
    os.close(lock(places))
    os.close(lock(places))


def test_a_cluster_runs_while_its_lock_is_held(places: Places):
    assert not running(places)  # no lock file
    held = lock(places)
    assert running(places)
    os.close(held)
    assert not running(places)


def test_looking_whether_a_cluster_runs_keeps_nobody_from_starting_it(
    places: Places, monkeypatch: pytest.MonkeyPatch
):
    looking = os.open(places.lock_file, os.O_RDWR | os.O_CREAT)
    fcntl.flock(looking, fcntl.LOCK_EX)
    monkeypatch.setattr(module.time, "sleep", lambda seconds: seconds and os.close(looking))
    os.close(lock(places))


def test_a_lock_file_that_goes_while_it_is_waited_for_is_not_taken_for_the_clusters(
    places: Places, monkeypatch: pytest.MonkeyPatch
):
    real = fcntl.flock

    def remove_first(descriptor: int, operation: int) -> None:
        if places.lock_file.exists() and not removed:
            removed.append(places.lock_file.unlink())
        real(descriptor, operation)

    removed: list[None] = []
    monkeypatch.setattr(module.fcntl, "flock", remove_first)
    held = lock(places)
    assert removed
    assert os.path.samestat(os.fstat(held), places.lock_file.stat())
    os.close(held)


def test_sockets_and_files_are_swept_but_for_the_lock(places: Places):
    held = lock(places)
    for name in ("control.sock", "node-1.sock", "cluster.key", ".cluster-x"):
        (places.run_dir / name).touch()
    assert len(sweep(places)) == 4
    assert [each.name for each in places.run_dir.iterdir()] == ["launcher.lock"]
    os.close(held)


def test_a_directory_that_somebody_made_there_is_swept_and_what_it_links_to_is_not(
    places: Places, tmp_path: Path
):
    """kubectl keeps its cache beside the sockets, when a test runs it."""
    kept = tmp_path / "elsewhere"
    kept.mkdir()
    (kept / "file").touch()
    _directory_beside_sockets(places)
    (places.run_dir / "link").symlink_to(kept)
    sweep(places)
    assert not (places.run_dir / "kubectl-cache").exists()
    assert not (places.run_dir / "link").exists() and (kept / "file").exists()


def _directory_beside_sockets(places: Places) -> None:
    (places.run_dir / "kubectl-cache" / "discovery").mkdir(parents=True)
    (places.run_dir / "kubectl-cache" / "discovery" / "api.json").touch()


def test_nothing_to_sweep_is_nothing_swept(places: Places):
    held = lock(places)
    assert sweep(places) == []
    os.close(held)


def test_a_process_that_was_left_is_ended(places: Places, sleeper: "subprocess.Popen[bytes]"):
    record(places, sleeper.pid, start_of(sleeper.pid))
    assert f"process {sleeper.pid} (node-1)" in sweep(places)
    assert sleeper.wait(20) == -9


def test_a_process_that_only_has_the_number_of_one_that_was_left_is_let_be(
    places: Places, sleeper: "subprocess.Popen[bytes]"
):
    record(places, sleeper.pid, "1")
    assert sweep(places) == [str(places.cluster_file)]
    assert sleeper.poll() is None


def test_a_record_that_cannot_be_read_keeps_nobody_from_sweeping(places: Places):
    places.cluster_file.write_text("{")
    assert sweep(places) == [str(places.cluster_file)]


@pytest.mark.parametrize(
    ("leave", "left"),
    [
        (Leave.NOTHING, set()),
        (Leave.LOGS, {"logs"}),
        (Leave.STATE, {"logs", "store.db", "kubeconfig", "more"}),
    ],
)
def test_an_end_leaves_what_it_is_told_to(places: Places, leave: Leave, left: set[str]):
    places.store.touch()
    places.kubeconfig.touch()
    (places.logs / "control.log").touch()
    (places.state_dir / "more").mkdir()
    (places.run_dir / "control.sock").touch()
    _directory_beside_sockets(places)
    clear(places, leave)
    found = set()
    if places.state_dir.exists():
        found = {each.name for each in places.state_dir.iterdir()}
    assert found == left
    assert not places.run_dir.parent.exists()
    assert places.pki.is_dir()  # the next cluster's too


def test_the_directory_of_all_clusters_stays_while_another_one_runs(places: Places):
    other = Places.of("other")
    other.make()
    clear(places)
    assert other.run_dir.is_dir()
    assert not places.run_dir.exists()
