"""Responses remembered by the bytes of their query, for as long as the zone is the same.

The same question comes again and again, byte for byte but for its id; then nothing is decoded,
looked up or encoded. Bounded: when it is full it starts anew. A change of the zone empties it, so
nothing stale is ever answered (it is no cache in the sense of D-103).
"""

from dataclasses import dataclass
from random import Random

from cluster.dns.answer import Answer
from cluster.dns.response import Response, respond, shuffled
from cluster.dns.zone import Zone
from cluster.wire.dns import Question, encode

REMEMBERED_MAX = 4096
REMEMBERED_BYTES_MAX = 1024  # a longer query or response is made anew each time
ID_BYTES = 2


@dataclass(frozen=True, slots=True)
class Reply:
    """A response ready to be sent, and what is to be told of it."""

    raw: bytes
    response: Response

    @property
    def question(self) -> Question | None:
        """What was asked."""
        return self.response.question

    @property
    def answer(self) -> Answer | None:
        """What the zone said."""
        return self.response.answer


class AnswerMemory:
    """Replies for one transport."""

    def __init__(self, dice: Random, *, udp: bool) -> None:
        self._dice = dice
        self._udp = udp
        self._zone: Zone | None = None
        self._replies: dict[bytes, Reply] = {}

    def reply(self, query: bytes, zone: Zone) -> Reply | None:
        """The reply to a query; None if it gets none."""
        if zone is not self._zone:
            self._zone = zone
            self._replies.clear()
        key = query[ID_BYTES:]
        known = self._replies.get(key)
        if known is None:
            known = self._new(query, key, zone)
            if known is None:
                return None
        if not known.response.shuffles:
            return Reply(query[:ID_BYTES] + known.raw[ID_BYTES:], known.response)
        message = shuffled(known.response.message, self._dice)
        raw = encode(message, known.response.bytes_max)
        return Reply(query[:ID_BYTES] + raw[ID_BYTES:], known.response)

    def _new(self, query: bytes, key: bytes, zone: Zone) -> Reply | None:
        response = respond(query, zone, udp=self._udp)
        if response is None:
            return None
        reply = Reply(encode(response.message, response.bytes_max), response)
        if max(len(query), len(reply.raw)) > REMEMBERED_BYTES_MAX:
            return reply
        if len(self._replies) >= REMEMBERED_MAX:
            self._replies.clear()
        self._replies[key] = reply
        return reply

    def __len__(self) -> int:
        return len(self._replies)
