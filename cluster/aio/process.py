"""How every kubehop process runs: parse, log, loop, ready, serve until told to stop.

A process is `run(Config.parse, serve)`: `serve(config, lifecycle)` builds everything, calls
`lifecycle.ready(...)` once it serves, and awaits `lifecycle.stopping`.

Readiness is a message, never a sleep: one line of JSON on the descriptor `--ready-fd`. The other
descriptor a launcher gives, `--lifeline-fd`, is a pipe whose end of file means that the launcher
died: then the process stops by itself. SIGQUIT crashes it. Exit status: 0 stopped, 1 failed, 2
misconfigured.
"""

import argparse
import asyncio
import gc
import json
import logging
import os
import resource
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import field
from logging.handlers import RotatingFileHandler
from typing import Any, Protocol, TypeVar

from cluster.aio.crash import crash
from cluster.dataclass import dataclass
from cluster.errors import ConfigError

log = logging.getLogger(__name__)

OK, FAILED, MISCONFIGURED = 0, 1, 2
LOG_BYTES_MAX = 16 * 1024 * 1024  # then it is renamed to FILE.1, in the place of the last one
GARBAGE = (5_000, 10, 10)  # looked for seldom: it is a tenth of what a connection costs
OPEN_FILES = (65_536, 10_240)  # what is asked for: macOS may have no more than the second


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessConfig:
    """What any process is told by whoever starts it; each process's own config holds one."""

    title: str  # shown by ps: "kubehop node-1 (default)"
    ready_fd: int | None = None
    lifeline_fd: int | None = None
    log_file: str | None = None  # None: standard error
    log_level: str = "INFO"
    await_files_seconds: float = 0.0  # for what another process makes: cluster.aio.awaited_files

    @staticmethod
    def add_arguments(parser: argparse.ArgumentParser) -> None:
        """Add the options that every process understands."""
        group = parser.add_argument_group("process")
        group.add_argument("--title", default="", help="process title (default: from its name)")
        group.add_argument("--ready-fd", type=int, help="write one JSON line here when serving")
        group.add_argument("--lifeline-fd", type=int, help="stop when this pipe ends")
        group.add_argument("--log-file", help="append logs here (default: standard error)")
        group.add_argument("--log-level", default="INFO", choices=["DEBUG", "INFO", "WARNING"])
        group.add_argument(
            "--await-files",
            type=float,
            default=0.0,
            metavar="SECONDS",
            help="how long to wait for the key and the kubeconfig to be made (default: not at all)",
        )

    @classmethod
    def of(cls, arguments: argparse.Namespace, *, title: str) -> "ProcessConfig":
        """Take those options from parsed arguments."""
        return cls(
            title=arguments.title or title,
            ready_fd=arguments.ready_fd,
            lifeline_fd=arguments.lifeline_fd,
            log_file=arguments.log_file,
            log_level=arguments.log_level,
            await_files_seconds=arguments.await_files,
        )


class HasProcess(Protocol):
    """Any process's configuration."""

    @property
    def process(self) -> ProcessConfig:
        """The part that `run` needs."""


Config = TypeVar("Config", bound=HasProcess)


@dataclass(slots=True)
class Lifecycle:
    """What `serve` is given besides its configuration."""

    config: ProcessConfig
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    def ready(self, **facts: Any) -> None:
        """Tell the launcher that this process serves; facts are JSON (addresses, ports)."""
        log.info("ready %s", " ".join(f"{key}={value}" for key, value in facts.items()))
        if self.config.ready_fd is not None:
            os.write(self.config.ready_fd, json.dumps({"ready": True, **facts}).encode() + b"\n")
            os.close(self.config.ready_fd)


Serve = Callable[[Config, Lifecycle], Awaitable[None]]


def run(
    parse: Callable[[Sequence[str]], Config],
    serve: Callable[[Config, Lifecycle], Awaitable[None]],
    arguments: Sequence[str] | None = None,
    *,
    config: Config | None = None,
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None,
) -> int:
    """Run one process to its end and return its exit status.

    `config` is what the arguments say, if whoever forked this process has parsed them already.
    """
    try:
        if config is None:
            config = parse(sys.argv[1:] if arguments is None else arguments)
    except ConfigError as error:
        print(f"error: {error}", file=sys.stderr)
        return MISCONFIGURED
    log_to(config.process)
    set_title(config.process.title)
    raise_open_files()
    gc.set_threshold(*GARBAGE)
    try:
        with asyncio.Runner(loop_factory=loop_factory or _uvloop()) as runner:
            runner.run(_serve(config, serve))
    except ConfigError as error:
        log.error("misconfigured: %s", error)
        return MISCONFIGURED
    except Exception:
        log.exception("failed")
        return FAILED
    log.info("stopped")
    return OK


async def _serve(config: Config, serve: Callable[[Config, Lifecycle], Awaitable[None]]) -> None:
    lifecycle = Lifecycle(config.process)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, lifecycle.stopping.set)
    loop.add_signal_handler(signal.SIGQUIT, crash)
    lifeline = config.process.lifeline_fd
    if lifeline is not None:
        loop.add_reader(lifeline, _launcher_died, loop, lifeline, lifecycle)
    await serve(config, lifecycle)


def _launcher_died(loop: asyncio.AbstractEventLoop, lifeline: int, lifecycle: Lifecycle) -> None:
    loop.remove_reader(lifeline)
    log.warning("the launcher is gone: stopping")
    lifecycle.stopping.set()


def _uvloop() -> Callable[[], asyncio.AbstractEventLoop]:
    import uvloop

    return uvloop.new_event_loop


def set_title(title: str) -> None:
    """What process listings show."""
    import setproctitle

    setproctitle.setproctitle(title)


def raise_open_files() -> None:
    """As many descriptors as this user may have: every connection takes one or two of them.

    The usual soft limit of 1024, or 256, is meant for programs that select(2).
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for wanted in OPEN_FILES:
        allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        if soft == resource.RLIM_INFINITY or soft >= allowed:
            return
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
            return


def log_to(config: ProcessConfig) -> None:
    """Send all logging to where the configuration says."""
    handler: logging.Handler
    if config.log_file is None:
        handler = logging.StreamHandler(sys.stderr)
    else:
        handler = RotatingFileHandler(config.log_file, maxBytes=LOG_BYTES_MAX, backupCount=1)
    handler.setFormatter(
        logging.Formatter("%(asctime)s.%(msecs)03d %(levelname)s %(name)s %(message)s", "%FT%T")
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(config.log_level)
