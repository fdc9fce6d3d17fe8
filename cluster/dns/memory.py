"""Answers remembered by the bytes of their query, for as long as the zone says the same.

    query[2:] -> young -> Prepared            the same question, byte for byte but for its id
                 old   -> young               asked again in time
                 response -> zone.answer      made with care, and remembered

Nothing is decoded, looked up or encoded for a question that was answered before. Each answer knows
what it was read from (`cluster.dns.witness`): in another zone it is used if that is unchanged. So a
change throws away only the answers that it changes, and nothing stale is ever answered (it is no
cache in the sense of D-103). EDNS options change no answer: a client's cookie makes no other one.
Bounded: once the young are as many as may be, they become the old, and the old are forgotten.
"""

from collections.abc import Callable
from random import Random

from cluster.dataclass import dataclass
from cluster.dns.prepared import ID_BYTES, Prepared
from cluster.dns.query_key import without_options
from cluster.dns.response import Response, respond
from cluster.dns.witness import holds, kept, maps_of, witnessed
from cluster.dns.zone import Zone

GENERATION_MAX = 16_384  # answers; there are two generations
GENERATION_BYTES_MAX = 8 * 1024 * 1024
REMEMBERED_BYTES_MAX = 16 * 1024  # a longer query or answer is made anew each time

Gone = Callable[[Prepared], None]


@dataclass(frozen=True, slots=True)
class Reply:
    """A response ready to be sent, and what is to be told of it."""

    raw: bytes
    prepared: Prepared
    response: Response | None  # if it was made for this query


class AnswerMemory:
    """Replies for one transport.

    `shared`: the memory for datagrams, for one that is for streams; what fits a datagram is there.
    `forwards`: what another server may know better is not remembered. `gone` is told of each answer
    before it is forgotten, so that its hits are counted.
    """

    def __init__(
        self,
        dice: Random,
        *,
        udp: bool,
        shared: "AnswerMemory | None" = None,
        forwards: bool = False,
        gone: Gone | None = None,
    ) -> None:
        self._dice = dice
        self._udp = udp
        self._shared = shared
        self._forwards = forwards
        self._gone = gone or _nobody
        self.zone = Zone()  # what is answered from
        self._maps = maps_of(self.zone)
        self._epoch = 0
        self._young: dict[bytes, Prepared] = {}
        self._old: dict[bytes, Prepared] = {}
        self._young_bytes = 0

    def turn_to(self, zone: Zone) -> None:
        """Answer from this zone from now on."""
        before = self.zone
        if zone is before:
            return
        if (zone.settings, zone.synced) != (before.settings, before.synced):
            self._clear()
        self.zone = zone
        self._maps = maps_of(zone)
        self._epoch += 1

    def hit(self, key: bytes) -> Prepared | None:
        """The answer to a message whose bytes behind the id are `key`, if it is remembered."""
        prepared = self._young.get(key)
        if prepared is None or prepared.epoch != self._epoch:
            prepared = self._search(key, prepared)
            if prepared is None:
                return None
        if prepared.orders is not None:
            prepared.turn()
        return prepared

    def reply(self, query: bytes, zone: Zone) -> Reply | None:
        """The reply to a query; None if it gets none."""
        self.turn_to(zone)
        plain = without_options(query)
        prepared = self._remembered(plain[ID_BYTES:], zone)
        if prepared is not None:
            return Reply(query[:ID_BYTES] + prepared.rest, prepared, None)
        return self._new(plain, zone)

    def settle(self) -> None:
        """Tell of every answer, so that its hits are counted."""
        for generation in (self._young, self._old):
            for prepared in generation.values():
                self._gone(prepared)

    def _remembered(self, key: bytes, zone: Zone) -> Prepared | None:
        if self._shared is not None:
            self._shared.turn_to(zone)
            prepared = self._shared.hit(key)
            if prepared is not None and not prepared.truncated:
                return prepared
        return self.hit(key)

    def _search(self, key: bytes, prepared: Prepared | None) -> Prepared | None:
        """As `hit`, where a look at the young was not enough."""
        if prepared is None:
            prepared = self._old.pop(key, None)
            if prepared is None:
                return None
            self._keep(key, prepared)
        if prepared.epoch == self._epoch:
            return prepared
        if holds(prepared.facts, self._maps):
            prepared.renew(self.zone.serial, self._epoch)
            return prepared
        del self._young[key]
        self._young_bytes -= _size(key, prepared)
        self._gone(prepared)
        return None

    def _new(self, query: bytes, zone: Zone) -> Reply | None:
        same, notes = witnessed(zone)
        response = respond(query, same, udp=self._udp)
        if response is None:
            return None
        prepared = Prepared.of(query, response, zone, self._dice)
        raw, key = query[:ID_BYTES] + prepared.rest, query[ID_BYTES:]
        if self._is_kept(key, prepared, response):
            fits = len(raw) <= response.datagram_bytes_max
            home = self._shared if self._shared is not None and fits else self
            prepared.facts, prepared.epoch = kept(notes), home._epoch
            home._keep(key, prepared)
        return Reply(raw, prepared, response)

    def _is_kept(self, key: bytes, prepared: Prepared, response: Response) -> bool:
        answer = response.answer
        if answer is None or (self._forwards and answer.wants_another):
            return False
        return max(len(key), len(prepared.rest)) <= REMEMBERED_BYTES_MAX

    def _keep(self, key: bytes, prepared: Prepared) -> None:
        size = _size(key, prepared)
        if len(self._young) >= GENERATION_MAX or self._young_bytes + size > GENERATION_BYTES_MAX:
            self._forget(self._old)
            self._old, self._young, self._young_bytes = self._young, {}, 0
        self._young[key] = prepared
        self._young_bytes += size

    def _clear(self) -> None:
        for generation in (self._young, self._old):
            self._forget(generation)
        self._young, self._old, self._young_bytes = {}, {}, 0

    def _forget(self, generation: dict[bytes, Prepared]) -> None:
        for prepared in generation.values():
            self._gone(prepared)

    def __len__(self) -> int:
        return len(self._young) + len(self._old)


def _size(key: bytes, prepared: Prepared) -> int:
    return len(key) + prepared.bytes_held


def _nobody(_: Prepared) -> None:
    """Nobody counts."""
