"""What happens to one query, whatever brought it: answer, or ask elsewhere; count it; record it."""

import logging
from collections.abc import Callable
from dataclasses import replace
from random import Random

from cluster.aio.clock import Clock
from cluster.aio.tasks import Tasks
from cluster.dns.accounts import Accounts, Received
from cluster.dns.answer import Answer
from cluster.dns.forward import Forwarder
from cluster.dns.memory import AnswerMemory
from cluster.dns.query_notes import OriginOf
from cluster.dns.response import Response, response_of
from cluster.dns.zone import Zone
from cluster.errors import WireError
from cluster.trace.recorder import Recorder
from cluster.wire.addresses import Protocol
from cluster.wire.dns import Message, Question, Rcode, decode, encode
from cluster.wire.flow import Flow

log = logging.getLogger(__name__)

FORWARDED_MAX = 2000  # queries waiting for somebody else; more are answered REFUSED

ZoneSource = Callable[[], Zone]
Send = Callable[[bytes], None]


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
        self.accounts = Accounts(recorder, clock=clock, dice=dice, origin=origin)
        self._zone_source = zone_source
        self._forwarder = forwarder
        self.monotonic = clock.monotonic
        self._tasks = Tasks(clock)
        forwards = forwarder is not None
        datagrams = AnswerMemory(dice, udp=True, forwards=forwards, gone=self.accounts.settle)
        streams = AnswerMemory(dice, udp=False, shared=datagrams, forwards=forwards)
        self._memories = {Protocol.UDP: datagrams, Protocol.TCP: streams}
        self._datagrams = datagrams
        self.accounts.metrics.before_reading(self._settle)

    async def close(self) -> None:
        """Give up what is under way."""
        await self._tasks.close()
        self.accounts.close()

    def memory(self) -> AnswerMemory | None:
        """What is remembered for datagrams, good until control is given up.

        None: there is no zone to answer from, and who is served by itself is told so.
        """
        try:
            zone = self._zone_source()
        except Exception:
            log.exception("no zone")
            return None
        memory = self._datagrams
        if zone is not memory.zone:
            memory.turn_to(zone)
        return memory

    def serve(self, raw: bytes, flow: Flow, send: Send) -> None:
        """Answer one message, now or later; our own mistake becomes SERVFAIL, not silence."""
        try:
            query = self._received(raw, flow)
            reply = self._memories[flow.protocol].reply(raw, query.zone)
        except Exception:
            log.exception("query failed client=%s", flow.source)
            self.accounts.metrics.panicked()
            send(_header_only(raw, Rcode.SERVFAIL))
            return
        if reply is None:
            return
        answer = reply.response.answer if reply.response else None
        if self._forwarder is not None and reply.response and answer and answer.wants_another:
            self._start_forward(query, reply.response, answer, self._forwarder, send)
            return
        send(reply.raw)
        self.accounts.answered(query, reply)

    def _settle(self) -> None:
        self.accounts.settle_singles()
        self._datagrams.settle()

    def _received(self, raw: bytes, flow: Flow) -> Received:
        return Received(raw=raw, flow=flow, zone=self._zone_source(), began=self.monotonic())

    def _start_forward(
        self, query: Received, response: Response, answer: Answer, forwarder: Forwarder, send: Send
    ) -> None:
        if len(self._tasks) >= FORWARDED_MAX:
            send(_header_only(query.raw, Rcode.REFUSED))
            return
        work = self._forward(query, response, answer, forwarder, send)
        self._tasks.start(work, name=f"forward {response.question}")

    async def _forward(
        self, query: Received, response: Response, answer: Answer, forwarder: Forwarder, send: Send
    ) -> None:
        if answer.external is None:
            udp = query.flow.protocol is Protocol.UDP
            answered = await forwarder.forward(query.raw, udp=udp)
        else:
            message = await _with_external(decode(query.raw), answer, answer.external, forwarder)
            answered = encode(message, response.bytes_max)
        send(answered)
        try:
            said = decode(answered)
        except WireError:
            said = replace(response.message, rcode=Rcode.SERVFAIL, answers=())
        self.accounts.forwarded(query, said, len(answered))


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
