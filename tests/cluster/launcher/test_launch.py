"""Starting a launcher, and hearing what becomes of it."""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from cluster.errors import ConfigError
from cluster.launcher import launch, spawn
from cluster.launcher.places import Places
from cluster.launcher.progress import Progress, ProgressState
from cluster.launcher.spec import ClusterSpec

SPEC = ClusterSpec(name="demo", nodes=2)
PLAY = """
import json, os, signal, sys
def say(**words):
    os.write(int(sys.argv[1]), json.dumps(words).encode() + b"\\n")
def ready(what):
    say(what=what, state="ready", seconds=0.1, detail="there")
"""

# a launcher as `find` expects it: its lock is held and its record written
RUNS = """
import fcntl
from cluster.launcher.places import Places
from cluster.launcher.record import write_record
from cluster.launcher.sweep import lock
places = Places.of("demo"); places.make(); held = lock(places)
write_record(places.cluster_file, {"name": "demo", "pid": os.getpid()})
"""


@pytest.fixture
def plays(places: Places, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes the launcher a script; `places` are its own."""

    def play(script: str) -> None:
        monkeypatch.setattr(
            spawn,
            "command",
            lambda spec, fd, *, detach: [sys.executable, "-c", PLAY + script, str(fd)],
        )

    return play


async def test_progress_is_passed_on_until_the_cluster_serves(plays, ended):
    plays(RUNS + 'ready("control"); say(done=True); signal.pause()')
    told: list[Progress] = []
    running = await launch.detach(SPEC, told.append)
    assert told == [Progress("control", ProgressState.READY, 0.1, "there")]
    assert running.name == "demo"
    os.kill(running.record["pid"], signal.SIGKILL)
    assert ended(running.record["pid"])


async def test_a_launcher_is_no_zombie_when_it_ends_before_who_started_it(plays, alive):
    plays(RUNS + "say(done=True); signal.pause()")
    pid = (await launch.detach(SPEC)).record["pid"]
    os.kill(pid, signal.SIGKILL)
    (reaper,) = (each for each in threading.enumerate() if each.name == "launcher of demo")
    reaper.join(20)
    assert not alive(pid)


async def test_who_stops_waiting_ends_the_launcher_too(
    plays, alive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    plays('open(os.environ["NOTE"], "w").write(str(os.getpid())); ready("control"); signal.pause()')
    note = tmp_path / "pid"
    monkeypatch.setenv("NOTE", str(note))
    told = asyncio.Event()
    waiting = asyncio.ensure_future(launch.detach(SPEC, lambda _: told.set()))
    await told.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert not alive(int(note.read_text()))


async def test_in_the_foreground_it_is_waited_for(plays):
    plays('ready("control"); say(done=True); raise SystemExit(4)')
    told: list[Progress] = []
    assert await launch.foreground(SPEC, told.append) == 4
    assert [step.what for step in told] == ["control"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_ctrl_c_ends_a_cluster_that_serves_in_good_order(plays, number):
    plays(
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\n"
        f"say(done=True); os.kill(os.getppid(), {number:d})\nsignal.pause()"
    )
    assert await launch.foreground(SPEC) == 0


async def test_ctrl_c_before_it_serves_is_an_interruption_and_no_error(plays):
    plays('signal.signal(signal.SIGTERM, lambda *_: sys.exit(0)); ready("control")\nsignal.pause()')
    status = await launch.foreground(SPEC, lambda _: os.kill(os.getpid(), signal.SIGINT))
    assert status == launch.INTERRUPTED


async def test_a_failure_in_the_foreground_is_told_too(plays):
    plays('say(failed="no such image", misused=True)')
    with pytest.raises(ConfigError, match=r"no such image"):
        await launch.foreground(SPEC)
