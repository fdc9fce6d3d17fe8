"""The preamble of a flow between processes; after it the socket belongs to the programs.

    offset  0            2        4                36
            | 'KH' magic | length | HMAC-SHA256    | msgpack context, at most CONTEXT_BYTES_MAX |

The answer has the same shape: the verdict (accepted, refused, dropped), the rule behind it, the
hops made. The MAC is keyed with the cluster key and covers what kind of message it is, so that
neither can be sent back as the other. The msgpack is a list by position that begins with a version.
Pure: bytes in, values out, and back. Anything else on the wire is a WireError.
"""

import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import field
from enum import StrEnum
from functools import lru_cache
from hashlib import sha256
from typing import Any, TypeVar

import msgpack

from cluster.dataclass import dataclass
from cluster.errors import WireError
from cluster.wire.addresses import PORT_MAX, Protocol, SocketAddress, ip_number
from cluster.wire.flow import Entry, Flow, FlowContext, FlowKind, Origin, OriginKind

MAGIC = b"KH"
VERSION = 1
MAC_BYTES = 32
HEADER_BYTES = 4 + MAC_BYTES
CONTEXT_BYTES_MAX = 4096
REASON_CHARACTERS_MAX = 512  # a longer reason is cut: it is for people, and the trace has it whole
HOPS_MAX = 255
TEXT_CHARACTERS_MAX = 600  # "namespace/name" is the longest there is: 317

_CONTEXT, _VERDICT = b"context\0", b"verdict\0"
_FLOW_ID = re.compile(r"[0-9a-f]{16}")
_CONTEXT_FIELDS = 19
_VERDICT_FIELDS = 6
_BLOCK_BYTES = 64  # of SHA-256

Choice = TypeVar("Choice", bound=StrEnum)
_pack = msgpack.Packer().pack  # one for all: making it costs more than packing


class AnswerOutcome(StrEnum):
    """What the other process says of a flow."""

    ACCEPTED = "accepted"  # what follows on the socket is the program's
    REFUSED = "refused"  # tell the client at once
    DROPPED = "dropped"  # tell the client nothing
    UNREACHABLE = "unreachable"  # the next process does not answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The verdict that travels back: why, and after how many hops in all."""

    outcome: AnswerOutcome
    code: str = ""  # `cluster.dataplane.decision.Code`, empty when accepted
    reason: str = ""
    hops: int = 0
    endpoint: Mapping[str, str] = field(default_factory=dict)  # namespace, pod, node, ip, port


_OUTCOMES = {str(each): each for each in AnswerOutcome}
_PROTOCOLS = {str(each): each for each in Protocol}
_ORIGINS = {str(each): each for each in OriginKind}
_KINDS = {str(each): each for each in FlowKind}
_ENTRIES = {str(each): each for each in Entry}


class Reader:
    """Collects exactly one message from any split of its bytes; never wants one byte more."""

    __slots__ = ("body", "header", "wanted")

    def __init__(self) -> None:
        self.header = b""  # the first HEADER_BYTES
        self.body = b""  # what follows them
        self.wanted = HEADER_BYTES  # how many bytes may be read next; 0 when the message is whole

    @property
    def received(self) -> int:
        """How many bytes have been fed."""
        return len(self.header) + len(self.body)

    def feed(self, data: bytes) -> None:
        """Take at most `wanted` bytes; WireError as soon as the header is wrong."""
        assert len(data) <= self.wanted
        self.wanted -= len(data)
        if len(self.header) == HEADER_BYTES:
            self.body += data
            return
        self.header += data
        if not self.wanted:
            self.wanted = parse_header(self.header)
        else:
            _check_magic(self.header[:2])


def parse_header(header: bytes) -> int:
    """The length of the body that follows these HEADER_BYTES."""
    if len(header) != HEADER_BYTES:
        raise WireError(f"preamble header of {len(header)} bytes, it has {HEADER_BYTES}")
    _check_magic(header[:2])
    length = int.from_bytes(header[2:4], "big")
    if not 0 < length <= CONTEXT_BYTES_MAX:
        raise WireError(
            f"preamble body of {length} bytes, the limits are 1 and {CONTEXT_BYTES_MAX}"
        )
    return length


def _check_magic(start: bytes) -> None:
    if not MAGIC.startswith(start):
        raise WireError(f"preamble begins with {start!r}, not {MAGIC!r}")


def encode_context(context: FlowContext, key: bytes) -> bytes:
    """The preamble of a flow."""
    flow, original, origin = context.flow, context.original, context.origin
    fields = (
        *(VERSION, context.flow_id),
        *(flow.protocol, *flow.source, *flow.destination),
        *(original.protocol, *original.source, *original.destination),
        *(origin.kind, origin.name, origin.node, context.kind, context.entry),
        *(context.hops, context.sender),
    )
    return _seal(_CONTEXT, fields, key)


def encode_verdict(verdict: Answer, key: bytes) -> bytes:
    """The answer to a preamble."""
    reason = verdict.reason[:REASON_CHARACTERS_MAX]
    rest = (verdict.code, reason, verdict.hops, dict(verdict.endpoint))
    return _seal(_VERDICT, (VERSION, verdict.outcome, *rest), key)


