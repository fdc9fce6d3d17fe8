"""DNS messages.

    offset  0    2       4         6         8         10        12
            | id | flags | QDCOUNT | ANCOUNT | NSCOUNT | ARCOUNT | question, answer, authority, ...
    flags   QR opcode:4 AA TC RD RA Z AD CD rcode:4

EDNS (RFC 6891) travels as an OPT record in the additional section: the size its sender can take,
eight more bits of rcode, a version, the DO bit. Here it is `Message.edns`.
Pure: bytes in, values out, and back. Bytes that break the format are a WireError.
Spec: RFC 1035 section 4; D-93 to D-101.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import replace
from enum import IntEnum
from itertools import chain

from cluster.dataclass import dataclass
from cluster.errors import WireError
from cluster.wire.dns_names import NameWriter, decode_name
from cluster.wire.dns_records import (
    IN,
    TTL_MAX,
    Address,
    Data,
    Opaque,
    Record,
    RRType,
    Soa,
    Srv,
    Target,
    Text,
    decode_data,
    encode_data,
    type_name,
)

__all__ = [
    "EDNS_VERSION",
    "HEADER_BYTES",
    "IN",
    "MESSAGE_BYTES_MAX",
    "UDP_BYTES_PLAIN",
    "Address",
    "Data",
    "Edns",
    "Message",
    "Opaque",
    "Opcode",
    "Question",
    "RRType",
    "Rcode",
    "Record",
    "Soa",
    "Srv",
    "Target",
    "Text",
    "decode",
    "encode",
    "rcode_name",
    "type_name",
]

HEADER_BYTES = 12
UDP_BYTES_PLAIN = 512  # what every resolver takes (D-93)
MESSAGE_BYTES_MAX = 65535  # what TCP's length prefix can say (D-95)
EDNS_VERSION = 0
_OPT_FIXED_BYTES = 11  # root name, type, class, ttl, length
_DNSSEC_OK = 0x8000

_HEADER = struct.Struct("!HHHHHH")
_QUESTION = struct.Struct("!HH")
_RECORD = struct.Struct("!HHIH")
_OPTION = struct.Struct("!HH")


class Opcode(IntEnum):
    """What kind of message; others may occur as numbers."""

    QUERY = 0
    IQUERY = 1
    STATUS = 2
    NOTIFY = 4
    UPDATE = 5


class Rcode(IntEnum):
    """What came of a query; above 15 only with EDNS."""

    NOERROR = 0
    FORMERR = 1
    SERVFAIL = 2
    NXDOMAIN = 3
    NOTIMP = 4
    REFUSED = 5
    BADVERS = 16


def rcode_name(number: int) -> str:
    """A response code for people: "NXDOMAIN", or "RCODE9"."""
    try:
        return Rcode(number).name
    except ValueError:
        return f"RCODE{number}"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked."""

    name: str
    type: int
    rr_class: int = IN

    def __str__(self) -> str:
        return f"{self.name or '.'} {type_name(self.type)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edns:
    """What the sender of a message can take; options are (code, bytes)."""

    udp_bytes: int = UDP_BYTES_PLAIN
    version: int = EDNS_VERSION
    dnssec_ok: bool = False
    options: tuple[tuple[int, bytes], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A query or a response."""

    id: int = 0
    response: bool = False
    opcode: int = Opcode.QUERY
    authoritative: bool = False
    truncated: bool = False
    recursion_desired: bool = False
    recursion_available: bool = False
    authentic: bool = False
    checking_disabled: bool = False
    rcode: int = Rcode.NOERROR
    questions: tuple[Question, ...] = ()
    answers: tuple[Record, ...] = ()
    authority: tuple[Record, ...] = ()
    additional: tuple[Record, ...] = ()
    edns: Edns | None = None

    def reply(self, rcode: int = Rcode.NOERROR) -> "Message":
        """The bare response: id, question, opcode, RD and CD as asked (D-98, D-100)."""
        return Message(
            id=self.id,
            response=True,
            opcode=self.opcode,
            recursion_desired=self.recursion_desired,
            checking_disabled=self.checking_disabled,
            rcode=rcode,
            questions=self.questions,
        )


def decode(data: bytes) -> Message:
    """Read a message; what follows its last record is ignored, as servers do."""
    if len(data) < HEADER_BYTES:
        raise WireError(f"DNS message of {len(data)} bytes, its header alone has {HEADER_BYTES}")
    id_, flags, *counts = _HEADER.unpack_from(data)
    offset = HEADER_BYTES
    questions = []
    for _ in range(counts[0]):
        question, offset = _decode_question(data, offset)
        questions.append(question)
    sections: list[list[Record]] = []
    for count in counts[1:]:
        records, offset = _decode_records(data, offset, count)
        sections.append(records)
    message = replace(
        _from_flags(id_, flags),
        questions=tuple(questions),
        answers=tuple(sections[0]),
        authority=tuple(sections[1]),
        additional=tuple(sections[2]),
    )
    return _with_edns(message)


def _from_flags(id_: int, flags: int) -> Message:
    return Message(
        id=id_,
        response=bool(flags & 0x8000),
        opcode=flags >> 11 & 0xF,
        authoritative=bool(flags & 0x0400),
        truncated=bool(flags & 0x0200),
        recursion_desired=bool(flags & 0x0100),
        recursion_available=bool(flags & 0x0080),
        authentic=bool(flags & 0x0020),
        checking_disabled=bool(flags & 0x0010),
        rcode=flags & 0xF,
    )


def _decode_question(data: bytes, offset: int) -> tuple[Question, int]:
    name, offset = decode_name(data, offset)
    if offset + _QUESTION.size > len(data):
        raise WireError(f"question {name!r} is cut off")
    type_, rr_class = _QUESTION.unpack_from(data, offset)
    return Question(name, type_, rr_class), offset + _QUESTION.size


def _decode_records(data: bytes, offset: int, count: int) -> tuple[list[Record], int]:
    records = []
    for _ in range(count):
        name, offset = decode_name(data, offset)
        if offset + _RECORD.size > len(data):
            raise WireError(f"record {name!r} is cut off")
        type_, rr_class, ttl, length = _RECORD.unpack_from(data, offset)
        offset += _RECORD.size
        end = offset + length
        if end > len(data):
            raise WireError(f"record {name!r} says {length} bytes, {len(data) - offset} are left")
        read = decode_data(type_, data, offset, end)
        records.append(Record(name, type_, _ttl(type_, ttl), read, rr_class))
        offset = end
    return records, offset


def _ttl(type_: int, ttl: int) -> int:
    return 0 if ttl > TTL_MAX and type_ != RRType.OPT else ttl


def _with_edns(message: Message) -> Message:
    """Take the OPT record out of the additional section."""
    opts = [record for record in message.additional if record.type == RRType.OPT]
    if not opts:
        return message
    if len(opts) > 1 or opts[0].name:
        raise WireError("a message has one OPT record at most, and its name is the root")
    opt = opts[0]
    assert isinstance(opt.data, Opaque)
    edns = Edns(
        udp_bytes=opt.rr_class,
        version=opt.ttl >> 16 & 0xFF,
        dnssec_ok=bool(opt.ttl & _DNSSEC_OK),
        options=tuple(_decode_options(opt.data.data)),
    )
    return replace(
        message,
        edns=edns,
        rcode=message.rcode | opt.ttl >> 24 << 4,
        additional=tuple(record for record in message.additional if record is not opt),
    )


def _decode_options(data: bytes) -> Iterator[tuple[int, bytes]]:
    offset = 0
    while offset < len(data):
        if offset + _OPTION.size > len(data):
            raise WireError("an EDNS option is cut off")
        code, length = _OPTION.unpack_from(data, offset)
        offset += _OPTION.size
        if offset + length > len(data):
            raise WireError(
                f"EDNS option {code} says {length} bytes, {len(data) - offset} are left"
            )
        yield code, data[offset : offset + length]
        offset += length


def encode(message: Message, bytes_max: int = MESSAGE_BYTES_MAX) -> bytes:
    """Write a message; what does not fit is left out from the end, with TC set (D-97).

    The question and OPT always stay; WireError if a name or a record cannot be written at all.
    """
    out = bytearray(HEADER_BYTES)
    names = NameWriter(out)
    for question in message.questions:
        names.write(question.name)
        out += _QUESTION.pack(question.type, question.rr_class)
    opt = _encode_opt(message)
    sections = (message.answers, message.authority, message.additional)
    counts, truncated = _encode_sections(out, names, sections, bytes_max - len(opt))
    out += opt
    flags = _flags(message, truncated or message.truncated)
    _HEADER.pack_into(
        out, 0, message.id, flags, len(message.questions), *counts[:2], counts[2] + bool(opt)
    )
    return bytes(out)


def _encode_sections(
    out: bytearray, names: NameWriter, sections: Sequence[Sequence[Record]], bytes_max: int
) -> tuple[list[int], bool]:
    """Append records while they fit; how many of each section did, and whether any did not."""
    counts = [0] * len(sections)
    numbered = chain.from_iterable(
        ((index, record) for record in section) for index, section in enumerate(sections)
    )
    for index, record in numbered:
        before = len(out)
        _encode_record(record, out, names)
        if len(out) > bytes_max:
            del out[before:]
            return counts, True
        counts[index] += 1
    return counts, False


def _encode_record(record: Record, out: bytearray, names: NameWriter) -> None:
    names.write(record.name)
    out += _RECORD.pack(record.type, record.rr_class, record.ttl, 0)
    start = len(out)
    encode_data(record.data, out, names)
    length = len(out) - start
    if length > 0xFFFF:
        raise WireError(f"record {record.name!r} has {length} bytes of data, the limit is 65535")
    out[start - 2 : start] = length.to_bytes(2, "big")


def _encode_opt(message: Message) -> bytes:
    edns = message.edns
    if edns is None:
        if message.rcode > 0xF:
            raise WireError(f"rcode {message.rcode} cannot be said without EDNS")
        return b""
    options = b"".join(_OPTION.pack(code, len(raw)) + raw for code, raw in edns.options)
    ttl = message.rcode >> 4 << 24 | edns.version << 16 | (_DNSSEC_OK if edns.dnssec_ok else 0)
    return b"\0" + _RECORD.pack(RRType.OPT, edns.udp_bytes, ttl, len(options)) + options


def _flags(message: Message, truncated: bool) -> int:
    return (
        message.response << 15
        | message.opcode << 11
        | message.authoritative << 10
        | truncated << 9
        | message.recursion_desired << 8
        | message.recursion_available << 7
        | message.authentic << 5
        | message.checking_disabled << 4
        | message.rcode & 0xF
    )
