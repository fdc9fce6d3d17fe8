"""One try to reach something: who tries, what for, and which flow it turns out to be.

A pod's kubelet names the flow of a connection that stands or is refused. Nobody names one that is
met with silence, or an outside client's: those are found among the flows that the processes have
recorded since, by their source.
"""

from collections.abc import Iterable

from cluster.dataclass import dataclass
from cluster.dataplane.decision import Code
from cluster.trace.client import collect
from cluster.trace.join import Trace
from cluster.trace.query import ANY_PORT, Query
from cluster.trace.record import Outcome, Segment
from cluster.traffic.access import Access, Station
from cluster.traffic.place import Place
from cluster.traffic.resolve import Target
from cluster.wire.addresses import Protocol, SocketAddress
from cluster.wire.flow import FlowKind

CLOCKS_DIFFER_SECONDS = 0.005  # between reading the time here and in a process
_ANSWERED = (Code.NXDOMAIN, Code.NODATA)


@dataclass(slots=True, kw_only=True)
class Attempt:
    """What is known so far; filled in as it goes on."""

    place: Place
    host: str
    port: int
    protocol: Protocol = Protocol.TCP
    started: float  # seconds since 1970
    flow_id: str = ""
    source: SocketAddress | None = None  # the real local address of an outside client
    target: Target | None = None  # what an outside client dials
    station: Station | None = None  # where a pod or node dials
    refusal: Trace | None = None  # the decision behind a refusal that no process saw

    def __str__(self) -> str:
        return f"{self.host}:{self.port} from {self.place}"


async def name_flow(access: Access, attempt: Attempt) -> str:
    """The id of the attempt's flow, "" when no process has recorded one; noted in the attempt."""
    if not attempt.flow_id:
        source = _source(access, attempt)
        if source is not None:
            since = attempt.started - CLOCKS_DIFFER_SECONDS
            only = attempt.protocol if attempt.source is not None else None  # a pod's query is UDP
            query = Query(source=source, protocol=only, since=since)
            found = await collect(
                await access.endpoints(),
                query,
                wait=access.flow_seconds,
                access=access.remote,
                enough=lambda segments: bool(_own(attempt, segments)),
            )
            own = _own(attempt, found.segments)
            attempt.flow_id = newest(own or filter(_lost_query, found.segments))
    return attempt.flow_id


def _source(access: Access, attempt: Attempt) -> SocketAddress | None:
    """The flow's source inside the emulated world; a pod's own port is not known."""
    if attempt.source is not None:
        return SocketAddress(access.clients.client_of(attempt.source.ip), attempt.source.port)
    if attempt.station is not None and attempt.station.ip:
        return SocketAddress(attempt.station.ip, ANY_PORT)
    return None


def _own(attempt: Attempt, segments: Iterable[Segment]) -> list[Segment]:
    """First segments of flows that can be this attempt's."""
    opened = [each for each in segments if each.hops and each.hops[0].number == 0]
    return [each for each in opened if attempt.source is not None or _same_target(attempt, each)]


def _lost_query(segment: Segment) -> bool:
    """Whether a query came to no DNS server: what waits for its answer has not begun.

    One that a server answers is told by its code.
    """
    failed = segment.outcome in (Outcome.DROPPED, Outcome.REFUSED)
    return segment.kind is FlowKind.DNS and failed and segment.code not in _ANSWERED


def _same_target(attempt: Attempt, segment: Segment) -> bool:
    """Whether a pod's flow went to the host and port of the attempt."""
    if segment.code in (*_ANSWERED, Code.DNS_UNANSWERED):
        return any(hop.step.detail.get("name") == attempt.host for hop in segment.hops)
    original, destination = segment.original, segment.original.destination
    if (original.protocol, destination.port) != (attempt.protocol, attempt.port):
        return False
    asked = segment.hops[0].step.detail.get("name")
    return attempt.host in (destination.ip, asked)


def newest(segments: Iterable[Segment]) -> str:
    """The id of the flow that started last, "" of none."""
    latest = max(segments, key=lambda each: each.started, default=None)
    return latest.flow_id if latest else ""
