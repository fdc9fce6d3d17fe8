"""What runs in the pods, and just the same outside the cluster: `python://tests.benchmarks.pods`.

`server` listens on PORTS: a protocol that answers from bytes it has ready (what a Python pod can at
most), an aiohttp application, a sink and a source. `client` asks another server when told to.
"""

import asyncio
import struct
from collections.abc import Sequence
from dataclasses import asdict

from aiohttp import web

from tests.benchmarks.client import ask

MINIMAL, AIOHTTP, SINK, SOURCE, CLIENT = 8080, 8081, 8082, 8083, 8084
PORTS = (MINIMAL, AIOHTTP, SINK, SOURCE)
BACKLOG = 4096
BLOCK = 256 * 1024
TOTAL = struct.Struct("!Q")  # ends a bulk transfer: how many bytes it was
EVERYWHERE = "0.0.0.0"
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n"
KEPT = _HEAD + b"\r\nhello\n"
CLOSED = _HEAD + b"Connection: close\r\n\r\nhello\n"


class Minimal(asyncio.Protocol):
    """One answer for each request; clients do not send the next one before they have it."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        if b"onnection: close" in data:
            self._transport.write(CLOSED)
            self._transport.close()
        else:
            self._transport.write(KEPT)


class Sink(asyncio.BufferedProtocol):
    """Takes everything; at the end it says how much that was."""

    def __init__(self) -> None:
        self._buffer = bytearray(BLOCK)
        self._total = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]

    def get_buffer(self, sizehint: int) -> bytearray:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        self._total += nbytes

    def eof_received(self) -> None:
        self._transport.write(TOTAL.pack(self._total))  # then it closes by itself


class Source(asyncio.Protocol):
    """Sends for as long as it is not told to stop; then how much that was."""

    def __init__(self) -> None:
        self._block = bytes(BLOCK)
        self._total = 0
        self._paused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]
        asyncio.get_running_loop().call_soon(self._fill)

    def _fill(self) -> None:
        while not self._paused and not self._transport.is_closing():
            self._transport.write(self._block)
            self._total += BLOCK

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self._fill()

    def data_received(self, data: bytes) -> None:
        self._transport.write(TOTAL.pack(self._total))
        self._transport.close()


def application() -> web.Application:
    """The same answer from aiohttp."""

    async def hello(_: web.Request) -> web.Response:
        return web.Response(text="hello\n")

    app = web.Application()
    app.router.add_get("/", hello)
    return app


def asking() -> web.Application:
    """Asks whom it is told to, for as long as it is told, and says what came of it."""

    async def run(request: web.Request) -> web.Response:
        query = request.query
        asked = await ask(
            query["host"], int(query["port"]), int(query["clients"]), float(query["seconds"])
        )
        return web.json_response(asdict(asked))

    async def ready(_: web.Request) -> web.Response:
        return web.Response(text="ready\n")

    app = web.Application()
    app.router.add_get("/run", run)
    app.router.add_get("/", ready)
    return app


async def server() -> None:
    """The pod that is asked."""
    await serve(EVERYWHERE, PORTS)


async def client() -> None:
    """The pod that asks."""
    await serve_client(EVERYWHERE, CLIENT)


async def serve(host: str, ports: Sequence[int]) -> None:
    """Serve on four ports, until cancelled."""
    loop = asyncio.get_running_loop()
    minimal, aiohttp, sink, source = ports
    for protocol, port in ((Minimal, minimal), (Sink, sink), (Source, source)):
        await loop.create_server(protocol, host, port, backlog=BACKLOG)
    await _serve_application(application(), host, aiohttp)


async def serve_client(host: str, port: int) -> None:
    """Serve the one that asks, until cancelled."""
    await _serve_application(asking(), host, port)


async def _serve_application(app: web.Application, host: str, port: int) -> None:
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, host, port, backlog=BACKLOG).start()
    try:
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()
