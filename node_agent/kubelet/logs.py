"""The logs of containers: what programs write, what `kubectl logs` reads, and follows.

Each run of a container has its own ring (`log_ring`); the one before is kept for `--previous`.
"""

import asyncio
import io
from collections.abc import AsyncIterator
from typing import Protocol

from cluster.aio.clock import Clock
from node_agent.kubelet.log_ring import LogLine, LogQuery, LogRing


class LogStream(io.TextIOBase):
    """Standard output or standard error of one run of a container."""

    def __init__(self, run: "RunLog", name: str) -> None:
        self._run = run
        self._name = name
        self.buffer = _Bytes(self)

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return "utf-8"

    def write(self, text: str) -> int:
        self._run.write(self._name, text)
        return len(text)

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return False


class _Bytes(io.RawIOBase):
    """What a program that writes bytes (`sys.stdout.buffer`) is given."""

    def __init__(self, text: LogStream) -> None:
        self._text = text

    def write(self, data: object) -> int:
        raw = bytes(data)  # type: ignore[call-overload]
        self._text.write(raw.decode("utf-8", "replace"))
        return len(raw)

    def writable(self) -> bool:
        return True


class Listener(Protocol):
    """Who hears what a program writes, as it is written."""

    def put(self, stream: str, text: str) -> None:
        """The program has written; this must not wait."""


class RunLog:
    """The log of one run."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ring = LogRing()
        self._changed = asyncio.Event()
        self.ended = False
        self.taps: set[Listener] = set()  # one for each client that is attached
        self.stdout = LogStream(self, "stdout")
        self.stderr = LogStream(self, "stderr")

    def write(self, stream: str, text: str) -> None:
        """Add text to one stream; followers wake up when a line is whole."""
        if self._ring.write(stream, text, self._clock.now()):
            self._wake()
        for tap in self.taps:
            tap.put(stream, text)

    def end(self) -> None:
        """The run is over: followers stop after the last line."""
        self._ring.end(self._clock.now())
        self.ended = True
        self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def unfinished(self, stream: str) -> str:
        """What was written after the last line end: on a terminal, the prompt."""
        return self._ring.unfinished(stream)

    def text(self) -> str:
        """All of it, for a termination message."""
        return "".join(line.text for line in self._ring)

    async def read(self, query: LogQuery, *, follow: bool = False) -> AsyncIterator[bytes]:
        """What a query asks for, in chunks; with `follow`, until the run ends."""
        left = query.limit_bytes
        seen = self._ring.next_number
        lines = self._ring.select(query)
        while True:
            chunk = _render(lines, query)[:left]
            if chunk:
                yield chunk
            if left is not None:
                left -= len(chunk)
            if left == 0:
                return
            if seen == self._ring.next_number:
                if not follow or self.ended:
                    return
                await self._changed.wait()
            lines = self._ring.after(seen, query)
            seen = self._ring.next_number


class ContainerLogs:
    """Current and previous run of one container."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.current: RunLog | None = None
        self.previous: RunLog | None = None

    def begin(self) -> RunLog:
        """A new run starts; the one before it becomes the previous one."""
        if self.current is not None:
            self.previous = self.current
        self.current = RunLog(self._clock)
        return self.current


def _render(lines: list[LogLine], query: LogQuery) -> bytes:
    return "".join(line.render(timestamps=query.timestamps) for line in lines).encode(
        "utf-8", "replace"
    )
