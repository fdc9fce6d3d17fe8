"""What a node remembers of flows: live ones by both their tuples, and session affinity.

Pure: state machines; the time is passed in, everything is bounded, each step costs O(1).

    UDP   nothing -> UNREPLIED (30 s) -> first reply -> STREAM (120 s) -> silence -> nothing
    TCP   nothing -> ESTABLISHED (5 days) -> close -> nothing

Every state has one time-out, so its entries lie in the order of their last datagram, and those that
expire are always the first ones.
Spec: S-64, S-68 to S-73, S-106, S-125 to S-129, N-15, N-86.
"""

from collections import OrderedDict
from collections.abc import Collection, Iterator
from enum import StrEnum

from cluster.dataclass import dataclass
from cluster.dataplane.decision import AffinityKey, Code, Drop, Pin, Verdict
from cluster.wire.addresses import Protocol, SocketAddress
from cluster.wire.flow import Flow, FlowContext

CONNTRACK_ENTRIES_MAX = 65536
AFFINITY_RECORDS_MAX = 65536
PORT_TRIES_MAX = 128
EPHEMERAL_FIRST, EPHEMERAL_LAST = 32768, 60999


class FlowState(StrEnum):
    """How far a flow has come."""

    UNREPLIED = "UNREPLIED"
    STREAM = "STREAM"
    ESTABLISHED = "ESTABLISHED"


TIMEOUT_SECONDS = {  # S-129, and Linux' own for TCP
    FlowState.UNREPLIED: 30.0,
    FlowState.STREAM: 120.0,
    FlowState.ESTABLISHED: 432000.0,
}
_STREAM_SECONDS = TIMEOUT_SECONDS[FlowState.STREAM]


class Direction(StrEnum):
    """Which of a flow's two tuples something bears (O-15)."""

    ORIGINAL = "original"
    REPLY = "reply"


@dataclass(slots=True, kw_only=True, eq=False)
class Entry:
    """A live flow: as it came in, as it went on, what was decided."""

    original: Flow
    translated: Flow
    context: FlowContext
    verdict: Verdict
    state: FlowState
    timeout_seconds: float
    opened: float
    last_seen: float
    closed: bool = False  # the table has forgotten it

    @property
    def expires(self) -> float:
        """When it ends if nothing more is seen of it."""
        return self.last_seen + self.timeout_seconds


