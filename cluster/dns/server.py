"""The DNS server: UDP and TCP, on the host or in a pod, from a zone that somebody keeps current.

    datagram or TCP message -> memory -> response -> zone.answer        at once
                                                  -> forwarder          what the zone does not know

The zone is asked for at every query, so a change counts from the next query on.
Spec: D-93 to D-102; RFC 7766 for TCP.
"""

import asyncio
from collections.abc import Sequence
from random import Random

from cluster.aio.clock import Clock, SystemClock
from cluster.dns.accounts import socket_address
from cluster.dns.datagrams import QueryDatagrams
from cluster.dns.forward import Forwarder
from cluster.dns.handler import QueryHandler, ZoneSource
from cluster.dns.metrics import DnsMetrics
from cluster.dns.monitoring import Monitoring
from cluster.dns.query_notes import OriginOf
from cluster.dns.query_record import origin_of
from cluster.dns.query_socket import QuerySocket
from cluster.trace.recorder import Recorder
from cluster.wire.addresses import Protocol, SocketAddress
from cluster.wire.flow import Flow

TCP_IDLE_SECONDS = 10.0
TCP_CONNECTIONS_MAX = 512
TCP_QUERIES_MAX = 1024  # of one connection; then it is closed, and the client opens another
BIND_ATTEMPTS = 16  # to find a port that is free for both, when any port will do


class DnsServer:
    """Answers from the zone that `zone_source` gives; records each query if it has a recorder.

    `own_socket`: datagrams come to a socket of the machine's, which no pod's program can have.
    """

    def __init__(
        self,
        zone_source: ZoneSource,
        recorder: Recorder | None = None,
        *,
        own_socket: bool = False,
        forward: Sequence[SocketAddress] = (),
        clock: Clock | None = None,
        dice: Random | None = None,
        origin: OriginOf = origin_of,
    ) -> None:
        self._handler = QueryHandler(
            zone_source,
            recorder,
            Forwarder(forward, dice or Random()) if forward else None,
            clock=clock or (recorder.clock if recorder else SystemClock()),
            dice=dice or Random(),
            origin=origin,
        )
        self._own_socket = own_socket
        self._udp: asyncio.DatagramTransport | QuerySocket | None = None
        self._tcp: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self.monitoring = Monitoring(lambda: zone_source().synced, self.metrics.text)

    @property
    def metrics(self) -> DnsMetrics:
        """What it counts."""
        return self._handler.accounts.metrics

    async def start(
        self,
        host: str,
        port: int,
        *,
        health_port: int | None = None,
        ready_port: int | None = None,
        metrics_port: int | None = None,
    ) -> SocketAddress:
        """Listen on UDP and TCP, on the same port; where it is told, on what CoreDNS has besides.

        Ready means that the zone is synced (D-123).
        """
        address = await self._listen(host, port)
        await self.monitoring.start(
            host, health_port=health_port, ready_port=ready_port, metrics_port=metrics_port
        )
        return address

    async def close(self) -> None:
        """Stop listening and end every connection."""
        await self.monitoring.close()
        if self._udp is not None:
            self._udp.close()
        if self._tcp is not None:
            self._tcp.close()
        for writer in list(self._writers):
            writer.close()
        await self._handler.close()

    # Listening

    async def _listen(self, host: str, port: int) -> SocketAddress:
        for attempt in range(BIND_ATTEMPTS):
            self._tcp = await asyncio.start_server(self._serve_stream, host, port)
            bound = int(self._tcp.sockets[0].getsockname()[1])
            try:
                await self._listen_udp(host, bound)
            except OSError:
                self._tcp.close()
                if port or attempt == BIND_ATTEMPTS - 1:
                    raise
                continue
            return SocketAddress(host, bound)
        raise AssertionError("the loop returns or raises")

    async def _listen_udp(self, host: str, port: int) -> None:
        if self._own_socket:
            self._udp = QuerySocket(self._handler, SocketAddress(host, port))
            self._udp.start()
            return
        loop = asyncio.get_running_loop()
        self._udp, _ = await loop.create_datagram_endpoint(
            lambda: QueryDatagrams(self._handler), local_addr=(host, port)
        )

    async def _serve_stream(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if len(self._writers) >= TCP_CONNECTIONS_MAX:
            writer.close()
            return
        self._writers.add(writer)
        try:
            await self._serve_queries(reader, writer)
        except (TimeoutError, asyncio.IncompleteReadError, ConnectionError):
            pass  # idle for too long, or gone: the client asks anew if it wants to (D-95)
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _serve_queries(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        peer = socket_address(writer.get_extra_info("peername"))
        flow = Flow(Protocol.TCP, peer, socket_address(writer.get_extra_info("sockname")))

        def send(reply: bytes) -> None:
            if not writer.is_closing():
                writer.write(len(reply).to_bytes(2, "big") + reply)

        for _ in range(TCP_QUERIES_MAX):
            async with asyncio.timeout(TCP_IDLE_SECONDS):
                length = int.from_bytes(await reader.readexactly(2), "big")
                raw = await reader.readexactly(length)
                self._handler.serve(raw, flow, send)
                await writer.drain()