def _seal(label: bytes, fields: Sequence[object], key: bytes) -> bytes:
    body: bytes = _pack(fields)
    if len(body) > CONTEXT_BYTES_MAX:
        raise WireError(f"preamble body of {len(body)} bytes, the limit is {CONTEXT_BYTES_MAX}")
    return MAGIC + len(body).to_bytes(2, "big") + _mac(label, body, key) + body


def _mac(label: bytes, body: bytes, key: bytes) -> bytes:
    """HMAC, RFC 2104, whose two first blocks are the same for all messages."""
    first, second = _keyed(label, key)
    inner, outer = first.copy(), second.copy()
    inner.update(body)
    outer.update(inner.digest())
    mac: bytes = outer.digest()
    return mac


@lru_cache(maxsize=16)
def _keyed(label: bytes, key: bytes) -> tuple[Any, Any]:
    """What has gone into the two hashes before the body of a message does."""
    block = (key if len(key) <= _BLOCK_BYTES else sha256(key).digest()).ljust(_BLOCK_BYTES, b"\0")
    inner, outer = (sha256(bytes(byte ^ pad for byte in block)) for pad in (0x36, 0x5C))
    inner.update(label)
    return inner, outer


def decode_context(header: bytes, body: bytes, key: bytes) -> FlowContext:
    """Read what `encode_context` wrote."""
    fields = _open(_CONTEXT, header, body, key, _CONTEXT_FIELDS)
    (kind, name, node, use, entry, hops, sender) = fields[12:]
    flow_id = _text(fields[1])
    if not _FLOW_ID.fullmatch(flow_id):
        raise WireError(f"flow id {flow_id!r} is not 16 hexadecimal digits")
    flow = _flow(fields[2:7])
    return FlowContext(
        flow_id=flow_id,
        flow=flow,
        original=flow if fields[7:12] == fields[2:7] else _flow(fields[7:12]),
        origin=Origin(_choice(_ORIGINS, kind), _text(name), _text(node)),
        kind=_choice(_KINDS, use),
        entry=_choice(_ENTRIES, entry),
        hops=_number(hops, HOPS_MAX),
        sender=_text(sender),
    )


def decode_verdict(header: bytes, body: bytes, key: bytes) -> Answer:
    """Read what `encode_verdict` wrote."""
    _, outcome, code, reason, hops, endpoint = _open(_VERDICT, header, body, key, _VERDICT_FIELDS)
    if not isinstance(endpoint, dict):
        raise WireError(f"{endpoint!r} is not a map of texts")
    return Answer(
        outcome=_choice(_OUTCOMES, outcome),
        code=_text(code),
        reason=_text(reason),
        hops=_number(hops, HOPS_MAX),
        endpoint={_text(name): _text(each) for name, each in endpoint.items()},
    )


def _open(label: bytes, header: bytes, body: bytes, key: bytes, count: int) -> list[Any]:
    """The fields of an authentic message, none of them looked at but the version."""
    length = parse_header(header)
    if len(body) != length:
        raise WireError(f"preamble body of {len(body)} bytes, its header says {length}")
    if not hmac.compare_digest(header[4:], _mac(label, body, key)):
        what = label[:-1].decode()
        raise WireError(f"the MAC of a {what} is wrong: altered on the way, or another cluster's")
    try:
        fields: Any = msgpack.unpackb(body)
    except ValueError as error:
        raise WireError(f"preamble body is not msgpack: {error}") from error
    if not isinstance(fields, list) or not fields or fields[0] != VERSION:
        said = fields[0] if isinstance(fields, list) and fields else type(fields).__name__
        raise WireError(f"preamble of version {said!r}, this process speaks {VERSION}")
    if len(fields) != count:
        raise WireError(f"preamble of {len(fields)} fields, version {VERSION} has {count}")
    return fields


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > TEXT_CHARACTERS_MAX:
        raise WireError(f"{value!r} is not a text of at most {TEXT_CHARACTERS_MAX} characters")
    return value


def _number(value: Any, limit: int) -> int:
    if type(value) is not int or not 0 <= value <= limit:
        raise WireError(f"{value!r} is not a number from 0 to {limit}")
    return value


def _choice(choices: Mapping[str, Choice], value: Any) -> Choice:
    try:
        return choices[value]
    except (KeyError, TypeError):  # a list cannot even be looked up
        raise WireError(f"{value!r} is not one of {', '.join(choices)}") from None


def _flow(fields: Sequence[Any]) -> Flow:
    protocol, source_ip, source_port, ip, port = fields
    source, destination = _address(source_ip, source_port), _address(ip, port)
    return Flow(_choice(_PROTOCOLS, protocol), source, destination)


def _address(ip: Any, port: Any) -> SocketAddress:
    try:
        ip_number(_text(ip))
    except ValueError as error:
        raise WireError(f"{ip!r} is not an IP address") from error
    return SocketAddress(ip, _number(port, PORT_MAX))
