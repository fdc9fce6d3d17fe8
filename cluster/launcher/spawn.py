"""The launcher's process: its command line, and the start of one that stays in the background.

Without asyncio, so that `kubehop up` has the launcher at work before it imports that itself. The
launcher always is a process of its own (`python -m cluster.launcher`), so that it forks its zygote
before it has a loop or a thread, whoever asks for it.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cluster.dataclass import dataclass
from cluster.errors import ClusterError, ConfigError
from cluster.launcher.spec import ClusterSpec


@dataclass(frozen=True, slots=True)
class Begun:
    """A launcher that has begun; `reports` is the reading end of the pipe that it reports to."""

    process: "subprocess.Popen[bytes]"
    reports: int

    def end(self) -> None:
        """End it, and its cluster; return when it is gone."""
        self.process.terminate()
        self.process.wait()


def begin(spec: ClusterSpec) -> Begun:
    """Start a launcher in a session of its own: it stays when this process goes."""
    reading, writing = os.pipe()
    try:
        process = subprocess.Popen(
            command(spec, writing, detach=True),
            pass_fds=(writing,),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env=environment(),
        )
    except BaseException:
        os.close(reading)
        raise
    finally:
        os.close(writing)
    return Begun(process, reading)


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
