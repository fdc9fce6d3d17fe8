"""How every process runs, tried on processes: ready, told to stop, left alone, misconfigured."""

import argparse
import json
import logging
import os
import re
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cluster.aio.process import FAILED, MISCONFIGURED, OK, Lifecycle, ProcessConfig, log_to

ROOT = Path(__file__).parents[3]
SCRIPT = """
import argparse
import asyncio
from dataclasses import dataclass
from cluster.aio.process import ProcessConfig, run
from cluster.errors import ConfigError

@dataclass
class Config:
    process: ProcessConfig
    mode: str

def parse(arguments):
    parser = argparse.ArgumentParser()
    parser.add_argument("mode")
    ProcessConfig.add_arguments(parser)
    options = parser.parse_args(arguments)
    if options.mode == "refused":
        raise ConfigError("no such mode; modes: serve")
    return Config(ProcessConfig.of(options, title="kubehop test"), options.mode)

async def serve(config, lifecycle):
    if config.mode == "misconfigured":
        raise ConfigError("the port is taken")
    if config.mode == "broken":
        raise ZeroDivisionError("a fault of ours")
    loop = type(asyncio.get_running_loop()).__module__
    lifecycle.ready(address="127.0.0.1:80", loop=loop)
    await lifecycle.stopping.wait()

raise SystemExit(run(parse, serve))
"""

Begin = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def begin() -> Iterator[Begin]:
    """Start the script's process; `pass_fds` are its own too."""
    begun: list[subprocess.Popen[str]] = []

    def start(*words: str, pass_fds: tuple[int, ...] = ()) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, *words],
            cwd=ROOT,
            pass_fds=pass_fds,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        begun.append(process)
        return process

    yield start
    for process in begun:
        process.kill()
        process.communicate()


@pytest.fixture
def serving(begin: Begin) -> Callable[..., tuple["subprocess.Popen[str]", dict]]:
    """A process that has said that it is ready, and what it said."""

    def start(*words: str, pass_fds: tuple[int, ...] = ()):
        reading, writing = os.pipe()
        process = begin("serve", "--ready-fd", str(writing), *words, pass_fds=(writing, *pass_fds))
        os.close(writing)
        with os.fdopen(reading) as ready:
            line = ready.readline()
            assert ready.read() == ""  # it closes its end: nothing more is to come
        return process, json.loads(line)

    return start


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_process_serves_until_it_is_told_to_stop(serving, number):
    process, told = serving()
    assert told == {"ready": True, "address": "127.0.0.1:80", "loop": "uvloop"}
    process.send_signal(number)
    assert process.wait(20) == OK
    assert re.search(
        r"^\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3} INFO .* stopped$", process.stderr.read(), re.M
    )


def test_a_process_ends_with_its_launcher(serving):
    reading, writing = os.pipe()
    process, _ = serving("--lifeline-fd", str(reading), pass_fds=(reading,))
    os.close(reading)
    os.close(writing)
    assert process.wait(20) == OK
    assert "WARNING cluster.aio.process the launcher is gone: stopping" in process.stderr.read()


def test_a_process_can_be_crashed(serving):
    process, _ = serving()
    process.send_signal(signal.SIGQUIT)
    assert process.wait(20) == -signal.SIGKILL
    assert "stopped" not in process.stderr.read()


def test_its_title_is_what_listings_show(serving):
    process, _ = serving("--title", "kubehop node-1 (demo)")
    line = Path(f"/proc/{process.pid}/cmdline").read_bytes()
    assert line.rstrip(b"\0") == b"kubehop node-1 (demo)"


def test_it_logs_to_a_file_of_its_own_where_it_is_told_to(serving, tmp_path: Path):
    file = tmp_path / "node-1.log"
    process, _ = serving("--log-file", str(file))
    process.terminate()
    process.wait(20)
    assert process.stderr.read() == ""
    assert "ready address=127.0.0.1:80 loop=uvloop" in file.read_text()


def test_a_log_that_is_full_is_put_aside_and_its_predecessor_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", list(root.handlers))
    monkeypatch.setattr(root, "level", root.level)
    monkeypatch.setattr("cluster.aio.process.LOG_BYTES_MAX", 2000)
    file = tmp_path / "node-1.log"
    log_to(ProcessConfig(title="", log_file=str(file)))
    for number in range(100):
        logging.getLogger("test").warning("datagram dropped number=%d", number)
    root.handlers[0].close()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["node-1.log", "node-1.log.1"]
    assert all(each.stat().st_size <= 2000 for each in tmp_path.iterdir())
    assert file.read_text().endswith("number=99\n")


def test_it_may_open_as_many_files_as_its_user_may(serving):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(256, soft), hard))  # for the process to inherit
    try:
        process, _ = serving()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    allowed, _ = resource.prlimit(process.pid, resource.RLIMIT_NOFILE)
    assert allowed == (65_536 if hard == resource.RLIM_INFINITY else min(hard, 65_536))


def test_it_says_no_more_than_it_is_told_to(serving):
    process, _ = serving("--log-level", "WARNING")
    process.terminate()
    process.wait(20)
    assert process.stderr.read() == ""


@pytest.mark.parametrize(
    ("mode", "status", "said"),
    [
        ("refused", MISCONFIGURED, r"^error: no such mode; modes: serve\n$"),
        ("misconfigured", MISCONFIGURED, r"ERROR .* misconfigured: the port is taken\n$"),
        (
            "broken",
            FAILED,
            r"(?s)ERROR .* failed\nTraceback.*ZeroDivisionError: a fault of ours\n$",
        ),
    ],
)
def test_what_went_wrong_is_told_by_status_and_log(begin: Begin, mode, status, said):
    process = begin(mode)
    _, err = process.communicate(timeout=20)
    assert process.returncode == status
    assert re.search(said, err)
    assert ("Traceback" in err) == (status == FAILED)


def test_options_that_every_process_has_are_read():
    parser = argparse.ArgumentParser()
    ProcessConfig.add_arguments(parser)
    words = "--title t --ready-fd 3 --lifeline-fd 4 --log-file f --log-level DEBUG --await-files 5"
    assert ProcessConfig.of(parser.parse_args(words.split()), title="name") == ProcessConfig(
        title="t",
        ready_fd=3,
        lifeline_fd=4,
        log_file="f",
        log_level="DEBUG",
        await_files_seconds=5.0,
    )
    assert ProcessConfig.of(parser.parse_args([]), title="name") == ProcessConfig(title="name")


def test_who_was_not_asked_to_tell_tells_nobody():
    Lifecycle(ProcessConfig(title="by hand")).ready(address="127.0.0.1:80")
