"""The guard as pytest holds it; a small program stands for the launcher."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cluster.errors import ClusterError, ConfigError
from cluster.testing.guard import Guard, awaited

GUARD = """
import json, os, signal, socket
from cluster.testing.guard_process import end, serve

def main(arguments):
    with open(int(arguments[arguments.index("--report-fd") + 1]), "w") as report:
        report.write(json.dumps([arguments, os.getcwd(), os.environ.get("COLOUR"), os.getppid()]))
    return 0

with socket.socket(fileno=os.dup(0)) as orders:
    end(serve(orders, main))
"""


@pytest.fixture
def guard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Guard]:
    (tmp_path / "small_guard.py").write_text(GUARD)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    made = Guard("small_guard")
    yield made
    made.close()


def launched(guard: Guard) -> tuple[list[str], str, str | None, int]:
    with os.fdopen(guard.launch("SPEC")) as reports:
        return tuple(json.load(reports))


def test_a_launcher_gets_the_directory_and_the_environment_of_its_test(
    guard: Guard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    launched(guard)  # the guard itself is older than what follows
    monkeypatch.setenv("COLOUR", "blue")
    monkeypatch.chdir(tmp_path)
    arguments, directory, colour, _ = launched(guard)
    assert arguments[:3] == ["--spec", "SPEC", "--detach"]
    assert (directory, colour) == (str(tmp_path), "blue")


def test_one_process_starts_them_all_and_another_when_it_was_killed(guard: Guard) -> None:
    pids = {launched(guard)[3], launched(guard)[3]}
    assert len(pids) == 1
    os.kill(pids.pop(), signal.SIGKILL)
    assert guard._process is not None
    guard._process.wait(60)
    first, second = launched(guard)[3], launched(guard)[3]
    assert first == second


def test_a_guard_that_was_not_needed_is_no_process(guard: Guard) -> None:
    assert guard._process is None
    guard.close()
    assert guard._process is None


def test_closing_waits_for_its_end(guard: Guard) -> None:
    pid = launched(guard)[3]
    guard.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_modules_beside_the_tests_do_not_take_the_place_of_kubehops(
    guard: Guard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tests = tmp_path / "tests"
    tests.mkdir()
    for name in ("cluster", "json", "socket"):
        (tests / f"{name}.py").write_text("raise SystemExit('the wrong one')")
    monkeypatch.chdir(tests)
    assert launched(guard)[1] == str(tests)


REPORTS: list[dict[str, Any]] = [
    {"what": "control", "state": "starting", "seconds": 0.0, "detail": ""},
    {"what": "control", "state": "ready", "seconds": 0.1, "detail": ""},
]


def lines(*reports: dict[str, Any]) -> list[str]:
    return [json.dumps(each) + "\n" for each in reports]


def test_a_cluster_is_awaited_until_it_serves() -> None:
    awaited(lines(*REPORTS, {"done": True}), "t", Path("/nowhere"))


def test_whose_fault_it_is_that_none_starts_is_kept_apart() -> None:
    with pytest.raises(ConfigError, match="no such file"):
        awaited(lines(*REPORTS, {"failed": "no such file", "misused": True}), "t", Path())
    with pytest.raises(ClusterError, match="node-1 did not start") as caught:
        awaited(lines({"failed": "node-1 did not start", "misused": False}), "t", Path())
    assert not isinstance(caught.value, ConfigError)
    with pytest.raises(ClusterError, match="launcher of t ended without a word"):
        awaited(lines(*REPORTS), "t", Path("/nowhere"))
