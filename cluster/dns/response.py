"""The response to a message: what DNS itself demands, around what the zone answers.

    malformed, or not one question   FORMERR        version of EDNS above 0      BADVERS
    another opcode                   NOTIMP         outside the zone             REFUSED

Pure: a message and a zone in, a response out. Spec: D-66, D-93 to D-102; RFC 1035, RFC 6891.
"""

from dataclasses import replace

from cluster.dataclass import dataclass
from cluster.dns.answer import Answer
from cluster.dns.zone import Zone
from cluster.errors import WireError
from cluster.wire.dns import (
    EDNS_VERSION,
    HEADER_BYTES,
    MESSAGE_BYTES_MAX,
    UDP_BYTES_PLAIN,
    Address,
    Edns,
    Message,
    Opcode,
    Question,
    Rcode,
    decode,
)

UDP_BYTES_MAX = 65000  # a datagram that is carried inside another holds a little less than 65507


@dataclass(frozen=True, slots=True)
class Response:
    """A response, and the zone's answer in it if the zone was asked."""

    message: Message
    bytes_max: int  # what the asker can take
    answer: Answer | None = None
    datagram_bytes_max: int = UDP_BYTES_PLAIN  # what it could take in a datagram

    @property
    def question(self) -> Question | None:
        """What was asked, if it was one question."""
        return self.message.questions[0] if self.message.questions else None

    @property
    def shuffles(self) -> bool:
        """Whether its addresses come in another order each time (D-102)."""
        return sum(isinstance(each.data, Address) for each in self.message.answers) > 1


def respond(raw: bytes, zone: Zone, *, udp: bool) -> Response | None:
    """The response to a message; None for one that gets none: a response, or no header at all."""
    if len(raw) < HEADER_BYTES or raw[2] & 0x80:
        return None
    try:
        query = decode(raw)
    except WireError:
        return Response(_malformed(raw), UDP_BYTES_PLAIN)
    datagram_max = _datagram_bytes_max(query)
    bytes_max = datagram_max if udp else MESSAGE_BYTES_MAX
    error = _error(query)
    if error is not None:
        return Response(_with_edns(query, query.reply(error)), bytes_max)
    answer = zone.answer(query.questions[0])
    return Response(response_of(query, answer), bytes_max, answer, datagram_max)


def response_of(query: Message, answer: Answer) -> Message:
    """The message that carries an answer (D-98, D-100)."""
    message = replace(
        query.reply(answer.rcode),
        authoritative=answer.authoritative,
        answers=answer.answers,
        authority=answer.authority,
        additional=answer.additional,
    )
    return _with_edns(query, message)


def _error(query: Message) -> Rcode | None:
    """What is wrong with a query before its question is looked at."""
    if query.opcode == Opcode.NOTIFY:
        return Rcode.REFUSED  # nobody's secondary
    if query.opcode != Opcode.QUERY:
        return Rcode.NOTIMP
    if len(query.questions) != 1:
        return Rcode.FORMERR
    if query.edns is not None and query.edns.version != EDNS_VERSION:
        return Rcode.BADVERS
    return None


def _malformed(raw: bytes) -> Message:
    """FORMERR with what can be read of the header: id, opcode, RD."""
    return Message(
        id=int.from_bytes(raw[:2], "big"),
        response=True,
        opcode=raw[2] >> 3 & 0xF,
        recursion_desired=bool(raw[2] & 1),
        rcode=Rcode.FORMERR,
    )


def _with_edns(query: Message, message: Message) -> Message:
    """OPT goes back to whoever sent one (D-94)."""
    if query.edns is None:
        return message
    asked = query.edns
    return replace(message, edns=Edns(udp_bytes=asked.udp_bytes, dnssec_ok=asked.dnssec_ok))


def _datagram_bytes_max(query: Message) -> int:
    wanted = query.edns.udp_bytes if query.edns else UDP_BYTES_PLAIN
    return min(max(wanted, UDP_BYTES_PLAIN), UDP_BYTES_MAX)
