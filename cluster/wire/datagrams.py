"""One datagram of a flow between processes, VXLAN-like: the flow's context, then its payload.

    offset  0            2         3       4     12        20     21       22     23       25
            | 'KD' magic | version | flags | MAC | flow id | hops | origin | kind | length | ...
            ... source, destination, then both as the client sent them: 4 x (IP, port)
            ... names: origin, its node, sender, with zero bytes between, `length` bytes in all
            ... payload to the end

    flags   1 FRONT: all of the data plane is asked for, not only the target's half
            2 REPLY: from the flow's destination to its source; the flow stays named as it began
            4 REFUSED: no payload, but "port unreachable", as ICMP says it (with REPLY)
            8 the addresses are IPv6: 16 bytes each instead of 4

MAC is a keyed BLAKE2s of 8 bytes over the rest of the head: nobody without the key opens a flow or
puts a datagram into one. A payload is as safe as UDP makes it, as in VXLAN. So all datagrams of one
flow between two processes have the same head, byte by byte: it is written once, read once, and then
compared.
Pure: bytes in, values out, and back. Anything else on the wire is a WireError.
"""

import hmac
import struct
from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2s
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from cluster.dataclass import dataclass
from cluster.errors import WireError
from cluster.wire.addresses import Protocol, SocketAddress
from cluster.wire.flow import Entry, Flow, FlowContext, FlowKind, Origin, OriginKind

MAGIC = b"KD"
VERSION = 2
MAC_BYTES = 8
DATAGRAM_BYTES_MAX = 65507  # what UDP over IPv4 carries
NAMES_BYTES_MAX = 1024
HEADS_REMEMBERED_MAX = 4096

_FRONT, _REPLY, _REFUSED, _IPV6 = 1, 2, 4, 8
_FLAGS_KNOWN = _FRONT | _REPLY | _REFUSED | _IPV6
_START = struct.Struct("!2sBB")
_HEAD = struct.Struct("!8sBBBH")  # what follows the MAC
_HEAD_AT: Final = _START.size + MAC_BYTES
_FIXED_BYTES = _HEAD_AT + _HEAD.size
_V4, _V6 = struct.Struct("!4sH4sH4sH4sH"), struct.Struct("!16sH16sH16sH16sH")
_ORIGINS, _KINDS = tuple(OriginKind), tuple(FlowKind)  # sent by their position: append only


@dataclass(frozen=True, slots=True)
class Datagram:
    """A payload on its way, with the context of its flow."""

    context: FlowContext
    payload: bytes = b""
    reply: bool = False
    refused: bool = False  # port unreachable: the flow's source is to be told, no payload


@dataclass(frozen=True, slots=True)
class Head:
    """What stands before a payload."""

    context: FlowContext
    reply: bool
    refused: bool
    bytes: int  # how long it is


def head_of(
    context: FlowContext, key: bytes, *, reply: bool = False, refused: bool = False
) -> bytes:
    """What stands before each payload of a flow; WireError if that cannot be written."""
    start, rest = _head_of(context, reply, refused)
    return start + _mac(start, rest, key) + rest


def encode(datagram: Datagram, key: bytes) -> bytes:
    """The bytes of a datagram; WireError if it is too long for one."""
    head = head_of(datagram.context, key, reply=datagram.reply, refused=datagram.refused)
    if len(head) + len(datagram.payload) > DATAGRAM_BYTES_MAX:
        raise WireError(
            f"payload of {len(datagram.payload)} bytes, the limit of this flow is "
            f"{payload_bytes_max(datagram.context)}"
        )
    return head + datagram.payload


def payload_bytes_max(context: FlowContext) -> int:
    """How long a payload of this flow may be."""
    return DATAGRAM_BYTES_MAX - _HEAD_AT - len(_head_of(context, False, False)[1])


def decode(data: bytes, key: bytes) -> Datagram:
    """Read what `encode` wrote."""
    head = read_head(data, key)
    return Datagram(head.context, data[head.bytes :], head.reply, head.refused)


def read_head(data: bytes, key: bytes) -> Head:
    """Read the head of a datagram, and make sure who wrote it."""
    if not _FIXED_BYTES <= len(data) <= DATAGRAM_BYTES_MAX:
        raise WireError(
            f"datagram of {len(data)} bytes, the limits are {_FIXED_BYTES} and {DATAGRAM_BYTES_MAX}"
        )
    magic, version, flags = _START.unpack_from(data)
    if magic != MAGIC or version != VERSION or flags & ~_FLAGS_KNOWN:
        raise WireError(
            f"datagram with magic {magic!r}, version {version}, flags {flags:#x}; "
            f"this process speaks {MAGIC!r}, {VERSION}, flags up to {_FLAGS_KNOWN:#x}"
        )
    return _opened(data[: _head_end(data, flags)], key)


