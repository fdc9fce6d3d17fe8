"""What is told of queries: counts for Prometheus, records for the trace.

Answers from memory are told of in batches: single ones wait for others, each answer counts its own
hits until somebody reads the metrics or it is forgotten, and the trace gets notes
(`cluster.dns.query_notes`). Whoever reads finds everything.
"""

from collections.abc import Callable, Collection, Sequence
from operator import sub
from random import Random
from typing import Any

from cluster.aio.clock import Clock
from cluster.dataclass import dataclass
from cluster.dns.memory import Reply
from cluster.dns.metrics import DnsMetrics
from cluster.dns.prepared import Prepared
from cluster.dns.query_notes import NotedQueries, OriginOf, QueryNotes
from cluster.dns.query_record import query_detail, segment_of_query
from cluster.dns.zone import Zone
from cluster.trace.recorder import Recorder
from cluster.wire.addresses import Protocol, SocketAddress
from cluster.wire.dns import Message
from cluster.wire.flow import Flow

SINGLES_MAX = 64

PeerOf = Callable[[int], SocketAddress]
Single = tuple[Prepared, Any, SocketAddress, float, float]  # as `hit` is told, and its end


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One query on its way."""

    raw: bytes
    flow: Flow
    zone: Zone
    began: float  # monotonic


class Accounts:
    """Of one server."""

    def __init__(
        self, recorder: Recorder | None, *, clock: Clock, dice: Random, origin: OriginOf
    ) -> None:
        self.metrics = DnsMetrics()
        self._recorder = recorder
        self._following: Collection[object] = recorder.following if recorder else ()
        self._singles: list[Single] = []
        self._singles_zone: Zone | None = None
        self._settled = recorder.before_reading(self.settle_singles) if recorder else _nothing
        self._notes = QueryNotes(recorder, origin, dice) if recorder else None
        self._clock = clock
        self._monotonic = clock.monotonic
        self._dice = dice
        self._origin = origin
        self._hits_family = ""

    def close(self) -> None:
        """Write what is not yet in the trace."""
        self.settle_singles()
        self._settled()
        if self._notes is not None:
            self._notes.close()

    # Answered from memory

    def hits(
        self,
        prepared: Sequence[Prepared],
        peer: PeerOf,
        server: SocketAddress,
        zone: Zone,
        began: float,
    ) -> None:
        """Datagrams answered together: `peer(n)` asked for `prepared[n]`."""
        if self._singles:
            self.settle_singles()
        count, ended = len(prepared), self._monotonic()
        self.metrics.took(ended - began, count)
        self._hits(prepared, peer, server, zone, (began,) * count, (ended,) * count)

    def hit(
        self, prepared: Prepared, peer: Any, server: SocketAddress, zone: Zone, began: float
    ) -> None:
        """One datagram answered by itself; `peer` as a socket or a transport names it."""
        if zone is not self._singles_zone:
            self.settle_singles()
            self._singles_zone = zone
        singles = self._singles
        singles.append((prepared, peer, server, began, self._monotonic()))
        if self._following or len(singles) >= SINGLES_MAX:
            self.settle_singles()

    def settle_singles(self) -> None:
        """Tell of those that wait for others."""
        if not self._singles:
            return
        singles, self._singles = self._singles, []
        prepared, peers, servers, began, ended = zip(*singles, strict=True)
        self.metrics.took_each(list(map(sub, ended, began)))
        zone = self._singles_zone
        assert zone is not None
        self._hits(prepared, lambda n: socket_address(peers[n]), servers[0], zone, began, ended)

    def _hits(
        self,
        prepared: Sequence[Prepared],
        peer: PeerOf,
        server: SocketAddress,
        zone: Zone,
        began: Sequence[float],
        ended: Sequence[float],
    ) -> None:
        for each in prepared:
            each.hits += 1
        # All come to one socket, so all are of its family.
        self._hits_family = _family(server.ip)
        self._note(NotedQueries(Protocol.UDP, prepared, peer, server, began, ended, 0.0), zone)

    def _note(self, queries: NotedQueries, zone: Zone) -> None:
        if self._notes is not None:
            epoch = self._clock.now() - self._monotonic()
            self._notes.add(queries._replace(epoch=epoch), zone)

    def settle(self, prepared: Prepared) -> None:
        """Count the hits of an answer."""
        if prepared.hits:
            self._count(prepared, "udp", self._hits_family, prepared.hits)
            prepared.hits = 0

    # Answered with care

    def answered(self, query: Received, reply: Reply) -> None:
        """One query that was answered by itself."""
        self.settle_singles()
        flow, ended = query.flow, self._monotonic()
        proto, family = flow.protocol.lower(), _family(flow.source.ip)
        self.metrics.took(ended - query.began)
        self._count(reply.prepared, proto, family, 1, len(query.raw))
        one, source = (reply.prepared,), flow.source
        times = (query.began,), (ended,)
        noted = NotedQueries(flow.protocol, one, lambda _: source, flow.destination, *times, 0.0)
        self._note(noted, query.zone)

    def forwarded(self, query: Received, said: Message, bytes_out: int) -> None:
        """One query that another server answered."""
        self.settle_singles()
        flow, ended = query.flow, self._monotonic()
        question = said.questions[0] if said.questions else None
        self.metrics.took(ended - query.began)
        self.metrics.served(
            proto=flow.protocol.lower(),
            family=_family(flow.source.ip),
            type_=question.type if question else None,
            rcode=said.rcode,
            plugin="forward",
            dnssec_ok=said.edns is not None and said.edns.dnssec_ok,
            sizes=(len(query.raw), bytes_out),
        )
        if self._recorder is None or self._notes is None or question is None:
            return
        self._notes.write()  # they were answered before
        self._recorder.record(
            segment_of_query(
                flow,
                self._origin(flow.source, query.zone),
                query_detail(question, said.rcode, said.answers),
                flow_id=f"{self._dice.getrandbits(64):016x}",
                process=self._recorder.process,
                rcode=said.rcode,
                why="forwarded",
                at=self._clock.now() - (ended - query.began),
                seconds=ended - query.began,
            )
        )

    def _count(
        self, prepared: Prepared, proto: str, family: str, count: int, query_bytes: int = 0
    ) -> None:
        told = prepared.told
        self.metrics.served(
            proto=proto,
            family=family,
            type_=told.type,
            rcode=told.rcode,
            plugin=told.plugin,
            dnssec_ok=told.dnssec_ok,
            sizes=(query_bytes or told.query_bytes, prepared.bytes_sent),
            count=count,
        )


def socket_address(address: Any) -> SocketAddress:
    """What a loop calls an address, without what IPv6 has besides."""
    return SocketAddress(str(address[0]), int(address[1]))


def _nothing() -> None:
    """Nobody reads."""


def _family(ip: str) -> str:
    """As CoreDNS numbers them."""
    return "2" if ":" in ip else "1"
