"""Writes messages as Go clients do: every field of a struct, zero or not, but for nil pointers."""

from base64 import b64decode
from datetime import UTC, datetime
from typing import Any

import orjson

from control.resources.protobuf.messages import Message, message_of, named


def envelope(document: dict[str, Any]) -> bytes:
    """A document as the body of a request."""
    api_version, kind = document["apiVersion"], document["kind"]
    message = message_of(api_version, kind)
    assert message is not None
    type_meta = length(1, api_version.encode()) + length(2, kind.encode())
    return b"k8s\0" + length(1, type_meta) + length(2, encoded(message, document))


def encoded(message: Message, document: dict[str, Any]) -> bytes:
    """The fields of a message."""
    parts: list[bytes] = []
    for number, known in message.fields.items():
        if not known.name:
            parts.append(length(number, encoded(named(known.kind[1:]), document)))
        elif known.name in document:
            parts += _field(number, known.kind, document[known.name])
    return b"".join(parts)


def _field(number: int, kind: str, value: Any) -> list[bytes]:
    if kind[0] == "[":
        return [part for each in value for part in _field(number, kind[1:], each)]
    if kind[0] == "{":
        pairs = (
            length(1, key.encode()) + b"".join(_field(2, kind[1:], inner))
            for key, inner in value.items()
        )
        return [length(number, pair) for pair in pairs]
    if kind in ("i", "t"):
        return [varint(number << 3) + varint(int(value))]
    return [length(number, _bytes(kind, value))]


def _bytes(kind: str, value: Any) -> bytes:
    if kind == "s":
        return str(value).encode()
    if kind == "b":
        return b64decode(value)
    if kind[0] == "@":
        return encoded(named(kind[1:]), value)
    if kind[0] == "*":
        return b"".join(part for each in value for part in _field(1, kind[1:], each))
    return _spelled(kind[1:], value)


def _spelled(kind: str, value: Any) -> bytes:
    if kind == "quantity":
        return length(1, value.encode())
    if kind == "int-or-string":
        if isinstance(value, int):
            return b"\x08\x00\x10" + varint(value) + length(3, b"")
        return b"\x08\x01\x10\x00" + length(3, value.encode())
    if kind == "raw":
        return length(1, orjson.dumps(value))
    when = datetime.fromisoformat(value).astimezone(UTC)
    return b"\x08" + varint(int(when.timestamp())) + b"\x10" + varint(when.microsecond * 1000)


def length(number: int, data: bytes) -> bytes:
    """A field of bytes."""
    return varint(number << 3 | 2) + varint(len(data)) + data


def varint(value: int) -> bytes:
    """A number; a negative one as 64 bits."""
    value &= (1 << 64) - 1
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