class Conntrack:
    """The live flows of one node."""

    def __init__(self, entries_max: int = CONNTRACK_ENTRIES_MAX) -> None:
        self._entries_max = entries_max
        self._by_tuple: dict[Flow, tuple[Entry, Direction]] = {}
        self._by_front: dict[tuple[Protocol, SocketAddress], dict[Flow, Entry]] = {}
        self._by_endpoint: dict[tuple[Protocol, SocketAddress], dict[Flow, Entry]] = {}
        self._queues: dict[FlowState, OrderedDict[Entry, None]] = {
            state: OrderedDict() for state in FlowState
        }
        self._unreplied = self._queues[FlowState.UNREPLIED]
        self._streams = self._queues[FlowState.STREAM]
        self._count = 0

    def open(
        self,
        original: Flow,
        translated: Flow,
        context: FlowContext,
        verdict: Verdict,
        *,
        now: float,
    ) -> Entry | Drop:
        """Remember a new flow, one that `find` does not know.

        Its translated source port changes where that tuple is taken (S-106): go on with the entry's
        `translated`. Drop: the table is full, or no source port is free.
        """
        self.expire(now)
        held = self._by_tuple.get(original)
        if held is not None:
            self._remove(held[0])
        if self._count >= self._entries_max:
            reason = f"the connection table is full: {self._count} of {self._entries_max} flows"
            return Drop(Code.TABLE_FULL, reason)
        free = self._free(original, translated)
        if free is None:
            reason = f"{PORT_TRIES_MAX} source ports were tried for {translated}, none is free"
            return Drop(Code.NO_MAPPING, reason)
        tcp = original.protocol is Protocol.TCP
        state = FlowState.ESTABLISHED if tcp else FlowState.UNREPLIED
        entry = Entry(
            original=original,
            translated=free,
            context=context,
            verdict=verdict,
            state=state,
            timeout_seconds=TIMEOUT_SECONDS[state],
            opened=now,
            last_seen=now,
        )
        self._insert(entry)
        return entry

    def find(self, flow: Flow, *, now: float) -> tuple[Entry, Direction] | None:
        """The live flow that has this tuple, in one direction or the other."""
        found = self._by_tuple.get(flow)
        return found if found is not None and found[0].expires > now else None

    def seen(self, flow: Flow, *, now: float) -> tuple[Entry, Direction] | None:
        """`find`, and note that something of the flow went by; a reply makes it a stream."""
        found = self._by_tuple.get(flow)
        return found if found is not None and self.touch(*found, now=now) else None

    def touch(self, entry: Entry, direction: Direction, *, now: float) -> bool:
        """Note that something of a known flow went by; False if the flow is live no more."""
        if entry.closed or entry.expires <= now:
            return False
        entry.last_seen = now
        if entry.state is FlowState.STREAM:
            self._streams.move_to_end(entry)
        elif entry.state is FlowState.ESTABLISHED:
            self._queues[entry.state].move_to_end(entry)
        elif direction is Direction.ORIGINAL:
            self._unreplied.move_to_end(entry)
        else:
            del self._unreplied[entry]
            entry.state, entry.timeout_seconds = FlowState.STREAM, _STREAM_SECONDS
            self._streams[entry] = None
        return True

    def close(self, entry: Entry) -> None:
        """Forget a flow that ended; again is fine."""
        held = self._by_tuple.get(entry.original)
        if held is not None and held[0] is entry:
            self._remove(entry)

    def expire(self, now: float) -> list[Entry]:
        """Forget the flows whose time is up, and name them."""
        expired: list[Entry] = []
        for queue in self._queues.values():
            while queue:
                entry = next(iter(queue))
                if entry.expires > now:
                    break
                self._remove(entry)
                expired.append(entry)
        return expired

    def forget_endpoint(self, endpoint: SocketAddress, protocol: Protocol) -> list[Entry]:
        """Forget the UDP flows to an endpoint that is gone (S-126); TCP lives on (S-125)."""
        return self._forget(self._by_endpoint.get((protocol, endpoint)), ())

    def forget_except(
        self, front: SocketAddress, protocol: Protocol, serving: Collection[SocketAddress]
    ) -> list[Entry]:
        """Forget the UDP flows to a front that went anywhere but to an endpoint that serves it:
        S-126; also those that went through before the front had endpoints (S-127)."""
        return self._forget(self._by_front.get((protocol, front)), serving)

    def entries(self, *, now: float) -> Iterator[Entry]:
        """Every live flow, for listings."""
        for queue in self._queues.values():
            yield from [entry for entry in queue if entry.expires > now]

    def __len__(self) -> int:
        return self._count

    def _forget(
        self, entries: dict[Flow, Entry] | None, serving: Collection[SocketAddress]
    ) -> list[Entry]:
        stale = [
            entry
            for entry in (entries or {}).values()
            if entry.original.protocol is not Protocol.TCP
            and entry.translated.destination not in serving
        ]
        for entry in stale:
            self._remove(entry)
        return stale

    def _free(self, original: Flow, translated: Flow) -> Flow | None:
        """The translated flow, from a source port whose reply tuple is not another flow's."""
        if translated.reply() not in self._by_tuple:
            return translated
        if translated == original:
            return None
        width = EPHEMERAL_LAST - EPHEMERAL_FIRST + 1
        start = translated.source.port
        for step in range(1, PORT_TRIES_MAX + 1):
            port = EPHEMERAL_FIRST + (start - EPHEMERAL_FIRST + step) % width
            moved = translated.by(SocketAddress(translated.source.ip, port))
            if moved.reply() not in self._by_tuple:
                return moved
        return None

    def _insert(self, entry: Entry) -> None:
        original, translated = entry.original, entry.translated
        self._by_tuple[translated.reply()] = (entry, Direction.REPLY)
        self._by_tuple[original] = (entry, Direction.ORIGINAL)
        front, endpoint = _front(entry), _endpoint(entry)
        self._by_front.setdefault(front, {})[original] = entry
        self._by_endpoint.setdefault(endpoint, {})[original] = entry
        self._queues[entry.state][entry] = None
        self._count += 1

    def _remove(self, entry: Entry) -> None:
        original = entry.original
        for flow in (original, entry.translated.reply()):
            self._by_tuple.pop(flow, None)  # one key only, where a socket talks to itself
        for index, key in ((self._by_front, _front(entry)), (self._by_endpoint, _endpoint(entry))):
            index[key].pop(original, None)
            if not index[key]:
                del index[key]
        del self._queues[entry.state][entry]
        entry.closed = True
        self._count -= 1


def _front(entry: Entry) -> tuple[Protocol, SocketAddress]:
    return entry.original.protocol, entry.original.destination


def _endpoint(entry: Entry) -> tuple[Protocol, SocketAddress]:
    return entry.original.protocol, entry.translated.destination


class AffinityTable:
    """ClientIP affinity of one node: who was sent where, for as long as it counts (S-68)."""

    def __init__(self, records_max: int = AFFINITY_RECORDS_MAX) -> None:
        self._records_max = records_max
        self._records: OrderedDict[AffinityKey, tuple[SocketAddress, float]] = OrderedDict()

    def lookup(self, key: AffinityKey, *, now: float) -> SocketAddress | None:
        """The remembered endpoint, if its time is not up."""
        found = self._records.get(key)
        return found[0] if found is not None and found[1] > now else None

    def remember(self, pin: Pin, *, now: float) -> None:
        """Remember a choice; the timer begins anew (S-69). Full: the one used longest ago goes."""
        self._records[pin.key] = (pin.endpoint, now + pin.timeout_seconds)
        self._records.move_to_end(pin.key)
        # Two at most for one that came: the table shrinks by itself, and no step is long.
        for _ in range(2):
            oldest = next(iter(self._records))
            if self._records[oldest][1] > now and len(self._records) <= self._records_max:
                break
            del self._records[oldest]

    def __len__(self) -> int:
        return len(self._records)
