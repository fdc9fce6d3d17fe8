"""The launcher's process."""

import os
import signal
import sys
from pathlib import Path

import pytest

from cluster.errors import ClusterError, ConfigError
from cluster.launcher import spawn
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


def test_what_has_begun_reports_over_its_pipe_and_can_be_ended(monkeypatch: pytest.MonkeyPatch):
    play = "import os, sys, signal; os.write(int(sys.argv[1]), b'here\\n'); signal.pause()"
    monkeypatch.setattr(
        spawn, "command", lambda spec, fd, *, detach: [sys.executable, "-c", play, str(fd)]
    )
    begun = spawn.begin(SPEC)
    with os.fdopen(begun.reports) as reports:
        assert reports.readline() == "here\n"
        begun.end()
        assert reports.read() == "", "nobody else holds the pipe's other end"
    assert begun.process.returncode == -signal.SIGTERM


def test_a_launcher_that_cannot_be_started_leaves_no_pipe(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(spawn, "command", lambda *_, **__: ["/nowhere/python"])
    before = len(list(Path("/dev/fd").iterdir()))
    with pytest.raises(FileNotFoundError):
        spawn.begin(SPEC)
    assert len(list(Path("/dev/fd").iterdir())) == before


def test_a_report_tells_a_state_or_raises_why_there_is_no_cluster():
    assert spawn.read_report(b'{"what": "dns", "state": "ready"}')["what"] == "dns"
    with pytest.raises(ClusterError, match="no port is free"):
        spawn.read_report('{"failed": "no port is free"}')
    with pytest.raises(ConfigError, match="no such image"):
        spawn.read_report('{"failed": "no such image", "misused": true}')
