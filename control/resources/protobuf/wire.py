"""The wire format of protobuf: a message is fields, each a number and a value.

Pure: bytes in, values out. Source: protobuf.dev, "Encoding". Groups are long gone and not read.
"""

from collections.abc import Iterator

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5
VARINT_BYTES_MAX = 10
_SIZES = {FIXED64: 8, FIXED32: 4}

Value = int | bytes  # bytes of a fixed number, too


class Malformed(ValueError):
    """These bytes are no message."""


def fields(data: bytes) -> Iterator[tuple[int, Value]]:
    """Number and value of each field, in order; Malformed where the bytes make no sense."""
    at, end = 0, len(data)
    while at < end:
        key, at = _varint(data, at)
        number, wire_type = key >> 3, key & 7
        if not number:
            raise Malformed("a field has the number 0")
        value: Value
        if wire_type == VARINT:
            value, at = _varint(data, at)
        elif wire_type == LENGTH:
            size, at = _varint(data, at)
            value, at = _taken(data, at, size)
        elif wire_type in _SIZES:
            value, at = _taken(data, at, _SIZES[wire_type])
        else:
            raise Malformed(f"field {number} has the wire type {wire_type}")
        yield number, value


def varints(data: bytes) -> Iterator[int]:
    """Numbers that are packed together."""
    at = 0
    while at < len(data):
        value, at = _varint(data, at)
        yield value


def signed(value: int) -> int:
    """A varint as the 64-bit number that it stands for."""
    return value - (1 << 64) if value >= 1 << 63 else value


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    for index in range(at, min(at + VARINT_BYTES_MAX, len(data))):
        byte = data[index]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & (1 << 64) - 1, index + 1
        shift += 7
    raise Malformed("a number has no end")


def _taken(data: bytes, at: int, size: int) -> tuple[bytes, int]:
    if size > len(data) - at:
        raise Malformed(f"a field of {size} bytes has {len(data) - at}")
    return data[at : at + size], at + size
