"""Queries by UDP: each is answered from memory where that is possible, else with care."""

import asyncio
import logging
from typing import Any

from cluster.dns.accounts import socket_address
from cluster.dns.handler import QueryHandler
from cluster.dns.prepared import ID_BYTES
from cluster.wire.addresses import Protocol, SocketAddress
from cluster.wire.flow import Flow

log = logging.getLogger(__name__)


class QueryDatagrams(asyncio.DatagramProtocol):
    """For whatever loop there is: that of a pod's network too."""

    def __init__(self, handler: QueryHandler) -> None:
        self._handler = handler
        self._transport: asyncio.DatagramTransport | None = None
        self._server = SocketAddress("", 0)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        self._server = socket_address(transport.get_extra_info("sockname"))

    def datagram_received(self, data: bytes, addr: Any) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        began = self._handler.monotonic()
        memory = self._handler.memory()
        prepared = memory.hit(data[ID_BYTES:]) if memory is not None else None
        if memory is None or prepared is None:
            self._serve(data, addr, transport)
            return
        transport.sendto(data[:ID_BYTES] + prepared.rest, addr)
        self._handler.accounts.hit(prepared, addr, self._server, memory.zone, began)

    def _serve(self, data: bytes, addr: Any, transport: asyncio.DatagramTransport) -> None:
        def send(reply: bytes) -> None:
            if not transport.is_closing():
                transport.sendto(reply, addr)

        self._handler.serve(data, Flow(Protocol.UDP, socket_address(addr), self._server), send)

    def error_received(self, exc: Exception) -> None:
        log.debug("datagram error error=%s", exc)  # a client that has gone: nothing to do
