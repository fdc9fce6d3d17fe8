"""HTTP for the soak: a connection whose answers say which pod gave them, and by which node.

Used by the load outside and by the pods that call others. An answer is "POD ENTRY TOKEN": ENTRY is
the address that the pod saw, which is the node's by which the connection entered.
"""

import asyncio
import socket
from typing import NamedTuple

ANSWER_SECONDS = 10.0  # as patient as a client is


class Answer(NamedTuple):
    """Who answered, by which way, and what it was asked."""

    pod: str
    entry: str
    token: str


class Connection(asyncio.Protocol):
    """One request at a time."""

    def __init__(self) -> None:
        self.last: Answer | None = None  # the way that it goes is known by its last answer
        self.ends = False  # the server has said so, or has closed
        self._waiter: asyncio.Future[bytes] | None = None
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, end, body = self._buffer.partition(b"\r\n\r\n")
        if end and len(body) >= _length(head) and self._waiter and not self._waiter.done():
            self._buffer = b""
            self.ends = self.ends or b"onnection: close" in head
            self._waiter.set_result(body)

    def connection_lost(self, error: Exception | None) -> None:
        self.ends = True
        if self._waiter and not self._waiter.done():
            self._waiter.set_exception(error or ConnectionError("closed before the answer"))

    async def ask(self, token: str, *, close: bool = False) -> Answer:
        """The answer to a request with a token; OSError if there is none."""
        self._waiter = asyncio.get_running_loop().create_future()
        last = b"Connection: close\r\n" if close else b""
        self._transport.write(b"GET /%b HTTP/1.1\r\nHost: soak\r\n%b\r\n" % (token.encode(), last))
        async with asyncio.timeout(ANSWER_SECONDS):
            words = (await self._waiter).decode().split()
        self.last = Answer(*words)
        return self.last

    def close(self) -> None:
        """End it."""
        self._transport.close()


async def connect(host: str, port: int) -> Connection:
    """A new connection, by the pod's own network where a pod asks; OSError if there is none."""
    async with asyncio.timeout(ANSWER_SECONDS):
        _, made = await asyncio.get_running_loop().create_connection(Connection, host, port)
    return made


async def connect_from(source: str, host: str, port: int) -> Connection:
    """A new connection from an address; nothing is resolved, which would be a thread's to do."""
    loop = asyncio.get_running_loop()
    sock = socket.socket()
    try:
        sock.setblocking(False)
        sock.bind((source, 0))
        async with asyncio.timeout(ANSWER_SECONDS):
            await loop.sock_connect(sock, (host, port))
            _, made = await loop.create_connection(Connection, sock=sock)
    except BaseException:
        sock.close()
        raise
    return made


def _length(head: bytes) -> int:
    _, _, rest = head.partition(b"Content-Length: ")
    return int(rest.split(b"\r\n", 1)[0])
