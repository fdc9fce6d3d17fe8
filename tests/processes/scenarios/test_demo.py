"""`kubehop demo` as people run it: a process of its own, its output, and what it leaves behind."""

import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.launcher.running import list_running

SECONDS_MAX = 120.0
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def name(request: pytest.FixtureRequest) -> Iterator[str]:
    """A name that no other run uses; nothing of it may be left."""
    made = f"demo-{os.getpid()}-{request.node.name.count('_')}"
    yield made
    assert made not in {each.name for each in list_running()}


def command(name: str, *words: str) -> list[str]:
    return [sys.executable, "-m", "cluster", "demo", "--name", name, *words]


def test_all_ten_hold_and_nothing_is_left(name: str, tmp_path: Path) -> None:
    environment = {**os.environ, "KUBEHOP_STATE_DIR": str(tmp_path)}
    ran = subprocess.run(
        command(name),
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        env=environment,
        cwd=ROOT,
    )
    assert ran.returncode == 0, ran.stderr + ran.stdout[-2000:]
    out = ran.stdout
    assert re.findall(r"^── (\d+) of 10 ── \S", out, re.MULTILINE) == [str(n) for n in range(1, 11)]
    assert re.search(r"^10 scenarios, (\d+) claims: all of them hold$", out, re.MULTILINE)
    claims = re.findall(r"^✓ .+$", out, re.MULTILINE)
    assert len(claims) > 50 and not re.findall(r"^✗ ", out, re.MULTILINE)
    assert "\x1b" not in out + ran.stderr, "no colour where there is no terminal"
    assert [line for line in out.splitlines() if len(line) > 80] == []
    assert not (tmp_path / name).exists(), "store, kubeconfig and logs are gone too"


def test_some_are_chosen_and_what_is_no_scenario_is_misuse(name: str) -> None:
    ran = subprocess.run(
        command(name, "--only", "99"), capture_output=True, text=True, timeout=SECONDS_MAX, cwd=ROOT
    )
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "there is no scenario 99" in ran.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_interrupted_it_cleans_up(name: str, number: signal.Signals) -> None:
    """Once it shows its first scenario the cluster runs; it ends with status 130."""
    with subprocess.Popen(
        command(name, "--only", "6"),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=ROOT,
    ) as process:
        assert process.stdout is not None
        readable, _, _ = select.select([process.stdout], [], [], SECONDS_MAX)
        assert readable, "nothing was shown"
        process.stdout.readline()
        assert name in {each.name for each in list_running()}
        process.send_signal(number)
        assert process.wait(SECONDS_MAX) == 130


def test_interrupted_while_the_cluster_starts_it_cleans_up_too(name: str) -> None:
    with subprocess.Popen(
        command(name), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("✓ control"):
                break
        process.send_signal(signal.SIGINT)
        process.stderr.read()
        assert process.wait(SECONDS_MAX) == 130
