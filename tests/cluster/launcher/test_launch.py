"""A launcher in the foreground, and hearing what becomes of it."""

import os
import signal
import sys
from collections.abc import Callable

import pytest

from cluster.errors import ConfigError
from cluster.launcher import launch, spawn
from cluster.launcher.places import Places
from cluster.launcher.progress import Progress
from cluster.launcher.spec import ClusterSpec

SPEC = ClusterSpec(name="demo", nodes=2)
PLAY = """
import json, os, signal, sys
def say(**words):
    os.write(int(sys.argv[1]), json.dumps(words).encode() + b"\\n")
def ready(what):
    say(what=what, state="ready", seconds=0.1, detail="there")
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