def by_head(datagrams: Iterable[bytes]) -> dict[bytes, list[bytes]]:
    """Payloads by their heads, as they are, in order; under b"", whole, what cannot have one."""
    found: dict[bytes, list[bytes]] = {}
    head, payloads, size = b"", [], 0
    for data in datagrams:
        if not size or not data.startswith(head):
            size = _head_bytes(data)
            head = data[:size]
            payloads = found.setdefault(head, [])
        payloads.append(data[size:])
    return found


def _head_bytes(data: bytes) -> int:
    try:
        return _head_end(data, data[_START.size - 1]) if len(data) >= _FIXED_BYTES else 0
    except WireError:
        return 0


@lru_cache(maxsize=HEADS_REMEMBERED_MAX)
def _opened(head: bytes, key: bytes) -> Head:
    start, rest = head[: _START.size], head[_HEAD_AT:]
    if not hmac.compare_digest(_mac(start, rest, key), head[_START.size : _HEAD_AT]):
        raise WireError("the MAC of a datagram is wrong: altered, or another cluster's")
    flags = start[-1]
    return Head(_context_of(flags, rest), bool(flags & _REPLY), bool(flags & _REFUSED), len(head))


def _head_end(data: bytes, flags: int) -> int:
    """Where the payload begins."""
    names = int.from_bytes(data[_FIXED_BYTES - 2 : _FIXED_BYTES], "big")
    end = _FIXED_BYTES + (_V6 if flags & _IPV6 else _V4).size + names
    if names > NAMES_BYTES_MAX or end > len(data):
        raise WireError(
            f"datagram of {len(data)} bytes with a head of {end}; names have {names} bytes, "
            f"the limit is {NAMES_BYTES_MAX}"
        )
    return end


def _mac(start: bytes, head: bytes, key: bytes) -> bytes:
    return blake2s(start + head, key=key, digest_size=MAC_BYTES).digest()


@lru_cache(maxsize=HEADS_REMEMBERED_MAX)
def _head_of(context: FlowContext, reply: bool, refused: bool) -> tuple[bytes, bytes]:
    """What lies before the MAC, and behind it up to the payload."""
    flow, original, origin = context.flow, context.original, context.origin
    addresses = (flow.source, flow.destination, original.source, original.destination)
    ipv6 = any(":" in each.ip for each in addresses)
    names = "\0".join((origin.name, origin.node, context.sender)).encode()
    if len(names) > NAMES_BYTES_MAX or context.hops > 255:
        raise WireError(
            f"flow {context.flow_id}: names of {len(names)} bytes, the limit is {NAMES_BYTES_MAX}; "
            f"{context.hops} hops, the limit is 255"
        )
    flags = _IPV6 * ipv6 | _REPLY * reply | _REFUSED * refused
    flags |= _FRONT * (context.entry is Entry.FRONT)
    head = _HEAD.pack(
        bytes.fromhex(context.flow_id),
        context.hops,
        _ORIGINS.index(origin.kind),
        _KINDS.index(context.kind),
        len(names),
    )
    packed = [part for each in addresses for part in (_packed(each.ip, ipv6), each.port)]
    body = (_V6 if ipv6 else _V4).pack(*packed)
    return _START.pack(MAGIC, VERSION, flags), head + body + names


def _packed(ip: str, ipv6: bool) -> bytes:
    if not ipv6:
        return IPv4Address(ip).packed
    return IPv6Address(ip if ":" in ip else f"::ffff:{ip}").packed


def _context_of(flags: int, head: bytes) -> FlowContext:
    flow_id, hops, origin, kind, names_length = _HEAD.unpack_from(head)
    layout = _V6 if flags & _IPV6 else _V4
    parts = layout.unpack_from(head, _HEAD.size)
    addresses = [
        SocketAddress(_ip(packed), port)
        for packed, port in zip(parts[::2], parts[1::2], strict=True)
    ]
    names = _names(head[len(head) - names_length :] if names_length else b"")
    if origin >= len(_ORIGINS) or kind >= len(_KINDS):
        raise WireError(f"datagram with origin {origin} and kind {kind}, which are not known")
    return FlowContext(
        flow_id=flow_id.hex(),
        flow=Flow(Protocol.UDP, *addresses[:2]),
        original=Flow(Protocol.UDP, *addresses[2:]),
        origin=Origin(_ORIGINS[origin], names[0], names[1]),
        kind=_KINDS[kind],
        entry=Entry.FRONT if flags & _FRONT else Entry.ADMIT,
        hops=hops,
        sender=names[2],
    )


def _ip(packed: bytes) -> str:
    if len(packed) == 4:
        return str(IPv4Address(packed))
    address = IPv6Address(packed)
    return str(address.ipv4_mapped or address)


def _names(text: bytes) -> list[str]:
    try:
        names = text.decode().split("\0")
    except UnicodeDecodeError as error:
        raise WireError(f"the names of a datagram are not UTF-8: {error}") from error
    if len(names) != 3:
        raise WireError(f"datagram with {len(names)} names, it has three: origin, node, sender")
    return names
