"""Domain names: text, and labels on the wire.

    wire    3 w w w 7 e x a m p l e 3 c o m 0        a length before each label, 0 ends the name
            ... 0xC0 | offset                        or a pointer to where the rest stands already

As text a name has no final dot, and the root is "". A dot or backslash inside a label is written
with a backslash before it, a byte that is no printable ASCII as \\DDD.
Pure: bytes in, values out, and back. A name that breaks its format is a WireError.
Spec: RFC 1035 sections 3.1 and 4.1.4; D-133.
"""

import re

from cluster.errors import WireError

NAME_BYTES_MAX = 255
LABEL_BYTES_MAX = 63
POINTER_TARGETS_MAX = 0x3FFF  # fourteen bits
_POINTER = 0xC0

_PLAIN = re.compile(rb"[A-Za-z0-9_*/+-]*\Z")
_ESCAPED_TEXT = re.compile(r"\\([0-9]{3}|.)", re.DOTALL)
_LABEL_TEXT = re.compile(r"(?:[^.\\]|\\[0-9]{3}|\\.)+", re.DOTALL)


def labels_of(name: str) -> list[str]:
    """The labels of a name, escapes left in; WireError on an empty label."""
    if not name:
        return []
    labels = name.split(".") if "\\" not in name else _split_escaped(name)
    if not all(labels):
        raise WireError(f"name {name!r} has an empty label")
    return labels


def _split_escaped(name: str) -> list[str]:
    labels, position = [], 0
    while True:
        found = _LABEL_TEXT.match(name, position)
        if found is None:
            raise WireError(f"name {name!r} has an empty label or ends in a backslash")
        labels.append(found.group())
        position = found.end()
        if position == len(name):
            return labels
        if name[position] != ".":
            raise WireError(f"name {name!r} ends in a backslash")
        position += 1


def label_bytes(label: str) -> bytes:
    """A label's bytes, escapes resolved; WireError when it is too long."""
    text = label if "\\" not in label else _ESCAPED_TEXT.sub(_unescape, label)
    try:
        raw = text.encode("latin-1")
    except UnicodeEncodeError as error:
        raise WireError(f"label {label!r} holds a character that is no byte") from error
    if len(raw) > LABEL_BYTES_MAX:
        raise WireError(f"label {label!r} has {len(raw)} bytes, the limit is {LABEL_BYTES_MAX}")
    return raw


def _unescape(found: re.Match[str]) -> str:
    what = found.group(1)
    if len(what) == 1:
        return what
    if int(what) > 255:
        raise WireError(f"escape \\{what} is no byte")
    return chr(int(what))


def label_text(raw: bytes) -> str:
    """A label as text, escaped where it must be."""
    if _PLAIN.match(raw):
        return raw.decode("ascii")
    return "".join(map(_escape, raw))


def _escape(byte: int) -> str:
    if byte in b".\\":
        return "\\" + chr(byte)
    return chr(byte) if 0x21 <= byte <= 0x7E else f"\\{byte:03d}"


def decode_name(data: bytes, offset: int) -> tuple[str, int]:
    """The name at an offset, and the offset behind it.

    Each pointer must lead to before the place where the name or the last jump began, so a loop
    cannot be.
    """
    labels: list[str] = []
    size, start, behind = 1, offset, -1
    while True:
        if offset >= len(data):
            raise WireError(f"name at byte {start} runs past the end of {len(data)} bytes")
        length = data[offset]
        if length == 0:
            return ".".join(labels), offset + 1 if behind < 0 else behind
        if length >= _POINTER:
            behind = offset + 2 if behind < 0 else behind
            offset = start = _target(data, offset, start)
            continue
        if length > LABEL_BYTES_MAX:
            raise WireError(f"label length {length:#x} at byte {offset} is reserved")
        size += length + 1
        if size > NAME_BYTES_MAX:
            raise WireError(f"name has more than {NAME_BYTES_MAX} bytes")
        raw = data[offset + 1 : offset + 1 + length]
        if len(raw) < length:
            raise WireError(f"label at byte {offset} runs past the end of {len(data)} bytes")
        labels.append(label_text(raw))
        offset += length + 1


def _target(data: bytes, offset: int, start: int) -> int:
    if offset + 1 >= len(data):
        raise WireError(f"pointer at byte {offset} is cut off")
    target = int.from_bytes(data[offset : offset + 2], "big") & POINTER_TARGETS_MAX
    if target >= start:
        raise WireError(f"pointer at byte {offset} to byte {target} does not lead backwards")
    return target


class NameWriter:
    """Appends names to a message, pointing back to those that stand in it already."""

    def __init__(self, out: bytearray) -> None:
        self._out = out
        self._places: dict[str, int] = {}

    def write(self, name: str, *, compress: bool = True) -> None:
        """Append a name; one that must not be compressed may still be pointed to (RFC 3597)."""
        labels = labels_of(name)
        raw = [label_bytes(label) for label in labels]
        if sum(map(len, raw)) + len(raw) + 1 > NAME_BYTES_MAX:
            raise WireError(f"name {name!r} has more than {NAME_BYTES_MAX} bytes")
        for index, label in enumerate(raw):
            rest = ".".join(labels[index:])
            place = self._places.get(rest)
            if place is not None and compress:
                self._out += (place | _POINTER << 8).to_bytes(2, "big")
                return
            if len(self._out) <= POINTER_TARGETS_MAX:
                self._places.setdefault(rest, len(self._out))
            self._out.append(len(label))
            self._out += label
        self._out.append(0)
