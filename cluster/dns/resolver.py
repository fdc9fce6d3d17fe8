"""The resolver that a program holds: names searched, servers asked in turn, as glibc does it.

It only needs to be given a way to exchange bytes with a server, so the same code runs in a pod's
network and on the host. Every question and what came of it is kept, for the trace (O-13, D-151).
Spec: D-78 to D-84; resolver(3), getaddrinfo(3).
"""

import asyncio
import ipaddress
import secrets
import socket
from typing import Any, Protocol

from cluster.dataclass import dataclass
from cluster.dns.resolv_conf import ResolvConf
from cluster.errors import WireError
from cluster.wire.addresses import SocketAddress
from cluster.wire.dns import (
    Address,
    Message,
    Question,
    Rcode,
    RRType,
    Target,
    decode,
    encode,
    rcode_name,
    type_name,
)

DNS_PORT = 53
CNAMES_MAX = 16
EAI_NODATA = getattr(socket, "EAI_NODATA", socket.EAI_NONAME)  # not every system has it

TIMEOUT, UNREACHABLE, MALFORMED = "TIMEOUT", "UNREACHABLE", "MALFORMED"
_NEXT_SERVER = (Rcode.SERVFAIL, Rcode.NOTIMP, Rcode.REFUSED)  # glibc asks another one


class Exchange(Protocol):
    """One question and its answer; OSError when nobody can be reached. The caller bounds time."""

    async def udp(self, server: SocketAddress, query: bytes) -> bytes: ...

    async def tcp(self, server: SocketAddress, query: bytes) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Lookup:
    """One question to one server; `rcode` may also be TIMEOUT, UNREACHABLE or MALFORMED."""

    name: str
    type: str
    server: str
    rcode: str
    answers: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As it stands in a trace's step."""
        return {
            "name": self.name,
            "type": self.type,
            "server": self.server,
            "rcode": self.rcode,
            "answers": list(self.answers),
        }


@dataclass(frozen=True, slots=True)
class Resolution:
    """What a name resolved to, and the questions it took, in order."""

    name: str
    addresses: tuple[str, ...]
    queries: tuple[Lookup, ...]


class NameNotResolved(socket.gaierror):
    """The error glibc gives, with the questions that led to it in `resolution`."""

    def __init__(self, number: int, resolution: Resolution) -> None:
        super().__init__(number, _MESSAGES.get(number, "Name or service not known"))
        self.resolution = resolution


_MESSAGES = {
    socket.EAI_NONAME: "Name or service not known",
    socket.EAI_AGAIN: "Temporary failure in name resolution",
    EAI_NODATA: "No address associated with hostname",
}
if EAI_NODATA == socket.EAI_NONAME:
    _MESSAGES[EAI_NODATA] = "Name or service not known"


async def resolve(
    name: str,
    conf: ResolvConf,
    exchange: Exchange,
    *,
    family: int = socket.AF_INET,
    both_families: bool = False,
) -> Resolution:
    """The addresses of a name; NameNotResolved, a socket.gaierror, when there are none.

    A list of search domains is gone through until one has addresses (D-80). No answer at all ends
    the search; a server's failure is remembered, and counts when nothing else is found.
    """
    types = (RRType.A, RRType.AAAA) if both_families else (_TYPES[family],)
    lookups: list[Lookup] = []
    failed = exists = False
    for candidate in conf.candidates(name):
        asked = await asyncio.gather(
            *(_ask(candidate, type_, conf, exchange, lookups) for type_ in types)
        )
        addresses = tuple(address for each in asked for address in _addresses(each, candidate))
        if addresses:
            return Resolution(name, addresses, tuple(lookups))
        if None in asked:
            raise NameNotResolved(socket.EAI_AGAIN, Resolution(name, (), tuple(lookups)))
        failed = failed or any(each is not None and each.rcode in _NEXT_SERVER for each in asked)
        exists = exists or any(each is not None and each.rcode == Rcode.NOERROR for each in asked)
    number = EAI_NODATA if exists else socket.EAI_AGAIN if failed else socket.EAI_NONAME
    raise NameNotResolved(number, Resolution(name, (), tuple(lookups)))


_TYPES: dict[int, RRType] = {socket.AF_INET: RRType.A, socket.AF_INET6: RRType.AAAA}


async def resolve_address(ip: str, conf: ResolvConf, exchange: Exchange) -> str | None:
    """The name of an address (PTR), or None."""
    question = ipaddress.ip_address(ip).reverse_pointer
    answer = await _ask(question, RRType.PTR, conf, exchange, [])
    targets = (record.data for record in (answer.answers if answer else ()))
    return next((data.name for data in targets if isinstance(data, Target)), None)


async def _ask(
    name: str, type_: RRType, conf: ResolvConf, exchange: Exchange, lookups: list[Lookup]
) -> Message | None:
    """Ask each server in turn, and all of them again; None when none of them answers (D-83)."""
    refusal: Message | None = None
    for _ in range(conf.attempts):
        for server in conf.servers:
            address = SocketAddress(server, DNS_PORT)
            answer, rcode = await _exchange(Question(name, type_), address, conf, exchange)
            answers = tuple(str(record.data) for record in (answer.answers if answer else ()))
            lookups.append(Lookup(name, type_name(type_), str(address), rcode, answers))
            if answer is None:
                continue
            if answer.rcode not in _NEXT_SERVER:
                return answer
            refusal = answer
        if refusal is not None:
            return refusal
    return None


async def _exchange(
    question: Question, server: SocketAddress, conf: ResolvConf, exchange: Exchange
) -> tuple[Message | None, str]:
    """One question to one server, by TCP too when the datagram was truncated (D-93)."""
    query = Message(id=secrets.randbits(16), recursion_desired=True, questions=(question,))
    raw = encode(query)
    try:
        async with asyncio.timeout(conf.timeout_seconds):
            first = exchange.tcp if conf.uses_tcp else exchange.udp
            answer = _checked(await first(server, raw), query)
            if answer.truncated and not conf.uses_tcp:
                answer = _checked(await exchange.tcp(server, raw), query)
    except TimeoutError:
        return None, TIMEOUT
    except OSError:
        return None, UNREACHABLE
    except WireError:
        return None, MALFORMED
    return answer, rcode_name(answer.rcode)


def _checked(raw: bytes, query: Message) -> Message:
    """The answer, if it is one to this query."""
    answer = decode(raw)
    if not answer.response or answer.id != query.id:
        raise WireError(f"message {answer.id} is no answer to query {query.id}")
    if [_key(each) for each in answer.questions] != [_key(each) for each in query.questions]:
        raise WireError("the answer is to another question")
    return answer


def _key(question: Question) -> tuple[str, int, int]:
    return question.name.lower(), question.type, question.rr_class


def _addresses(answer: Message | None, name: str) -> tuple[str, ...]:
    """The addresses that an answer gives for a name, along its aliases."""
    if answer is None or answer.rcode != Rcode.NOERROR:
        return ()
    aliases = {
        record.name.lower(): record.data.name.lower()
        for record in answer.answers
        if isinstance(record.data, Target) and record.type == RRType.CNAME
    }
    owner = name.lower()
    for _ in range(CNAMES_MAX):
        owner = aliases.get(owner, owner)
    return tuple(
        record.data.ip
        for record in answer.answers
        if isinstance(record.data, Address) and record.name.lower() == owner
    )
