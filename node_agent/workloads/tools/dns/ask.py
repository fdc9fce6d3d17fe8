"""One question of dig, nslookup or host to one server, on the pod's network, bounded in time.

The pod's queries are DNS flows in its traces, as those of its resolver are.
"""

import asyncio
import secrets
import socket
import time
from dataclasses import replace

from cluster.dataclass import dataclass
from cluster.dns.resolv_conf import ResolvConf
from cluster.errors import WireError
from cluster.wire.addresses import SocketAddress
from cluster.wire.dns import Edns, Message, Question, decode, encode
from node_agent.cni.exchange import PodExchange
from node_agent.cni.pod_context import POD
from node_agent.workloads.tools.process import Failed, Process
from node_agent.workloads.tools.running import files_of

UDP_BYTES = 1232
SECONDS, TRIES = 5.0, 3
EXIT_NO_SERVER = 10
RESOLV_CONF_BYTES_MAX = 65536


class NoAnswer(Exception):
    """Nobody answered; the text is why: "timed out", "connection refused"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """How to ask."""

    server: SocketAddress
    tcp: bool = False
    recursion: bool = True
    edns: bool = True
    dnssec: bool = False
    keep_truncated: bool = False
    seconds: float = SECONDS
    tries: int = TRIES


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back."""

    message: Message
    server: SocketAddress
    tcp: bool
    seconds: float
    size: int
    retried: bool = False  # the datagram's answer was truncated


def query(question: Question, asked: Asked) -> Message:
    """The message that asks a question."""
    edns = Edns(udp_bytes=UDP_BYTES, dnssec_ok=asked.dnssec) if asked.edns else None
    return Message(
        id=secrets.randbits(16),
        recursion_desired=asked.recursion,
        authentic=asked.edns,
        questions=(question,),
        edns=edns,
    )


async def ask(question: Question, asked: Asked) -> Answer:
    """Ask until there is an answer; NoAnswer."""
    message = query(question, asked)
    try:
        data = encode(message)
    except WireError as error:
        raise Failed(f"'{question.name}' is not a legal name: {error}", EXIT_NO_SERVER) from None
    for attempt in range(1 if asked.tcp else asked.tries):
        try:
            return await _once(data, message.id, asked)
        except NoAnswer:
            if attempt + 1 >= (1 if asked.tcp else asked.tries):
                raise
    raise NoAnswer("timed out")


async def _once(data: bytes, number: int, asked: Asked) -> Answer:
    began = time.monotonic()
    raw = await _exchanged(data, asked)
    try:
        message = decode(raw)
    except WireError as error:
        raise NoAnswer(f"malformed reply: {error}") from None
    if message.id != number:
        raise NoAnswer("reply with another id")
    if message.truncated and not asked.tcp and not asked.keep_truncated:
        answer = await _once(data, number, replace(asked, tcp=True))
        return replace(answer, retried=True)
    return Answer(
        message=message,
        server=asked.server,
        tcp=asked.tcp,
        seconds=time.monotonic() - began,
        size=len(raw),
    )


async def _exchanged(data: bytes, asked: Asked) -> bytes:
    pod = POD.get()
    assert pod is not None, "tools run in a pod"
    exchange = PodExchange(pod)
    try:
        async with asyncio.timeout(asked.seconds):
            if asked.tcp:
                return await exchange.tcp(asked.server, data)
            return await exchange.udp(asked.server, data)
    except TimeoutError:
        raise NoAnswer("timed out") from None
    except ConnectionRefusedError:
        raise NoAnswer("connection refused") from None
    except OSError as error:
        raise NoAnswer((error.strerror or str(error)).lower()) from None


def resolver_of(process: Process) -> ResolvConf:
    """The container's /etc/resolv.conf."""
    try:
        text = files_of(process).read("/etc/resolv.conf", RESOLV_CONF_BYTES_MAX)
    except OSError:
        return ResolvConf()
    return ResolvConf.parse(text.decode("utf-8", "replace"))


async def server_at(host: str, port: int) -> SocketAddress:
    """The server that a person names by address or name; socket.gaierror."""
    found = await asyncio.get_running_loop().getaddrinfo(
        host, port, family=socket.AF_INET, type=socket.SOCK_STREAM
    )
    return SocketAddress(str(found[0][4][0]), port)
