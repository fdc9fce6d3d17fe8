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
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from enum import StrEnum
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

Choice = TypeVar("Choice", bound=StrEnum)


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


class Reader:
    """Collects exactly one message from any split of its bytes; never wants one byte more."""

    __slots__ = ("_buffer", "_bytes_wanted")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._bytes_wanted = HEADER_BYTES

    @property
    def wanted(self) -> int:
        """How many bytes may be read next; 0 when the message is whole."""
        return self._bytes_wanted - len(self._buffer)

    @property
    def received(self) -> int:
        """How many bytes have been fed."""
        return len(self._buffer)

    def feed(self, data: bytes) -> None:
        """Take at most `wanted` bytes; WireError as soon as the header is wrong."""
        assert len(data) <= self.wanted
        self._buffer += data
        if len(self._buffer) == self._bytes_wanted == HEADER_BYTES:
            self._bytes_wanted += parse_header(self.header)
        elif len(self._buffer) < HEADER_BYTES:
            _check_magic(bytes(self._buffer[:2]))

    @property
    def header(self) -> bytes:
        """The first HEADER_BYTES."""
        return bytes(self._buffer[:HEADER_BYTES])

    @property
    def body(self) -> bytes:
        """What follows the header."""
        return bytes(self._buffer[HEADER_BYTES:])


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
    fields = [VERSION, context.flow_id]
    fields += [flow.protocol, *flow.source, *flow.destination]
    fields += [original.protocol, *original.source, *original.destination]
    fields += [origin.kind, origin.name, origin.node, context.kind, context.entry]
    return _seal(_CONTEXT, [*fields, context.hops, context.sender], key)


def encode_verdict(verdict: Answer, key: bytes) -> bytes:
    """The answer to a preamble."""
    reason = verdict.reason[:REASON_CHARACTERS_MAX]
    rest = [verdict.code, reason, verdict.hops, dict(verdict.endpoint)]
    return _seal(_VERDICT, [VERSION, verdict.outcome, *rest], key)


def _seal(label: bytes, fields: Sequence[object], key: bytes) -> bytes:
    body: bytes = msgpack.packb(fields)
    if len(body) > CONTEXT_BYTES_MAX:
        raise WireError(f"preamble body of {len(body)} bytes, the limit is {CONTEXT_BYTES_MAX}")
    return MAGIC + len(body).to_bytes(2, "big") + _mac(label, body, key) + body


def _mac(label: bytes, body: bytes, key: bytes) -> bytes:
    return hmac.digest(key, label + body, "sha256")


def decode_context(header: bytes, body: bytes, key: bytes) -> FlowContext:
    """Read what `encode_context` wrote."""
    fields = _Fields(_open(_CONTEXT, header, body, key), _CONTEXT_FIELDS)
    flow_id = fields.text()
    if not _FLOW_ID.fullmatch(flow_id):
        raise WireError(f"flow id {flow_id!r} is not 16 hexadecimal digits")
    return FlowContext(
        flow_id=flow_id,
        flow=fields.flow(),
        original=fields.flow(),
        origin=Origin(fields.choice(OriginKind), fields.text(), fields.text()),
        kind=fields.choice(FlowKind),
        entry=fields.choice(Entry),
        hops=fields.number(HOPS_MAX),
        sender=fields.text(),
    )


def decode_verdict(header: bytes, body: bytes, key: bytes) -> Answer:
    """Read what `encode_verdict` wrote."""
    fields = _Fields(_open(_VERDICT, header, body, key), _VERDICT_FIELDS)
    return Answer(
        outcome=fields.choice(AnswerOutcome),
        code=fields.text(),
        reason=fields.text(),
        hops=fields.number(HOPS_MAX),
        endpoint=fields.texts(),
    )


def _open(label: bytes, header: bytes, body: bytes, key: bytes) -> Any:
    """The fields of an authentic message."""
    length = parse_header(header)
    if len(body) != length:
        raise WireError(f"preamble body of {len(body)} bytes, its header says {length}")
    if not hmac.compare_digest(header[4:], _mac(label, body, key)):
        what = label[:-1].decode()
        raise WireError(f"the MAC of a {what} is wrong: altered on the way, or another cluster's")
    try:
        return msgpack.unpackb(body)
    except ValueError as error:
        raise WireError(f"preamble body is not msgpack: {error}") from error


class _Fields:
    """The elements of a message in order, each checked as it is taken."""

    def __init__(self, fields: Any, count: int) -> None:
        if not isinstance(fields, list) or not fields or fields[0] != VERSION:
            said = fields[0] if isinstance(fields, list) and fields else type(fields).__name__
            raise WireError(f"preamble of version {said!r}, this process speaks {VERSION}")
        if len(fields) != count:
            raise WireError(f"preamble of {len(fields)} fields, version {VERSION} has {count}")
        self._rest = iter(fields[1:])

    def text(self) -> str:
        return _text(next(self._rest))

    def number(self, limit: int) -> int:
        value = next(self._rest)
        if type(value) is not int or not 0 <= value <= limit:
            raise WireError(f"{value!r} is not a number from 0 to {limit}")
        return value

    def choice(self, choices: Callable[[str], Choice]) -> Choice:
        try:
            return choices(self.text())
        except ValueError as error:
            raise WireError(str(error)) from error

    def texts(self) -> dict[str, str]:
        value = next(self._rest)
        if not isinstance(value, dict):
            raise WireError(f"{value!r} is not a map of texts")
        return {_text(name): _text(each) for name, each in value.items()}

    def flow(self) -> Flow:
        return Flow(self.choice(Protocol), self._address(), self._address())

    def _address(self) -> SocketAddress:
        ip = self.text()
        try:
            ip_number(ip)
        except ValueError as error:
            raise WireError(f"{ip!r} is not an IP address") from error
        return SocketAddress(ip, self.number(PORT_MAX))


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > TEXT_CHARACTERS_MAX:
        raise WireError(f"{value!r} is not a text of at most {TEXT_CHARACTERS_MAX} characters")
    return value
