"""A UDP flow that a node carries, and the ways into it: one look at its entry, then off.

    pod's socket, node port's client, other process ──> Way ──> its entry is seen ──> onward or back

A way is kept by who sends, under whatever it knows the flow by. It sends as long as the flow lives;
then the next datagram is looked for in the table, and decided anew if it is not there. The ways of
flows that have ended are swept out as ways are added, at a cost that is constant for each.
"""

from collections.abc import Callable, Sequence

from cluster.aio.clock import Clock
from cluster.dataclass import dataclass
from cluster.dataplane.conntrack import Conntrack, Direction, Entry
from cluster.trace.record import ClientSaw

SWEEP_FIRST = 256

Payloads = Sequence[bytes]
# `at_once`: nobody's program is at work, so that a pod's may be given its datagrams here and now.
Out = Callable[[Payloads, bool], None]


@dataclass(frozen=True, slots=True)
class Sender:
    """Where a flow came from: how its replies and its refusals go back."""

    reply: Out
    refuse: Callable[[], None]
    refused_sees: ClientSaw = ClientSaw.REFUSED


@dataclass(slots=True, eq=False)
class Carried:
    """A live flow of this node, beside its entry in the table."""

    entry: Entry
    onward: Out
    sender: Sender
    opened_here: bool
    replied: Callable[["Carried"], None]  # called at the first reply
    bytes_in: int = 0
    bytes_out: int = 0

    def forward(self, payloads: Payloads, at_once: bool) -> None:
        """From the flow's source to its destination."""
        self.bytes_in += sum(map(len, payloads))
        self.onward(payloads, at_once)

    def back(self, payloads: Payloads, at_once: bool) -> None:
        """From the flow's destination to its source."""
        if not self.bytes_out:
            self.replied(self)
        self.bytes_out += sum(map(len, payloads))
        self.sender.reply(payloads, at_once)


class Way:
    """One direction of a flow, for who sends more of it."""

    __slots__ = ("_clock", "_direction", "_send", "_table", "carried")

    def __init__(
        self, table: Conntrack, carried: Carried, direction: Direction, clock: Clock
    ) -> None:
        self.carried = carried
        self._clock = clock
        self._table = table
        self._direction = direction
        self._send = carried.forward if direction is Direction.ORIGINAL else carried.back

    @property
    def lives(self) -> bool:
        """Whether its flow does."""
        entry = self.carried.entry
        return not entry.closed and entry.expires > self._clock.monotonic()

    def send(self, payloads: Payloads, *, now: float | None = None, at_once: bool = False) -> bool:
        """Send datagrams of the flow; False, and nothing is sent, if it lives no more."""
        if now is None:
            now = self._clock.monotonic()
        if not self._table.touch(self.carried.entry, self._direction, now=now):
            return False
        self._send(payloads, at_once)
        return True


class Ways:
    """Ways by what their senders know them by; bounded, since a way that is lost is found again."""

    def __init__(self, ways_max: int) -> None:
        self._ways_max = ways_max
        self._ways: dict[object, Way] = {}
        self._sweep_at = min(SWEEP_FIRST, ways_max)
        self.find = self._ways.get

    def keep(self, key: object, way: Way | None) -> None:
        """Remember a way, or that there is none."""
        if way is None:
            self._ways.pop(key, None)
            return
        if len(self._ways) >= self._sweep_at and key not in self._ways:
            self._sweep()
        self._ways[key] = way

    def _sweep(self) -> None:
        for key in [key for key, way in self._ways.items() if not way.lives]:
            del self._ways[key]
        if len(self._ways) >= self._ways_max:
            self._ways.clear()
        self._sweep_at = min(max(SWEEP_FIRST, 2 * len(self._ways)), self._ways_max)

    def __len__(self) -> int:
        return len(self._ways)
