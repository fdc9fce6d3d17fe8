"""The launcher's process: its command line, and the start of one that stays in the background.

Without asyncio, which `kubehop up` has no need of. A launcher forks its zygote before it has a loop
or a thread; so one in the background is forked from the command, which has neither, and begins
with what that has imported, and one in the foreground is started by its command line.
"""

import json
import os
import signal
import sys
import threading
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from cluster.dataclass import dataclass
from cluster.errors import ClusterError, ConfigError
from cluster.launcher.progress import Progress, ProgressState, Tell, silent
from cluster.launcher.spec import ClusterSpec

CRASHED = 70  # EX_SOFTWARE
WITHOUT_A_WORD = "the launcher ended without a word: run it with --foreground to see why"


class LauncherGone(ClusterError):
    """The launcher ended without saying that it is done, or why it is not."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A launcher that has begun; `reports` is the reading end of the pipe that it reports to."""

    pid: int
    reports: int

    def end(self) -> int:
        """End it, and its cluster; return when it is gone, with its exit status."""
        os.kill(self.pid, signal.SIGTERM)
        _, status = os.waitpid(self.pid, 0)
        return os.waitstatus_to_exitcode(status)


def detach(spec: ClusterSpec, tell: Tell = silent) -> Begun:
    """Start a launcher that stays, and return when its cluster serves; the error says why not."""
    begun = begin(spec)
    try:
        follow(begun.reports, tell)
    except BaseException:  # Ctrl-C too
        begun.end()
        raise
    return begun


def begin(spec: ClusterSpec, *, anew: bool = False) -> Begun:
    """Start a launcher in a session of its own: it stays when this process goes.

    It begins anew where this process has a loop or threads, of which a fork has nothing.
    """
    reading, writing = os.pipe()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    alone = not anew and threading.active_count() == 1
    try:
        pid = os.fork()
        if pid == 0:
            os.close(reading)
            _become(spec, writing, alone=alone)
    except OSError:
        os.close(reading)
        raise
    finally:
        os.close(writing)
    return Begun(pid, reading)


def follow(reports: int, tell: Tell) -> None:
    """Pass progress on until the launcher says that it is done, or why it failed."""
    with os.fdopen(reports, "rb") as lines:
        for line in lines:
            if told(read_report(line), tell):
                return
    raise LauncherGone(WITHOUT_A_WORD)


def told(report: Mapping[str, Any], tell: Tell) -> bool:
    """Tell what a report says; whether it says that all is done."""
    if report.get("done"):
        return True
    state = ProgressState(report["state"])
    tell(Progress(report["what"], state, report["seconds"], report["detail"]))
    return False


def _become(spec: ClusterSpec, report_fd: int, *, alone: bool) -> NoReturn:
    """In the child: be a launcher, here or, with threads that are not there any more, anew."""
    status = CRASHED
    try:
        os.setsid()
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        nothing = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(nothing, number)
        os.close(nothing)
        os.environ.update(environment())
        run_launcher(spec, report_fd, alone=alone)
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def run_launcher(spec: ClusterSpec, report_fd: int, *, alone: bool) -> NoReturn:
    """Run it to its end."""
    words = command(spec, report_fd, detach=True)
    if not alone:
        os.set_inheritable(report_fd, True)
        os.execv(words[0], words)
    from cluster.launcher.__main__ import main

    raise SystemExit(main(words[words.index("--spec") :]))


def command(spec: ClusterSpec, report_fd: int, *, detach: bool) -> list[str]:
    """The launcher's command line."""
    return [
        sys.executable,
        "-m",
        "cluster.launcher",
        "--spec",
        spec.to_json(),
        "--report-fd",
        str(report_fd),
        *(["--detach"] if detach else []),
    ]


def read_report(line: str | bytes) -> Mapping[str, Any]:
    """One report of a launcher; ConfigError or ClusterError where it says why it failed."""
    report: Mapping[str, Any] = json.loads(line)
    if "failed" in report:
        raise (ConfigError if report.get("misused") else ClusterError)(str(report["failed"]))
    return report


def environment() -> dict[str, str]:
    """With the path that this process found kubehop by, wherever it is started."""
    root = str(Path(__file__).absolute().parent.parent.parent)
    path = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": f"{root}{os.pathsep}{path}" if path else root}
