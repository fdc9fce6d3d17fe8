"""Processes started in any order: who needs a file that another makes waits for it, and says so."""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from cluster.aio.awaited_files import await_files
from cluster.aio.process import Lifecycle, ProcessConfig


class ManualClock:
    """Time that passes when somebody sleeps; `meanwhile` is what else happens then."""

    scale = 1.0

    def __init__(self, meanwhile: Callable[[float], None] = lambda _: None) -> None:
        self.elapsed = 0.0
        self._meanwhile = meanwhile

    def now(self) -> float:
        return self.elapsed

    def monotonic(self) -> float:
        return self.elapsed

    async def sleep(self, seconds: float) -> None:
        self.elapsed += seconds
        self._meanwhile(self.elapsed)


def lifecycle_of(seconds: float) -> Lifecycle:
    return Lifecycle(ProcessConfig(title="kubehop node-1", await_files_seconds=seconds))


async def test_it_returns_when_the_last_file_is_there_and_says_once_what_it_waits_for(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    key, kubeconfig = tmp_path / "cluster.key", tmp_path / "kubeconfig"

    def control_makes_them(elapsed: float) -> None:
        if elapsed > 1:
            key.touch()
        if elapsed > 2:
            kubeconfig.touch()

    clock = ManualClock(control_makes_them)
    with caplog.at_level(logging.INFO):
        assert await await_files([key, None, kubeconfig], lifecycle_of(60), clock)
    assert 2 < clock.elapsed < 3
    assert [record.getMessage() for record in caplog.records] == [
        f"waiting for the control plane to make files={key},{kubeconfig}"
    ]


@pytest.mark.parametrize("seconds", [0.0, 5.0])
async def test_when_the_time_is_up_the_reader_of_the_file_goes_on(
    tmp_path: Path, seconds: float
) -> None:
    clock = ManualClock()
    assert await await_files([tmp_path / "cluster.key"], lifecycle_of(seconds), clock)
    assert clock.elapsed == pytest.approx(seconds, abs=0.11)


async def test_it_gives_up_when_the_process_is_told_to_stop(tmp_path: Path) -> None:
    lifecycle = lifecycle_of(60)
    clock = ManualClock(lambda _: lifecycle.stopping.set())
    assert not await await_files([tmp_path / "cluster.key"], lifecycle, clock)
    assert clock.elapsed < 1


def test_the_option_says_how_long() -> None:
    import argparse

    parser = argparse.ArgumentParser()
    ProcessConfig.add_arguments(parser)
    given = parser.parse_args(["--await-files", "60"])
    assert ProcessConfig.of(given, title="t").await_files_seconds == 60
    assert ProcessConfig.of(parser.parse_args([]), title="t").await_files_seconds == 0
