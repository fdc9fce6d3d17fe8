"""The recorder of one process: what it decided on each flow, in bounded rings, and who asks for it.

    ring        holds                                        so that
    dns         queries to and answers of the DNS            a resolver's search does not push out
    probes      the kubelet's probes                         traffic, nor do probes,
    delivered   flows that were delivered or passed on       nor a busy application
    refused     refused and dropped flows, and failed DNS    what failed is kept longest

Recording costs microseconds and never waits: a full ring forgets its oldest segment and counts it
in `lost`. Whoever decides faster than that keeps notes of its own and writes them as segments when
somebody looks (`before_reading`), or at once while somebody follows. A follower that reads too
slowly loses the oldest, and is told how many (O-49).
A flow is found by its id at once; any other query looks through the rings, newest first.
"""

import asyncio
import heapq
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

from cluster.aio.clock import Clock
from cluster.dataplane.decision import Code, Step
from cluster.errors import PoolExhausted
from cluster.trace.follower import Follower
from cluster.trace.query import Query
from cluster.trace.record import Hop, Outcome, Segment
from cluster.wire.flow import FlowKind

DNS_MAX = 2048
PROBES_MAX = 512
DELIVERED_MAX = 2048
REFUSED_MAX = 4096
FOLLOWERS_MAX = 64

_FAILED = (Outcome.REFUSED, Outcome.DROPPED)


