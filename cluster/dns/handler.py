"""What happens to one query, whatever brought it: answer, or ask elsewhere; count it; record it."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

from cluster.aio.clock import Clock
from cluster.aio.tasks import Tasks
from cluster.dns.answer import Answer
from cluster.dns.forward import Forwarder
from cluster.dns.memory import AnswerMemory, Reply
from cluster.dns.metrics import DnsMetrics
from cluster.dns.query_record import query_detail, segment_of_query
from cluster.dns.response import response_of
from cluster.dns.zone import Zone
from cluster.errors import WireError
from cluster.trace.recorder import Recorder
from cluster.wire.addresses import Protocol, SocketAddress
from cluster.wire.dns import Message, Question, Rcode, decode, encode
from cluster.wire.flow import Flow, Origin

log = logging.getLogger(__name__)

FORWARDED_MAX = 2000  # queries waiting for somebody else; more are answered REFUSED

ZoneSource = Callable[[], Zone]
OriginOf = Callable[[SocketAddress, Zone], Origin]
Send = Callable[[bytes], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Query:
    """One query on its way."""

    raw: bytes
    flow: Flow
    zone: Zone
    began: float
    at: float


class QueryHandler:
    """Answers queries of both transports."""

    def __init__(
        self,
        zone_source: ZoneSource,
        recorder: Recorder | None,
        forwarder: Forwarder | None,
        *,
        clock: Clock,
        dice: Random,
        origin: OriginOf,
    ) -> None:
        self.metrics = DnsMetrics()
        self._zone_source = zone_source
        self._recorder = recorder
        self._forwarder = forwarder
        self._clock = clock
        self._dice = dice
        self._origin = origin
        self._tasks = Tasks(clock)
        self._memories = {
            Protocol.UDP: AnswerMemory(dice, udp=True),
            Protocol.TCP: AnswerMemory(dice, udp=False),
        }

    async def close(self) -> None:
        """Give up what is under way."""
        await self._tasks.close()

    def serve(self, raw: bytes, flow: Flow, send: Send) -> None:
        """Answer one message, now or later; our own mistake becomes SERVFAIL, not silence."""
        zone = self._zone_source()
        began, at = self._clock.monotonic(), self._clock.now()
        query = _Query(raw=raw, flow=flow, zone=zone, began=began, at=at)
        try:
            reply = self._memories[flow.protocol].reply(raw, zone)
            if reply is None:
                return
            if self._forwarder is not None and reply.answer and reply.answer.wants_another:
                self._start_forward(query, reply, self._forwarder, send)
                return
            send(reply.raw)
            why = reply.answer.reason if reply.answer else ""
            plugin = "kubernetes" if reply.answer and reply.answer.origin else ""
            self._account(query, reply.response.message, len(reply.raw), why, plugin)
        except Exception:
            log.exception("query failed client=%s", flow.source)
            self.metrics.panicked()
            send(_header_only(raw, Rcode.SERVFAIL))

    def _start_forward(self, query: _Query, reply: Reply, forwarder: Forwarder, send: Send) -> None:
        if len(self._tasks) >= FORWARDED_MAX:
            send(_header_only(query.raw, Rcode.REFUSED))
            return
        work = self._forward(query, reply, forwarder, send)
        self._tasks.start(work, name=f"forward {reply.question}")

    async def _forward(self, query: _Query, reply: Reply, forwarder: Forwarder, send: Send) -> None:
        answer = reply.answer
        assert answer is not None
        if answer.external is None:
            udp = query.flow.protocol is Protocol.UDP
            answered = await forwarder.forward(query.raw, udp=udp)
        else:
            message = await _with_external(decode(query.raw), answer, answer.external, forwarder)
            answered = encode(message, reply.response.bytes_max)
        send(answered)
        try:
            said = decode(answered)
        except WireError:
            said = replace(reply.response.message, rcode=Rcode.SERVFAIL, answers=())
        self._account(query, said, len(answered), "forwarded", "forward")

    def _account(self, query: _Query, said: Message, bytes_out: int, why: str, plugin: str) -> None:
        """Count a query and record it."""
        flow, seconds = query.flow, self._clock.monotonic() - query.began
        question = said.questions[0] if said.questions else None
        self.metrics.served(
            proto=flow.protocol.lower(),
            family="2" if ":" in flow.source.ip else "1",
            type_=question.type if question else None,
            rcode=said.rcode,
            plugin=plugin,
            dnssec_ok=said.edns is not None and said.edns.dnssec_ok,
            sizes=(len(query.raw), bytes_out),
            seconds=seconds,
        )
        if self._recorder is None or question is None:
            return
        self._recorder.record(
            segment_of_query(
                flow,
                self._origin(flow.source, query.zone),
                query_detail(question, said.rcode, said.answers),
                flow_id=f"{self._dice.getrandbits(64):016x}",
                process=self._recorder.process,
                rcode=said.rcode,
                why=why,
                at=query.at,
                seconds=seconds,
            )
        )


async def _with_external(
    query: Message, answer: Answer, target: str, forwarder: Forwarder
) -> Message:
    """An alias with what another server knows of its target; nothing if the lookup fails (D-45)."""
    question = Question(target, query.questions[0].type)
    asked = replace(query, questions=(question,), recursion_desired=True)
    try:
        found = await forwarder.ask(asked, udp=False)
    except WireError:
        found = asked.reply(Rcode.SERVFAIL)
    if found.rcode == Rcode.SERVFAIL:
        return response_of(query, replace(answer, answers=()))
    return response_of(query, replace(answer, answers=(*answer.answers, *found.answers)))


def _header_only(raw: bytes, rcode: Rcode) -> bytes:
    """A response of a header alone: id, opcode and RD as asked."""
    flags = (raw[2] & 0x79 | 0x80) << 8 | rcode
    return raw[:2] + flags.to_bytes(2, "big") + bytes(8)
