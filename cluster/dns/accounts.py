"""What is told of queries: counts for Prometheus, records for the trace.

Answers from memory are told of in batches: each answer counts its own hits until somebody reads the
metrics or it is forgotten, and the trace gets notes (`cluster.dns.query_notes`).
"""

from random import Random

from cluster.aio.clock import Clock
from cluster.dataclass import dataclass
from cluster.dns.memory import Reply
from cluster.dns.metrics import DnsMetrics
from cluster.dns.prepared import Prepared
from cluster.dns.query_notes import NotedQueries, OriginOf, QueryNotes
from cluster.dns.query_record import query_detail, segment_of_query
from cluster.dns.zone import Zone
from cluster.trace.recorder import Recorder
from cluster.wire.dns import Message
from cluster.wire.flow import Flow


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One query on its way."""

    raw: bytes
    flow: Flow
    zone: Zone
    began: float  # monotonic
    at: float


class Accounts:
    """Of one server."""

    def __init__(
        self, recorder: Recorder | None, *, clock: Clock, dice: Random, origin: OriginOf
    ) -> None:
        self.metrics = DnsMetrics()
        self._recorder = recorder
        self._notes = QueryNotes(recorder, origin, dice) if recorder else None
        self._clock = clock
        self._dice = dice
        self._origin = origin
        self._hits_family = ""

    def close(self) -> None:
        """Write what is not yet in the trace."""
        if self._notes is not None:
            self._notes.close()

    def hits(self, queries: NotedQueries) -> None:
        """Datagrams that were answered from memory, together."""
        for prepared in queries.prepared:
            prepared.hits += 1
        self.metrics.took(queries.seconds, len(queries.prepared))
        # All come to one socket, so all are of its family.
        self._hits_family = _family(queries.server.ip)
        if self._notes is not None:
            self._notes.add(queries)

    def settle(self, prepared: Prepared) -> None:
        """Count the hits of an answer."""
        if prepared.hits:
            self._count(prepared, "udp", self._hits_family, prepared.hits)
            prepared.hits = 0

    def answered(self, query: Received, reply: Reply) -> None:
        """One query that was answered by itself."""
        flow, seconds = query.flow, self._clock.monotonic() - query.began
        self.metrics.took(seconds)
        self._count(
            reply.prepared, flow.protocol.lower(), _family(flow.source.ip), 1, len(query.raw)
        )
        if self._notes is not None:
            self._notes.add(
                NotedQueries(
                    protocol=flow.protocol,
                    prepared=(reply.prepared,),
                    peer=lambda _: flow.source,
                    server=flow.destination,
                    zone=query.zone,
                    at=query.at,
                    seconds=seconds,
                )
            )

    def forwarded(self, query: Received, said: Message, bytes_out: int) -> None:
        """One query that another server answered."""
        flow, seconds = query.flow, self._clock.monotonic() - query.began
        question = said.questions[0] if said.questions else None
        self.metrics.took(seconds)
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
                at=query.at,
                seconds=seconds,
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


def _family(ip: str) -> str:
    """As CoreDNS numbers them."""
    return "2" if ":" in ip else "1"
