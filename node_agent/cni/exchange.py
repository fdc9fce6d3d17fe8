"""One DNS question and its answer over a pod's network, by UDP or TCP.

Implements `cluster.dns.resolver.Exchange`; whoever asks bounds the time. Spec: D-83, D-93, D-95.
"""

import asyncio
import socket
from typing import TYPE_CHECKING, Any

from cluster.aio.streams import close
from cluster.wire.addresses import SocketAddress
from cluster.wire.flow import FlowKind

if TYPE_CHECKING:
    from node_agent.cni.pod_network import PodNetwork


class PodExchange:
    """Asks as a program of the pod; its queries are DNS flows in the traces."""

    def __init__(self, pod: "PodNetwork") -> None:
        self._pod = pod

    async def udp(self, server: SocketAddress, query: bytes) -> bytes:
        """Ask by datagram."""
        answered: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        transport, _ = await self._pod.create_datagram_endpoint(
            lambda: _OneAnswer(answered, query[:2]), None, server, kind=FlowKind.DNS
        )
        try:
            transport.sendto(query)
            return await answered
        finally:
            transport.close()

    async def tcp(self, server: SocketAddress, query: bytes) -> bytes:
        """Ask by TCP, when the datagram's answer was truncated."""
        sock, _ = await self._pod.open(server, kind=FlowKind.DNS)
        loop = asyncio.get_running_loop()
        try:
            await loop.sock_sendall(sock, len(query).to_bytes(2, "big") + query)
            length = int.from_bytes(await _exactly(sock, 2), "big")
            return await _exactly(sock, length)
        finally:
            close(sock)


class _OneAnswer(asyncio.DatagramProtocol):
    def __init__(self, answered: "asyncio.Future[bytes]", query_id: bytes) -> None:
        self._answered = answered
        self._query_id = query_id

    def datagram_received(self, data: bytes, _: Any) -> None:
        if data[:2] == self._query_id and not self._answered.done():
            self._answered.set_result(data)

    def error_received(self, error: Exception) -> None:
        if not self._answered.done():
            self._answered.set_exception(error)


async def _exactly(sock: socket.socket, count: int) -> bytes:
    loop = asyncio.get_running_loop()
    parts: list[bytes] = []
    while count:
        part = await loop.sock_recv(sock, count)
        if not part:
            raise ConnectionResetError("the DNS server closed the connection in mid-answer")
        parts.append(part)
        count -= len(part)
    return b"".join(parts)
