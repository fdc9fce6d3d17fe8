"""Waiting for a launcher, on a loop: one in the background until it serves, or a child to its end.

It tells of its progress over a pipe (`cluster.launcher.spawn`, which needs no loop, starts it).
"""

import asyncio
import os
import signal
from threading import Thread

from cluster.launcher import spawn
from cluster.launcher.progress import Tell, silent
from cluster.launcher.running import Running, find
from cluster.launcher.spawn import LauncherGone
from cluster.launcher.spec import ClusterSpec

REPORT_BYTES_MAX = 1 << 20
INTERRUPTED = 130  # told to stop before the cluster served


async def detach(spec: ClusterSpec, tell: Tell = silent) -> Running:
    """Start a launcher that stays; return when its cluster serves, the error says why it cannot."""
    begun = spawn.begin(spec, anew=True)  # this process has a loop
    try:
        await _reports(begun.reports, tell)
    except BaseException:
        await asyncio.to_thread(begun.end)
        raise
    # it lives on without us; should it end first, it is not to stay a zombie
    name = f"launcher of {spec.name}"
    Thread(target=os.waitpid, args=(begun.pid, 0), name=name, daemon=True).start()
    return find(spec.name)


async def foreground(spec: ClusterSpec, tell: Tell = silent) -> int:
    """Run a launcher until it ends or this process is told to stop; its exit status."""
    reading, writing = os.pipe()
    try:
        process = await asyncio.create_subprocess_exec(
            *spawn.command(spec, writing, detach=False),
            pass_fds=(writing,),
            stdin=asyncio.subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C comes to us, who pass it on
            env=spawn.environment(),
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


async def _reports(reading: int, tell: Tell) -> None:
    """Pass progress on until the launcher says that it is done, or why it failed."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=REPORT_BYTES_MAX)
    transport, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(reading, "rb")
    )
    try:
        async for line in reader:
            if spawn.told(spawn.read_report(line), tell):
                return
        raise LauncherGone(spawn.WITHOUT_A_WORD)
    finally:
        transport.close()
