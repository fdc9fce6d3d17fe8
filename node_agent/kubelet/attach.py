"""attach: the streams of a container's own program, while it runs.

What the program writes from now on goes to every client that is attached, and to the log as ever.
A client that reads too slowly is let go with a word (the program and the log wait for nobody). Its
input goes to the program of a container with `stdin: true`; with `stdinOnce`, the end of the first
client's input is the end of the program's. On a terminal, the line that has no end yet, which is
the prompt, is shown at once.
"""

import asyncio
import json
from collections import deque

from cluster.aio.channels import Channels
from cluster.aio.first import first_of
from cluster.wire.channels import Channel
from node_agent.kubelet.exec import exit_status, failure_status, receive_input
from node_agent.kubelet.logs import RunLog
from node_agent.kubelet.runtime import ContainerRun
from node_agent.workloads.tools.process import Pipe, Window

TAP_CHARS_MAX = 1 << 20
_CHANNELS = {"stdout": Channel.STDOUT, "stderr": Channel.STDERR}


class Tap:
    """What a program writes, for one client: bounded."""

    def __init__(self) -> None:
        self.overflowed = False
        self._parts: deque[tuple[str, str]] = deque()
        self._chars = 0
        self._changed = asyncio.Event()

    def put(self, stream: str, text: str) -> None:
        """The program has written."""
        if self._chars + len(text) > TAP_CHARS_MAX:
            self.overflowed = True
        else:
            self._parts.append((stream, text))
            self._chars += len(text)
        self._changed.set()

    async def get(self) -> tuple[str, str] | None:
        """The next text and its stream; None when the client was too slow."""
        while not self._parts:
            if self.overflowed:
                return None
            self._changed.clear()
            await self._changed.wait()
        stream, text = self._parts.popleft()
        self._chars -= len(text)
        return stream, text

    def rest(self) -> list[tuple[str, str]]:
        """What is there."""
        parts = list(self._parts)
        self._parts.clear()
        self._chars = 0
        return parts


async def attached(channels: Channels, run: ContainerRun, *, stdin: bool) -> None:
    """Join a client and a program until either ends."""
    tap = Tap()
    if run.container.get("tty"):
        tap.put("stdout", run.log.unfinished("stdout"))
    run.log.taps.add(tap)
    run.program.ctx.attached.set()
    try:
        await first_of(_told(channels, run, tap), _typed(channels, run, wanted=stdin))
    finally:
        run.log.taps.discard(tap)


async def _told(channels: Channels, run: ContainerRun, tap: Tap) -> None:
    """Pass on what the program writes; at its end say that all is well, as upstream does."""
    await first_of(_output(channels, run.log, tap), run.over.wait())
    for stream, text in tap.rest():
        await _send(channels, run.log, stream, text)
    status = exit_status(0)
    if tap.overflowed:
        status = failure_status("the client read too slowly what the container writes")
    await channels.send(Channel.STATUS, json.dumps(status).encode())


async def _output(channels: Channels, log: RunLog, tap: Tap) -> None:
    while (part := await tap.get()) is not None:
        await _send(channels, log, *part)


async def _send(channels: Channels, log: RunLog, stream: str, text: str) -> None:
    if text:
        await channels.send(_CHANNELS[stream], text.encode("utf-8", "replace"))


async def _typed(channels: Channels, run: ContainerRun, *, wanted: bool) -> None:
    """Pass on what the client types; return when it is gone."""
    keyboard: Pipe | None = run.program.ctx.stdin if wanted else None
    if keyboard is None:
        keyboard = Pipe()
        keyboard.close_read()
    once = wanted and bool(run.container.get("stdinOnce"))
    try:
        window = run.program.ctx.window or Window()
        await receive_input(channels, keyboard if once else _Kept(keyboard), window)
    finally:
        if once:
            keyboard.close_write()


class _Kept(Pipe):
    """A program's input, which outlives the client that types now."""

    def __init__(self, pipe: Pipe) -> None:
        super().__init__()
        self._pipe = pipe

    async def write(self, data: bytes) -> None:
        await self._pipe.write(data)

    def close_write(self) -> None:
        """The end of this client's input, not of the program's."""
