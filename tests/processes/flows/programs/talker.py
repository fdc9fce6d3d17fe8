"""The pod of these tests: does what the first line of a connection asks, and remembers its end.

    echo                  sends back what comes, until the end of it
    who TOKEN             one line about itself, with the token; then as echo
    sink                  reads to the end, then says how much that was, and its SHA-256
    source COUNT          sends so many bytes and ends its side; then reads to the end
    half-close            says bye and ends its side; then reads to the end
    close                 says bye and closes
    reset                 resets the connection
    pause                 reads no more before it is told to `resume`; then as sink
    resume NAME           tells a paused connection so
    heard NAME            what a connection of that name heard, once that has ended

Any line may begin with `NAME:`; of such a connection its end is remembered. Ports: 7000 waits for
the line, 7001 says hello first, 7443 is 7000 by TLS, 8080 speaks HTTP and WebSocket.
"""

import asyncio
import hashlib
import os
import socket
import ssl
import struct
from pathlib import Path
from typing import Any

from aiohttp import WSMsgType, web

PIECE_BYTES = 64 * 1024
PATTERN = bytes(range(251)) * 1024  # its length divides no power of two
LINGER_ZERO = struct.pack("ii", 1, 0)
LIVES_REMEMBERED_MAX = 4096


class Heard:
    """How a named connection went, to be asked for once it has ended."""

    def __init__(self) -> None:
        self.count = 0
        self.digest = hashlib.sha256()
        self.end: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.resumed = asyncio.Event()

    def add(self, data: bytes) -> None:
        """Bytes have come."""
        self.count += len(data)
        self.digest.update(data)

    def __str__(self) -> str:
        return f"{self.count} {self.digest.hexdigest()}"


class Talker:
    """What all connections of one pod share."""

    def __init__(self, ctx: Any) -> None:
        self.ctx = ctx
        self.lives: dict[str, Heard] = {}

    def life(self, name: str) -> Heard:
        """That of a connection, whoever comes first: itself or who asks for it."""
        if name not in self.lives and len(self.lives) >= LIVES_REMEMBERED_MAX:
            del self.lives[next(iter(self.lives))]
        return self.lives.setdefault(name, Heard())

    async def greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Speak first."""
        writer.write(f"hello from {self.ctx.pod_name}\n".encode())
        await self.talk(reader, writer)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, from its first line to its end."""
        heard, end = Heard(), "end"
        try:
            line = (await reader.readline()).decode().split()
            if line and line[0].endswith(":"):
                heard = self.life(line.pop(0)[:-1])
            if line:
                await self._carry_out(line[0], line[1:], heard, reader, writer)
        except OSError as error:
            end = type(error).__name__
        except asyncio.CancelledError:
            end = "cancelled"
            raise
        finally:
            heard.end.set_result(end)
            writer.close()

    async def _carry_out(
        self,
        command: str,
        rest: list[str],
        heard: Heard,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        match command:
            case "echo":
                await _echo(heard, reader, writer)
            case "who":
                writer.write(f"{self._who(writer)} {' '.join(rest)}\n".encode())
                await _echo(heard, reader, writer)
            case "sink":
                await _sink(heard, reader, writer)
            case "source":
                await _source(int(rest[0]), writer)
                await _read(heard, reader)
            case "half-close":
                writer.write(b"bye\n")
                writer.write_eof()
                await _read(heard, reader)
            case "close":
                writer.write(b"bye\n")
            case "reset":
                sock = writer.get_extra_info("socket")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_ZERO)
                writer.transport.abort()
            case "pause":
                writer.transport.pause_reading()  # type: ignore[attr-defined]
                writer.write(b"paused\n")
                await heard.resumed.wait()
                writer.transport.resume_reading()  # type: ignore[attr-defined]
                await _sink(heard, reader, writer)
            case "resume":
                self.life(rest[0]).resumed.set()
                writer.write(b"resumed\n")
            case "heard":
                life = self.life(rest[0])
                end = await asyncio.shield(life.end)
                writer.write(f"{end} {life}\n".encode())
            case _:
                writer.write(f"what is {command}?\n".encode())

    def _who(self, writer: asyncio.StreamWriter) -> str:
        peer, own = (writer.get_extra_info(each) for each in ("peername", "sockname"))
        return f"{self.ctx.pod_name} {peer[0]}:{peer[1]} {own[0]}:{own[1]}"


async def _read(heard: Heard, reader: asyncio.StreamReader) -> None:
    while data := await reader.read(PIECE_BYTES):
        heard.add(data)


async def _echo(heard: Heard, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(PIECE_BYTES):
        heard.add(data)
        writer.write(data)
        await writer.drain()


async def _sink(heard: Heard, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await _read(heard, reader)
    writer.write(f"{heard}\n".encode())
    await writer.drain()


async def _source(count: int, writer: asyncio.StreamWriter) -> None:
    while count:
        data = PATTERN[:count]
        writer.write(data)
        await writer.drain()
        count -= len(data)
    writer.write_eof()


# HTTP


def application(talker: Talker) -> web.Application:
    """HTTP as its clients use it: keep-alive, bodies, WebSocket."""

    async def who(request: web.Request) -> web.Response:
        return web.json_response({"pod": talker.ctx.pod_name, "client": request.remote})

    async def echo(request: web.Request) -> web.Response:
        return web.Response(body=await request.read())

    async def talk(request: web.Request) -> web.WebSocketResponse:
        answer = web.WebSocketResponse()
        await answer.prepare(request)
        async for message in answer:
            if message.type is WSMsgType.TEXT:
                await answer.send_str(f"{talker.ctx.pod_name}: {message.data}")
            elif message.type is WSMsgType.BINARY:
                await answer.send_bytes(message.data)
        return answer

    app = web.Application(client_max_size=2**24)
    app.add_routes([web.get("/who", who), web.post("/echo", echo), web.get("/ws", talk)])
    return app


# TLS


def by_name(directory: Path) -> ssl.SSLContext:
    """A server's context that shows the certificate of the name that was asked for."""
    contexts = {}
    for path in sorted(directory.glob("*.pem")):
        contexts[path.stem] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        contexts[path.stem].load_cert_chain(path)
    first = next(iter(contexts.values()))

    def choose(connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        connection.context = contexts.get(name or "", first)

    first.sni_callback = choose
    return first


async def main(ctx: Any) -> int:
    """Serve until SIGTERM; what is being talked then ends with the container."""
    talker = Talker(ctx)
    servers = [
        await asyncio.start_server(talker.talk, "0.0.0.0", 7000),
        await asyncio.start_server(talker.greet, "0.0.0.0", 7001),
    ]
    if certificates := os.environ.get("CERTIFICATES"):
        context = by_name(Path(certificates))
        servers.append(await asyncio.start_server(talker.talk, "0.0.0.0", 7443, ssl=context))
    runner = web.AppRunner(application(talker), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "0.0.0.0", 8080).start()
    try:
        await ctx.until_terminated()
    finally:
        for server in servers:
            server.close()
        await runner.cleanup()
    return 0
