"""Clusters begin and end: nothing of them is left, however they end."""

import json
import os
import signal
from pathlib import Path

import pytest

from cluster.launcher.record import start_of

NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {name: kept}\n"


def record(kubehop, name: str) -> dict:
    return json.loads((kubehop.run_root / name / "cluster.json").read_text())


def slot(kubehop, name: str) -> int:
    return int(record(kubehop, name)["slot"])


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    path = tmp_path / "kept.yaml"
    path.write_text(NAMESPACE)
    return path


def test_two_side_by_side_one_killed_one_kept(kubehop, ends, manifest: Path):
    """Two clusters; one launcher is killed, and its successor sweeps; the other one is kept."""
    one, two = kubehop.named("one"), kubehop.named("two")
    kubehop.done("up", "--name", one, "--nodes", "1")
    kubehop.done("up", "--name", two, "--nodes", "1", "-f", manifest)
    assert slot(kubehop, one) != slot(kubehop, two)

    again = kubehop("up", "--name", one)
    assert again.returncode == 2
    assert again.stderr == (
        f"error: the cluster '{one}' runs already: use it, end it with "
        f"`kubehop down --name {one}`, or choose another --name\n"
    )
    missing = kubehop("status")
    assert missing.returncode == 2
    assert "no cluster 'default' runs: start it with `kubehop up`; running: " in missing.stderr
    assert one in missing.stderr
    assert two in missing.stderr

    # kill -9 of a launcher leaves files and no process; the other cluster does not notice
    pids = list(kubehop.processes(one))
    assert len(pids) == 6, kubehop.processes(one)  # launcher, zygote, control, node, gateway, dns
    os.kill(record(kubehop, one)["launcher"]["pid"], signal.SIGKILL)
    assert ends(pids)
    assert kubehop("status", "--name", one).returncode == 2
    assert (kubehop.run_root / one / "cluster.json").exists()
    kubehop.done("status", "--name", two)

    kubehop.done("up", "--name", one, "--nodes", "1")
    assert start_of(record(kubehop, one)["launcher"]["pid"])
    kubehop.done("down", "--name", one)
    assert kubehop.left(one) == []

    # --keep: the store stays, and nothing else runs or listens
    first_slot = slot(kubehop, two)
    kept = kubehop.done("down", "--name", two, "--keep")
    assert f"`kubehop up --name {two}` goes on with it" in kept.stderr
    assert kubehop.left(two) == [str(kubehop.state_root / two)]
    assert not kubehop.run_root.exists()
    kubehop.done("up", "--name", two, "--nodes", "1")
    assert slot(kubehop, two) == first_slot
    assert kubehop.ask(two, "/api/v1/namespaces/kept")["status"]["phase"] == "Active"
    kubehop.done("down", "--name", two)
    assert kubehop.left(two) == []


def test_ctrl_c_in_the_foreground_ends_a_cluster(kubehop):
    name = kubehop.named("fore")
    with kubehop.begin("up", "--name", name, "--nodes", "1", "--foreground") as process:
        lines = iter(process.stderr.readline, "")
        assert next(lines) == "Ctrl-C ends the cluster\n"
        assert any(line.startswith("✓ cluster ") for line in lines)
        kubehop.done("status", "--name", name)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    assert kubehop.left(name) == []


def test_ctrl_c_while_it_comes_up_leaves_nothing(kubehop):
    name = kubehop.named("early")
    with kubehop.begin("up", "--name", name, "--nodes", "1") as process:
        assert process.stderr.readline().startswith("✓ control ")
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
        assert "Traceback" not in process.stderr.read()
    assert kubehop.left(name) == []


def test_what_cannot_be_applied_is_named_and_only_logs_are_left(kubehop, tmp_path: Path):
    name = kubehop.named("wrong")
    manifest = tmp_path / "wrong.yaml"
    manifest.write_text("apiVersion: v1\nkind: Cart\nmetadata: {name: a}\n")
    done = kubehop("up", "--name", name, "--nodes", "1", "-f", manifest)
    assert done.returncode == 2
    error = done.stderr.splitlines()[-1]
    assert error.startswith(f"error: {manifest}, document 1: v1 has no kind 'Cart'; it has ")
    assert kubehop.left(name) == [str(kubehop.state_root / name)]
    assert [each.name for each in (kubehop.state_root / name).iterdir()] == ["logs"]
