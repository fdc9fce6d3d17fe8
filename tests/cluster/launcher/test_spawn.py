"""The launcher's process."""

import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from cluster.errors import ClusterError, ConfigError
from cluster.launcher import spawn
from cluster.launcher.progress import Progress, ProgressState
from cluster.launcher.spec import ClusterSpec

SPEC = ClusterSpec(name="demo", nodes=2)


def test_the_launcher_is_told_what_to_start_and_where_to_report():
    words = spawn.command(SPEC, 5, detach=True)
    assert words[:3] == [sys.executable, "-m", "cluster.launcher"]
    assert ClusterSpec.from_json(words[words.index("--spec") + 1]) == SPEC
    assert words[words.index("--report-fd") + 1 :] == ["5", "--detach"]
    assert "--detach" not in spawn.command(SPEC, 5, detach=False)


def test_it_finds_kubehop_wherever_it_is_started(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PYTHONPATH", "/mine")
    root, mine = spawn.environment()["PYTHONPATH"].split(os.pathsep)
    assert (Path(root) / "cluster" / "launcher").is_dir()
    assert mine == "/mine"
    monkeypatch.delenv("PYTHONPATH")
    assert spawn.environment()["PYTHONPATH"] == root


PLAY = """
import json, os, signal, sys
def say(**words):
    os.write(int(sys.argv[1]), json.dumps(words).encode() + b"\\n")
def ready(what):
    say(what=what, state="ready", seconds=0.1, detail="there")
"""
Plays = Callable[[str], None]


@pytest.fixture
def plays(monkeypatch: pytest.MonkeyPatch) -> Plays:
    """Makes the launcher a script."""

    def play(script: str) -> None:
        def run(spec: ClusterSpec, report_fd: int, *, alone: bool) -> None:
            os.set_inheritable(report_fd, True)
            os.execv(sys.executable, [sys.executable, "-c", PLAY + script, str(report_fd)])

        monkeypatch.setattr(spawn, "run_launcher", run)

    return play


def test_what_has_begun_reports_over_its_pipe_and_can_be_ended(plays: Plays):
    plays("os.write(int(sys.argv[1]), b'here\\n'); signal.pause()")
    begun = spawn.begin(SPEC)
    with os.fdopen(begun.reports) as reports:
        assert reports.readline() == "here\n"
        assert begun.end() == -signal.SIGTERM
        assert reports.read() == "", "nobody else holds the pipe's other end"


def test_progress_is_passed_on_until_the_cluster_serves(plays: Plays):
    plays('ready("control"); say(done=True); signal.pause()')
    told: list[Progress] = []
    begun = spawn.detach(SPEC, told.append)
    assert told == [Progress("control", ProgressState.READY, 0.1, "there")]
    assert begun.end() == -signal.SIGTERM


def test_it_is_in_a_session_of_its_own_without_the_terminal(plays: Plays):
    """Ctrl-C does not reach it, and nobody waits for its output."""
    plays(
        "assert all(os.path.samefile(f'/dev/fd/{n}', os.devnull) for n in range(3))\n"
        "say(done=True); signal.pause()"
    )
    begun = spawn.detach(SPEC)
    assert os.getsid(begun.pid) == begun.pid
    begun.end()


def test_it_can_be_forked_where_there_are_threads_and_begins_anew_then(
    monkeypatch: pytest.MonkeyPatch,
):
    """A lock that such a thread held would be held for good."""
    script = "import os, sys; os.write(int(sys.argv[1]), b'{\"done\": true}\\n')"
    monkeypatch.setattr(
        spawn, "command", lambda spec, fd, *, detach: [sys.executable, "-c", script, str(fd)]
    )
    ending = threading.Event()
    thread = threading.Thread(target=ending.wait)
    thread.start()
    try:
        begun = spawn.detach(SPEC)
    finally:
        ending.set()
        thread.join()
    _, status = os.waitpid(begun.pid, 0)
    assert status == 0


@pytest.mark.parametrize(("misused", "kind"), [("True", ConfigError), ("False", ClusterError)])
def test_a_failure_is_told_as_the_launcher_put_it(plays: Plays, misused: str, kind: type):
    plays(f'say(failed="no such image", misused={misused}); signal.pause()')
    with pytest.raises(ClusterError, match=r"^no such image$") as caught:
        spawn.detach(SPEC)
    assert type(caught.value) is kind


def test_a_launcher_that_dies_without_a_word_is_an_error(plays: Plays):
    plays("raise SystemExit(1)")
    with pytest.raises(ClusterError, match=r"ended without a word: run it with --foreground"):
        spawn.detach(SPEC)


def test_who_stops_waiting_ends_the_launcher_too(plays: Plays):
    plays("ready(str(os.getpid())); signal.pause()")
    pids: list[int] = []

    def interrupt(step: Progress) -> None:
        pids.append(int(step.what))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        spawn.detach(SPEC, interrupt)
    with pytest.raises(ChildProcessError):
        os.waitpid(pids[0], os.WNOHANG)


def test_a_launcher_that_cannot_be_started_leaves_no_pipe(monkeypatch: pytest.MonkeyPatch):
    def fails() -> int:
        raise BlockingIOError("too many processes")

    monkeypatch.setattr(os, "fork", fails)
    before = len(list(Path("/dev/fd").iterdir()))
    with pytest.raises(BlockingIOError):
        spawn.begin(SPEC)
    assert len(list(Path("/dev/fd").iterdir())) == before


def test_a_report_tells_a_state_or_raises_why_there_is_no_cluster():
    assert spawn.read_report(b'{"what": "dns", "state": "ready"}')["what"] == "dns"
    with pytest.raises(ClusterError, match="no port is free"):
        spawn.read_report('{"failed": "no port is free"}')
    with pytest.raises(ConfigError, match="no such image"):
        spawn.read_report('{"failed": "no such image", "misused": true}')
