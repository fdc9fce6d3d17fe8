"""Starting a cluster for a test, without one."""

import asyncio
import json
import os
import signal
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cluster.errors import ClusterError, ConfigError
from cluster.testing.start import apart, spec_of, start, stop
from cluster.testing.wishes import Wishes

WISHES = Wishes(
    nodes=2,
    images=("a=echo",),
    app_dir=Path("/apps"),
    manifests=("shop.yaml", "/else/where.yaml"),
    zones=("west",),
)

HERE = replace(WISHES, app_dir=Path(__file__).parent)


def test_a_tests_wishes_become_a_cluster_of_its_own() -> None:
    spec = spec_of("t-1-1", WISHES)
    assert (spec.name, spec.nodes, spec.images, spec.zones) == ("t-1-1", 2, ("a=echo",), ("west",))
    assert spec.manifests == (Path("/apps/shop.yaml"), Path("/else/where.yaml"))
    assert spec.time_scale == 0.1 and not spec.durable


def test_a_directory_that_there_is_not_is_said_before_anything_is_started() -> None:
    nobody: Any = None
    with pytest.raises(ConfigError, match="app_dir: /apps/none is not a directory"):
        start("t-1-1", Wishes(app_dir=Path("/apps/none")), nobody)


class Guard:
    """Orders a launcher that says what the test lets it say."""

    def __init__(self, *reports: dict[str, Any]) -> None:
        self.reports = reports
        self.spec = ""

    def launch(self, spec: str) -> int:
        self.spec = spec
        reading, writing = os.pipe()
        with os.fdopen(writing, "w") as pipe:
            pipe.writelines(json.dumps(each) + "\n" for each in self.reports)
        return reading


@pytest.mark.parametrize(
    ("report", "kind"),
    [
        ({"failed": "no slot is free", "misused": True}, ConfigError),
        ({"failed": "control did not start"}, ClusterError),
    ],
)
def test_why_a_cluster_does_not_start_is_raised(
    report: dict[str, Any], kind: type[ClusterError]
) -> None:
    starting = {"what": "control", "state": "starting", "seconds": 0.1, "detail": ""}
    guard: Any = Guard(starting, report)
    with pytest.raises(kind, match=report["failed"]) as caught:
        start("t-1-1", HERE, guard)
    assert type(caught.value) is kind
    assert json.loads(guard.spec)["name"] == "t-1-1"


def test_a_launcher_that_ends_without_a_word_is_told_of_with_the_end_of_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBEHOP_STATE_DIR", str(tmp_path))
    guard: Any = Guard()
    with pytest.raises(ClusterError, match=r"t-1-1 ended without a word; it wrote no log .*/logs"):
        start("t-1-1", HERE, guard)
    log = tmp_path / "t-1-1" / "logs" / "launcher.log"
    log.parent.mkdir(parents=True)
    log.write_text("first\n" * 90 + "MemoryError\n")
    with pytest.raises(ClusterError, match=r"without a word; the end of .*/launcher\.log:") as last:
        start("t-1-1", HERE, guard)
    assert str(last.value).endswith("\n  MemoryError")
    assert len(str(last.value).splitlines()) < 15


async def test_coroutines_are_run_while_a_loop_runs() -> None:
    async def where() -> int:
        await asyncio.sleep(0)
        return threading.get_ident()

    async def fail() -> None:
        raise ClusterError("no")

    assert apart(where()) != threading.get_ident()
    with pytest.raises(ClusterError, match="no"):
        apart(fail())


def test_stopping_waits_for_the_end() -> None:
    ended = []

    class Running:
        async def down(self) -> None:
            await asyncio.sleep(0)
            ended.append(True)

    class Made:
        running = Running()

    made: Any = Made()
    stop(made)
    assert ended == [True]


def test_who_is_interrupted_ends_the_coroutine_too() -> None:
    """As by Ctrl-C: the signal comes while the main thread waits for the other one."""
    ended, waiting = threading.Event(), threading.get_ident()

    async def last() -> None:
        try:
            signal.pthread_kill(waiting, signal.SIGINT)
            await asyncio.Event().wait()
        finally:
            ended.set()

    with pytest.raises(KeyboardInterrupt):
        apart(last())
    assert ended.is_set()


def test_who_is_interrupted_while_the_thread_begins_ends_the_coroutine_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ended = threading.Event()
    start = threading.Thread.start

    def interrupted(self: threading.Thread) -> None:
        start(self)
        raise KeyboardInterrupt

    async def last() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    monkeypatch.setattr(threading.Thread, "start", interrupted)
    with pytest.raises(KeyboardInterrupt):
        apart(last())
    assert ended.is_set()
