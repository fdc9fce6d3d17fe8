"""Queries as they were answered, kept as notes until somebody looks at the trace.

A segment for each query would cost several times what the answer does. So a batch of queries is
noted as it is, and written to the recorder when somebody reads it, or at once while somebody
follows. As many are kept as the recorder keeps; the rest is counted there as forgotten (O-49).
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from cluster.dns.prepared import ID_BYTES, Prepared
from cluster.dns.query_record import query_detail, segment_of_query
from cluster.dns.zone import Zone
from cluster.trace.record import Segment
from cluster.trace.recorder import DNS_MAX, Recorder
from cluster.wire.addresses import Protocol, SocketAddress
from cluster.wire.dns import Message, decode
from cluster.wire.flow import Flow, Origin

OriginOf = Callable[[SocketAddress, Zone], Origin]


@dataclass(frozen=True, slots=True, kw_only=True)
class NotedQueries:
    """Queries answered together; `peer(n)` is who sent the one that `prepared[n]` answered."""

    protocol: Protocol
    prepared: Sequence[Prepared]
    peer: Callable[[int], SocketAddress]
    server: SocketAddress
    zone: Zone
    at: float
    seconds: float


class QueryNotes:
    """The newest queries, not yet in the recorder."""

    def __init__(self, recorder: Recorder, origin: OriginOf, dice: Random) -> None:
        self._recorder = recorder
        self._origin = origin
        self._dice = dice
        self._batches: deque[NotedQueries] = deque()
        self._queries = 0
        self._end = recorder.before_reading(self.write)

    def add(self, queries: NotedQueries) -> None:
        """Note them; the oldest are forgotten once the newer ones fill the recorder's ring."""
        self._batches.append(queries)
        self._queries += len(queries.prepared)
        while self._queries - len(self._batches[0].prepared) >= DNS_MAX:
            forgotten = len(self._batches.popleft().prepared)
            self._queries -= forgotten
            self._recorder.forgot("dns", forgotten)
        if self._recorder.followers:
            self.write()

    def write(self) -> None:
        """Record everything that was noted."""
        said: dict[int, Message] = {}  # by answer: the same one answers many queries
        while self._batches:
            queries = self._batches.popleft()
            self._queries -= len(queries.prepared)
            for index, prepared in enumerate(queries.prepared):
                if prepared.told.asked:
                    message = said.get(id(prepared)) or decode(bytes(ID_BYTES) + prepared.rest)
                    said[id(prepared)] = message
                    self._recorder.record(self._segment(queries, index, message))

    def close(self) -> None:
        """Record what was noted, and note nothing more."""
        self.write()
        self._end()

    def _segment(self, queries: NotedQueries, index: int, said: Message) -> Segment:
        peer, told = queries.peer(index), queries.prepared[index].told
        return segment_of_query(
            Flow(queries.protocol, peer, queries.server),
            self._origin(peer, queries.zone),
            query_detail(said.questions[0], said.rcode, said.answers),
            flow_id=f"{self._dice.getrandbits(64):016x}",
            process=self._recorder.process,
            rcode=said.rcode,
            why=told.why,
            at=queries.at,
            seconds=queries.seconds,
        )