class Recorder:
    """Keeps the segments of one process; not for other threads than the event loop's."""

    def __init__(
        self,
        process: str,
        clock: Clock,
        *,
        dns_max: int = DNS_MAX,
        probes_max: int = PROBES_MAX,
        delivered_max: int = DELIVERED_MAX,
        refused_max: int = REFUSED_MAX,
    ) -> None:
        self.process = process
        self.clock = clock
        self._rings = {
            "dns": _Ring(dns_max),
            "probes": _Ring(probes_max),
            "delivered": _Ring(delivered_max),
            "refused": _Ring(refused_max),
        }
        self._places: dict[str, tuple[tuple[_Ring, int], ...]] = {}  # flow id -> ring and serial
        self._serial = 0
        self._followers: set[Follower] = set()
        self._late: list[Callable[[], None]] = []

    def before_reading(self, write: Callable[[], None]) -> Callable[[], None]:
        """Let `write` record what it has noted before anybody reads; call what is returned to end.

        How many segments it has noted and forgotten itself, it tells by `forgot`.
        """
        self._late.append(write)
        return lambda: self._late.remove(write)

    def forgot(self, ring: str, segments: int) -> None:
        """Count segments that were noted, and forgotten before anybody read them."""
        self._rings[ring].lost += segments
        self._serial += segments

    def record(self, segment: Segment) -> None:
        """Keep a segment; a flow may have several in one process, told apart by their hops."""
        self._put(segment)
        for follower in self._followers:
            follower.offer(segment)

    def update(self, flow_id: str, *, opener: bool = False, **fields: Any) -> bool:
        """Replace fields of a flow's newest segment; False if that is forgotten already.

        `opener`: of the segment in which the flow began, which its program's own side tells of.
        """
        place = self._place(flow_id, opener)
        if place is None:
            return False
        ring, serial = place
        segment = replace(ring.segments[serial], **fields)
        if self._rings[_ring_of(segment)] is ring:
            ring.segments[serial] = segment
        else:
            del ring.segments[serial]
            self._forget(flow_id, serial)
            self._put(segment)
        for follower in self._followers:
            follower.offer(segment)
        return True

    def end(self, flow_id: str, step: Step, outcome: Outcome, **fields: Any) -> bool:
        """Add to a flow's newest segment the hop that ended it after it was decided (O-11)."""
        place = self._place(flow_id, opener=False)
        if place is None:
            return False
        hops = place[0].segments[place[1]].hops
        number = hops[-1].number + 1 if hops else 0
        return self.update(
            flow_id,
            hops=(*hops, Hop(number, self.process, step, self.clock.now())),
            outcome=outcome,
            code=step.code,
            reason=step.reason,
            next_process="",
            **fields,
        )

    def find(self, query: Query) -> list[Segment]:
        """The newest segments that match, newest last."""
        self._write_late()
        found = list(islice(filter(query.matches, self._candidates(query)), query.limit))
        found.reverse()
        return found

    async def wait_for(self, query: Query, seconds: float) -> list[Segment]:
        """As `find`, as soon as something matches and is complete, at most after some seconds."""
        found = self.find(query)
        if seconds <= 0 or _complete(found):
            return found
        with self.follow(query) as follower:
            try:
                async with asyncio.timeout(seconds):
                    async for _ in follower:
                        found = self.find(query)
                        if _complete(found):
                            break
            except TimeoutError:
                pass  # what there is, is the answer
        return found

    def follow(self, query: Query) -> Follower:
        """Segments that match from now on, again whenever they are updated.

        `with recorder.follow(query) as follower: async for segment in follower: ...`
        """
        if len(self._followers) >= FOLLOWERS_MAX:
            raise PoolExhausted(
                f"{self.process} has {FOLLOWERS_MAX} followers already: end one of them"
            )
        return Follower(query, self._followers)

    def close(self) -> None:
        """End every follower: their readers come to their end."""
        for follower in list(self._followers):
            follower.close()

    @property
    def followers(self) -> int:
        """How many follow."""
        return len(self._followers)

    @property
    def lost(self) -> dict[str, int]:
        """How many segments each ring has forgotten."""
        self._write_late()
        return {name: ring.lost for name, ring in self._rings.items()}

    @property
    def held(self) -> dict[str, int]:
        """How many segments each ring holds."""
        self._write_late()
        return {name: len(ring.segments) for name, ring in self._rings.items()}

    @property
    def recorded(self) -> int:
        """How many segments were ever kept; one that moved to another ring counts again."""
        self._write_late()
        return self._serial

    def _write_late(self) -> None:
        for write in self._late:
            write()

    def _put(self, segment: Segment) -> None:
        self._serial = serial = self._serial + 1
        ring = self._rings[_ring_of(segment)]
        ring.segments[serial] = segment
        held = self._places.get(segment.flow_id, ())
        self._places[segment.flow_id] = (*held, (ring, serial))
        if len(ring.segments) > ring.segments_max:
            oldest, forgotten = ring.segments.popitem(last=False)
            ring.lost += 1
            self._forget(forgotten.flow_id, oldest)

    def _place(self, flow_id: str, opener: bool) -> "tuple[_Ring, int] | None":
        places = self._places.get(flow_id, ())
        if not opener:
            return places[-1] if places else None
        return next((each for each in places if not _first_hop(each[0].segments[each[1]])), None)

    def _forget(self, flow_id: str, serial: int) -> None:
        left = tuple(place for place in self._places[flow_id] if place[1] != serial)
        if left:
            self._places[flow_id] = left
        else:
            del self._places[flow_id]

    def _candidates(self, query: Query) -> Iterator[Segment]:
        """Newest first."""
        if query.id is not None:
            places = reversed(self._places.get(query.id, ()))
            return iter([ring.segments[serial] for ring, serial in places])
        rings = [reversed(ring.segments.items()) for ring in self._rings.values()]
        merged = heapq.merge(*rings, key=_serial_of, reverse=True)
        return (segment for _, segment in merged)


class _Ring:
    """Segments by serial number, the oldest first."""

    __slots__ = ("lost", "segments", "segments_max")

    def __init__(self, segments_max: int) -> None:
        self.segments: OrderedDict[int, Segment] = OrderedDict()
        self.segments_max = segments_max
        self.lost = 0


def _ring_of(segment: Segment) -> str:
    if segment.kind is FlowKind.PROBE:
        return "probes"
    if segment.outcome in _FAILED and segment.code is not Code.NXDOMAIN:
        return "refused"
    if segment.kind is FlowKind.DNS:
        return "dns"
    return "refused" if segment.outcome in _FAILED else "delivered"


def _first_hop(segment: Segment) -> int:
    return segment.hops[0].number if segment.hops else 0


def _serial_of(item: tuple[int, Segment]) -> int:
    return item[0]


def _complete(segments: list[Segment]) -> bool:
    return bool(segments) and all(segment.complete for segment in segments)
