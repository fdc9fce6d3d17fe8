"""What the zone does not know, asked of other servers.

The protocol follows the client's: UDP by UDP with its truncation, TCP by TCP (D-114). A server that
does not answer is followed by the next one, in random order (D-113), until the deadline; then
SERVFAIL (D-117). What a server answers is passed on as it is, whatever its rcode (D-119). Beyond
CONCURRENT_MAX queries at once: REFUSED (D-118).
"""

import asyncio
from collections.abc import Sequence
from random import Random
from typing import Any

from cluster.wire.addresses import SocketAddress
from cluster.wire.dns import MESSAGE_BYTES_MAX, Message, Rcode, decode, encode

READ_SECONDS = 2.0
DEADLINE_SECONDS = 5.0
CONCURRENT_MAX = 1000
UPSTREAMS_MAX = 15  # D-113


class Forwarder:
    """Asks the upstream servers."""

    def __init__(self, upstreams: Sequence[SocketAddress], dice: Random) -> None:
        if not 1 <= len(upstreams) <= UPSTREAMS_MAX:
            raise ValueError(f"{len(upstreams)} upstream servers, from 1 to {UPSTREAMS_MAX} work")
        self._upstreams = tuple(upstreams)
        self._dice = dice
        self._asking = 0
        self.rejected = 0  # queries refused because too many were under way

    async def forward(self, query: bytes, *, udp: bool) -> bytes:
        """The answer to a query's bytes, its id kept; the caller's header where nobody answers."""
        if self._asking >= CONCURRENT_MAX:
            self.rejected += 1
            return failure(query, Rcode.REFUSED)
        self._asking += 1
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                return await self._try_all(query, udp=udp)
        except (TimeoutError, OSError):
            return failure(query, Rcode.SERVFAIL)
        finally:
            self._asking -= 1

    async def ask(self, message: Message, *, udp: bool) -> Message:
        """As `forward`, for a message of our own."""
        return decode(await self.forward(encode(message), udp=udp))

    async def _try_all(self, query: bytes, *, udp: bool) -> bytes:
        order = self._dice.sample(self._upstreams, len(self._upstreams))
        for upstream in order[:-1]:
            try:
                return await self._one(upstream, query, udp=udp)
            except (TimeoutError, OSError):
                continue
        return await self._one(order[-1], query, udp=udp)

    async def _one(self, upstream: SocketAddress, query: bytes, *, udp: bool) -> bytes:
        exchange = _by_udp if udp else _by_tcp
        async with asyncio.timeout(READ_SECONDS):
            return await exchange(upstream, query)


def failure(query: bytes, rcode: Rcode) -> bytes:
    """The bare response to a query that was read before."""
    return encode(decode(query).reply(rcode))


async def _by_udp(upstream: SocketAddress, query: bytes) -> bytes:
    loop = asyncio.get_running_loop()
    answered: asyncio.Future[bytes] = loop.create_future()
    transport, _ = await loop.create_datagram_endpoint(
        lambda: _OneAnswer(answered, query[:2]), remote_addr=(upstream.ip, upstream.port)
    )
    try:
        transport.sendto(query)
        return await answered
    finally:
        transport.close()


class _OneAnswer(asyncio.DatagramProtocol):
    """Takes the first datagram that bears the query's id."""

    def __init__(self, answered: "asyncio.Future[bytes]", query_id: bytes) -> None:
        self._answered = answered
        self._query_id = query_id

    def datagram_received(self, data: bytes, addr: Any) -> None:
        if data[:2] == self._query_id and not self._answered.done():
            self._answered.set_result(data)

    def error_received(self, exc: Exception) -> None:
        if not self._answered.done():
            self._answered.set_exception(exc)


async def _by_tcp(upstream: SocketAddress, query: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(upstream.ip, upstream.port)
    try:
        writer.write(len(query).to_bytes(2, "big") + query)
        await writer.drain()
        length = int.from_bytes(await reader.readexactly(2), "big")
        assert length <= MESSAGE_BYTES_MAX
        return await reader.readexactly(length)
    except asyncio.IncompleteReadError as error:
        raise ConnectionResetError(f"{upstream} closed the connection in mid-answer") from error
    finally:
        writer.close()
