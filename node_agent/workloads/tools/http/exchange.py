"""One HTTP connection of a pod: connect, perhaps TLS, one request, its response as it comes.

The calls are asyncio's own, so they are the pod's connections and have traces. Whoever uses this
bounds the time.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator

from cluster.aio.streams import close
from node_agent.workloads.tools.http.message import (
    HEAD_BYTES_MAX,
    BadMessage,
    Framing,
    Head,
    chunk_size,
    framing,
    parse_head,
)

READ_BYTES = 16384
INFORMATIONAL_MAX = 16  # heads of 1xx before the one that counts


class EmptyReply(ConnectionError):
    """The server closed without a word."""


class Cut(ConnectionError):
    """The connection ended in the middle of a body; `missing` bytes, or -1 when nobody knows."""

    def __init__(self, missing: int) -> None:
        super().__init__("transfer closed")
        self.missing = missing


class Connection:
    """A connection to a server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self.remote: tuple[str, int] = tuple(writer.get_extra_info("peername")[:2])
        self.local: tuple[str, int] = tuple(writer.get_extra_info("sockname")[:2])
        self.tls: ssl.SSLObject | None = writer.get_extra_info("ssl_object")

    async def send(self, data: bytes) -> None:
        """Send bytes; waits while the server is slow."""
        self._writer.write(data)
        await self._writer.drain()

    async def head(self) -> Head:
        """The head of a response; EmptyReply when nothing comes."""
        try:
            raw = await self._reader.readuntil(b"\n\r\n")
        except asyncio.IncompleteReadError as error:
            if not error.partial:
                raise EmptyReply from None
            raw = error.partial
        except asyncio.LimitOverrunError:
            raise BadMessage(f"Too large response headers: more than {HEAD_BYTES_MAX}") from None
        return parse_head(raw)

    async def body(self, method: str, head: Head) -> AsyncIterator[bytes]:
        """The body as it comes; Cut when it ends early."""
        match framing(method, head):
            case Framing.LENGTH:
                async for part in self._exactly(head.content_length or 0):
                    yield part
            case Framing.CHUNKS:
                async for part in self._chunks():
                    yield part
            case Framing.CLOSE:
                while part := await self._reader.read(READ_BYTES):
                    yield part

    async def _exactly(self, count: int) -> AsyncIterator[bytes]:
        while count:
            part = await self._reader.read(min(count, READ_BYTES))
            if not part:
                raise Cut(count)
            count -= len(part)
            yield part

    async def _chunks(self) -> AsyncIterator[bytes]:
        while True:
            line = await self._line()
            size = chunk_size(line)
            if not size:
                while (await self._line()).strip():  # trailers
                    pass
                return
            async for part in self._exactly(size):
                yield part
            await self._line()

    async def _line(self) -> bytes:
        try:
            line = await self._reader.readline()
        except ValueError:
            raise BadMessage("chunk line too long") from None
        if not line.endswith(b"\n"):
            raise Cut(-1)
        return line

    def close(self) -> None:
        """Close it."""
        self._writer.close()

    def abort(self) -> None:
        """Leave it at once, whatever has not been sent."""
        self._writer.transport.abort()


async def resolve(host: str, port: int, family: int = 0) -> list[str]:
    """The addresses of a host, by the pod's resolver."""
    found = await asyncio.get_running_loop().getaddrinfo(
        host, port, family=family, type=socket.SOCK_STREAM
    )
    return [str(each[4][0]) for each in found]


async def connected(ip: str, port: int) -> socket.socket:
    """A TCP connection of the pod."""
    sock = socket.socket(socket.AF_INET6 if ":" in ip else socket.AF_INET, socket.SOCK_STREAM)
    sock.setblocking(False)
    try:
        await asyncio.get_running_loop().sock_connect(sock, (ip, port))
    except BaseException:
        close(sock)
        raise
    return sock


async def connection(
    sock: socket.socket, context: ssl.SSLContext | None, server_hostname: str
) -> Connection:
    """HTTP on a connected socket, with TLS where there is a context; ssl.SSLError."""
    name = server_hostname if context is not None else None
    try:
        reader, writer = await asyncio.open_connection(
            sock=sock, ssl=context, server_hostname=name, limit=HEAD_BYTES_MAX
        )
    except BaseException:
        sock.close()  # unless the loop holds it: then it is closed by the loop
        raise
    return Connection(reader, writer)


def tls_context(*, ca: str | None, verify: bool) -> ssl.SSLContext:
    """What a client trusts: the certificates in a text, nobody without one, or anybody."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if not verify:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    elif ca is not None:
        context.load_verify_locations(cadata=ca)
    return context
