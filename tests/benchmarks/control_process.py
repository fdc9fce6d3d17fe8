"""A control plane of its own, as `python -m control` starts it, and raw HTTP/1.1 to its socket.

One request at a time on a connection; bytes are written and counted by hand, so that the client
costs little beside the server.
"""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

from tests.benchmarks.bench_cluster import ROOT, cpu_seconds, environment, proportional_kib

READY_SECONDS = 60.0
ANSWER_SECONDS = 60.0
STOP_SECONDS = 20
_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")


class BenchControl:
    """Control with a durable store, in a directory of its own."""

    def __init__(self, directory: Path) -> None:
        self.socket = directory / "control.sock"
        self.kubeconfig = directory / "kubeconfig"
        options = {
            "--bind": "127.0.0.1:0",
            "--socket": self.socket,
            "--data": directory / "store",
            "--pki": directory.parent / "pki",
            "--kubeconfig": self.kubeconfig,
            "--log-file": directory / "control.log",
        }
        reading, writing = os.pipe()
        given = [str(each) for pair in options.items() for each in pair]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "control", *given, "--ready-fd", str(writing)],
            cwd=ROOT,
            env=environment(directory.parent),
            pass_fds=[writing],
        )
        os.close(writing)
        with os.fdopen(reading) as ready:
            told = json.loads(ready.readline() or "{}")
        if not told.get("ready"):
            raise RuntimeError(f"control did not get ready: {directory / 'control.log'}")
        self.cpu_when_listening = cpu_seconds(self._process.pid)

    @property
    def cpu(self) -> float:
        """CPU seconds so far."""
        return cpu_seconds(self._process.pid)

    @property
    def mebibytes(self) -> float:
        """Proportional memory now."""
        return proportional_kib(self._process.pid)["Pss"] / 1024

    def stop(self) -> None:
        """End it."""
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(STOP_SECONDS)


class Connection(asyncio.Protocol):
    """One connection to the API's socket."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._answered: asyncio.Future[bytes] | None = None
        self._parts: list[bytes] = []
        self._missing = -1

    @classmethod
    async def open(cls, path: Path) -> "Connection":
        """A connected one."""
        loop = asyncio.get_running_loop()
        _, made = await loop.create_unix_connection(cls, str(path))
        return made

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    async def ask(self, method: str, path: str, body: bytes = b"", kind: str = "json") -> bytes:
        """The answer's body; anything but a success is an error."""
        assert self._transport is not None
        head = f"{method} {path} HTTP/1.1\r\nHost: control\r\nContent-Type: application/{kind}\r\n"
        self._answered = asyncio.get_running_loop().create_future()
        self._parts, self._missing = [], -1
        self._transport.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        async with asyncio.timeout(ANSWER_SECONDS):
            return await self._answered

    def data_received(self, data: bytes) -> None:
        if self._missing < 0:
            head, separator, rest = b"".join([*self._parts, data]).partition(b"\r\n\r\n")
            if not separator:
                self._parts.append(data)
                return
            length = _LENGTH.search(head)
            if not head.startswith(b"HTTP/1.1 20") or length is None:
                self._fail(RuntimeError(f"answered {head[:200]!r} {rest[:300]!r}"))
                return
            self._parts, self._missing, data = [], int(length[1]), rest
        self._parts.append(data)
        self._missing -= len(data)
        if self._missing <= 0 and self._answered is not None and not self._answered.done():
            self._answered.set_result(b"".join(self._parts))

    def connection_lost(self, error: Exception | None) -> None:
        self._fail(ConnectionResetError(f"closed before the answer: {error}"))

    def _fail(self, error: Exception) -> None:
        if self._answered is not None and not self._answered.done():
            self._answered.set_exception(error)

    def close(self) -> None:
        """Close it."""
        if self._transport is not None:
            self._transport.close()


class WatcherConnection(asyncio.Protocol):
    """One watch: counts events, by the newline that ends each, and notes when they came."""

    def __init__(self, request: bytes) -> None:
        self._request = request
        self._transport: asyncio.Transport | None = None
        self._wanted = 0
        self._arrived: asyncio.Future[None] | None = None
        self._begun: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.events = 0

    @classmethod
    async def open(cls, path: Path, target: str) -> "WatcherConnection":
        """One that watches."""
        request = f"GET {target} HTTP/1.1\r\nHost: control\r\n\r\n".encode()
        _, made = await asyncio.get_running_loop().create_unix_connection(
            lambda: cls(request), str(path)
        )
        await made._begun
        return made

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        assert self._transport is not None
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        if not self._begun.done():
            self._begun.set_result(None)
        self.events += data.count(b"}\n")
        if self._arrived is not None and self.events >= self._wanted and not self._arrived.done():
            self._arrived.set_result(None)

    async def until(self, events: int) -> None:
        """Wait for that many in all."""
        self._wanted = events
        if self.events < events:
            self._arrived = asyncio.get_running_loop().create_future()
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._arrived

    def close(self) -> None:
        """Close it."""
        if self._transport is not None:
            self._transport.close()
