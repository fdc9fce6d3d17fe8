"""A launcher in the foreground: a child that is waited for to its end.

It tells of its progress over a pipe (`cluster.launcher.spawn` starts one in the background).
"""

import asyncio
import os
import signal

from cluster.launcher import spawn
from cluster.launcher.progress import Tell, silent
from cluster.launcher.spawn import LauncherGone
from cluster.launcher.spec import ClusterSpec

REPORT_BYTES_MAX = 1 << 20
INTERRUPTED = 130  # told to stop before the cluster served


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
