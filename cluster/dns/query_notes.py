"""Queries as they were answered, kept as notes until somebody looks at the trace.

A segment for each query would cost several times what the answer does. So a batch of queries is
noted as it is, and written to the recorder when somebody reads it, or at once while somebody
follows. As many are kept as the recorder keeps; the rest is counted there as forgotten (O-49).
"""

from collections import deque
from collections.abc import Callable, Sequence
from random import Random
from typing import NamedTuple

from cluster.dns.prepared import ID_BYTES, Prepared
from cluster.dns.query_record import query_detail, segment_of_query
from cluster.dns.zone import Zone
from cluster.trace.record import Segment
from cluster.trace.recorder import DNS_MAX, Recorder
from cluster.wire.addresses import Protocol, SocketAddress
from cluster.wire.dns import Message, decode
from cluster.wire.flow import Flow, Origin

ERAS_MAX = 16  # zones that are kept

OriginOf = Callable[[SocketAddress, Zone], Origin]


class NotedQueries(NamedTuple):
    """Queries of one transport and one zone, answered together or one after the other."""

    protocol: Protocol
    prepared: Sequence[Prepared]
    peer: Callable[[int], SocketAddress]  # who sent the one that `prepared[n]` answered
    server: SocketAddress
    began: Sequence[float]  # monotonic
    ended: Sequence[float]
    epoch: float  # what is to be added for the time of people


class QueryNotes:
    """The newest queries, not yet in the recorder."""

    def __init__(self, recorder: Recorder, origin: OriginOf, dice: Random) -> None:
        self._recorder = recorder
        self._origin = origin
        self._dice = dice
        self._eras: deque[_Era] = deque()
        self._queries = 0
        self._end = recorder.before_reading(self.write)

    def add(self, queries: NotedQueries, zone: Zone) -> None:
        """Note them; the oldest are forgotten once the newer ones fill the recorder's ring."""
        if not self._eras or self._eras[-1].zone is not zone:
            self._begin_era(zone)
        self._eras[-1].noted.append(queries)
        self._queries += len(queries.prepared)
        while self._queries - len(self._oldest().prepared) >= DNS_MAX:
            forgotten = len(self._take()[0].prepared)
            self._recorder.forgot("dns", forgotten)
        if self._recorder.followers:
            self.write()

    def write(self) -> None:
        """Record everything that was noted."""
        said: dict[int, Message] = {}  # by answer: the same one answers many queries
        while self._queries:
            queries, zone = self._take()
            for index, prepared in enumerate(queries.prepared):
                if prepared.told.asked:
                    message = said.get(id(prepared)) or decode(bytes(ID_BYTES) + prepared.rest)
                    said[id(prepared)] = message
                    self._recorder.record(self._segment(queries, index, message, zone))

    def close(self) -> None:
        """Record what was noted, and note nothing more."""
        self.write()
        self._end()

    def _begin_era(self, zone: Zone) -> None:
        """Who asks is told by the zone of the time; only so many zones are kept for it."""
        self._eras.append(_Era(zone, deque()))
        if len(self._eras) > ERAS_MAX:
            oldest = self._eras.popleft()
            self._eras[0].noted.extendleft(reversed(oldest.noted))

    def _oldest(self) -> NotedQueries:
        while not self._eras[0].noted:
            self._eras.popleft()
        return self._eras[0].noted[0]

    def _take(self) -> tuple[NotedQueries, Zone]:
        queries = self._oldest()
        self._eras[0].noted.popleft()
        self._queries -= len(queries.prepared)
        return queries, self._eras[0].zone

    def _segment(self, queries: NotedQueries, index: int, said: Message, zone: Zone) -> Segment:
        peer, told, began = queries.peer(index), queries.prepared[index].told, queries.began[index]
        return segment_of_query(
            Flow(queries.protocol, peer, queries.server),
            self._origin(peer, zone),
            query_detail(said.questions[0], said.rcode, said.answers),
            flow_id=f"{self._dice.getrandbits(64):016x}",
            process=self._recorder.process,
            rcode=said.rcode,
            why=told.why,
            at=queries.epoch + began,
            seconds=queries.ended[index] - began,
        )


class _Era(NamedTuple):
    """What was noted while the zone was this one."""

    zone: Zone
    noted: deque[NotedQueries]
