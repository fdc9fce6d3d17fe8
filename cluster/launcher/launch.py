"""Starting a launcher: in the background, told about over a pipe, or as this process's child.

The launcher always is a process of its own (`python -m cluster.launcher`), so that it forks its
zygote before it has a loop or a thread, whoever asks for it.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from threading import Thread

from cluster.errors import ClusterError, ConfigError
from cluster.launcher.progress import Progress, ProgressState, Tell, silent
from cluster.launcher.running import Running, find
from cluster.launcher.spec import ClusterSpec

REPORT_BYTES_MAX = 1 << 20
INTERRUPTED = 130  # told to stop before the cluster served


class LauncherGone(ClusterError):
    """The launcher ended without saying that it is done, or why it is not."""


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


async def detach(spec: ClusterSpec, tell: Tell = silent) -> Running:
    """Start a launcher that stays; return when its cluster serves. The error says why it cannot."""
    reading, writing = os.pipe()
    try:
        process = _begin(spec, writing)
    finally:
        os.close(writing)
    try:
        await _reports(reading, tell)
    except BaseException:
        process.terminate()
        await asyncio.to_thread(process.wait)
        raise
    # it lives on without us; should it end first, it is not to stay a zombie
    Thread(target=process.wait, name=f"launcher of {spec.name}", daemon=True).start()
    return find(spec.name)


def _begin(spec: ClusterSpec, report_fd: int) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        command(spec, report_fd, detach=True),
        pass_fds=(report_fd,),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env=_environment(),
    )


async def foreground(spec: ClusterSpec, tell: Tell = silent) -> int:
    """Run a launcher until it ends or this process is told to stop; its exit status."""
    reading, writing = os.pipe()
    try:
        process = await asyncio.create_subprocess_exec(
            *command(spec, writing, detach=False),
            pass_fds=(writing,),
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C comes to us, who pass it on
            env=_environment(),
        )
    finally:
        os.close(writing)
    loop = asyncio.get_running_loop()
    told = asyncio.Event()

    def stop() -> None:
        told.set()
        _end(process)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # the last: no terminal any more
        loop.add_signal_handler(number, stop)
    try:
        await _reports(reading, tell)
        return await process.wait()
    except LauncherGone:
        if told.is_set():
            return INTERRUPTED
        raise
    finally:
        _end(process)
        await process.wait()


def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()


def _environment() -> dict[str, str]:
    """With the path that this process found kubehop by, wherever it is started."""
    root = str(Path(__file__).resolve().parent.parent.parent)
    path = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": f"{root}{os.pathsep}{path}" if path else root}


async def _reports(reading: int, tell: Tell) -> None:
    """Pass progress on until the launcher says that it is done, or why it failed."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=REPORT_BYTES_MAX)
    transport, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(reading, "rb")
    )
    try:
        async for line in reader:
            report = json.loads(line)
            if "failed" in report:
                raise (ConfigError if report.get("misused") else ClusterError)(report["failed"])
            if report.get("done"):
                return
            state = ProgressState(report["state"])
            tell(Progress(report["what"], state, report["seconds"], report["detail"]))
        raise LauncherGone("the launcher ended without a word: run it with --foreground to see why")
    finally:
        transport.close()
