"""From an envelope to the document that a client would have sent in JSON.

Pure: bytes in, a tree out. What Go's JSON leaves out when it is zero is left out here, for protobuf
as Go writes it has all fields. Whatever is malformed raises Malformed; nesting is bounded.
"""

from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from control.resources.protobuf.messages import Field, Message, message_of, named
from control.resources.protobuf.wire import Malformed, Value, fields, signed, varints

MAGIC = b"k8s\0"
DEPTH_MAX = 64
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def decode_envelope(body: bytes, depth: int = 0) -> dict[str, Any]:
    """The document of a body; Malformed says what is wrong with it."""
    if not body.startswith(MAGIC):
        raise Malformed("it does not begin with the bytes k8s and zero")
    envelope = dict(fields(body[len(MAGIC) :]))
    type_meta = dict(fields(_bytes(envelope.get(1, b""))))
    api_version, kind = (_text(type_meta.get(number, b"")) for number in (1, 2))
    message = message_of(api_version, kind)
    if message is None:
        raise Malformed(f"{api_version or 'no apiVersion'}, Kind={kind} is not known in protobuf")
    if envelope.get(3):
        raise Malformed(f"its content encoding {_text(envelope[3])!r} is not known")
    inside = _message(message, _bytes(envelope.get(2, b"")), depth)
    return {"apiVersion": api_version, "kind": kind, **inside}


def _message(message: Message, data: bytes, depth: int) -> dict[str, Any]:
    if depth > DEPTH_MAX:
        raise Malformed(f"it nests deeper than {DEPTH_MAX} levels")
    made: dict[str, Any] = {}
    for number, value in fields(data):
        known = message.fields.get(number)
        if known is not None:
            _add(made, known, value, depth)
    return made


def _add(made: dict[str, Any], known: Field, value: Value, depth: int) -> None:
    kind = known.kind
    if kind[0] == "[":
        made.setdefault(known.name, []).extend(_items(kind[1:], value, depth))
        return
    if kind[0] == "{":
        key, inner = _entry(kind[1:], value, depth)
        made.setdefault(known.name, {})[key] = inner
        return
    read = _value(kind, value, depth)
    if not known.name:
        made.update(read)
    elif read is not None and (read or not known.omitted):
        made[known.name] = read


def _items(kind: str, value: Value, depth: int) -> list[Any]:
    """One of a list, or several where they are packed."""
    if kind in ("i", "t") and isinstance(value, bytes):
        return [_value(kind, each, depth) for each in varints(value)]
    return [_value(kind, value, depth)]


def _entry(kind: str, value: Value, depth: int) -> tuple[str, Any]:
    parts = dict(fields(_bytes(value)))
    key = _text(parts.get(1, b""))
    zero: Value = 0 if kind in ("i", "t") else b""
    return key, _value(kind, parts.get(2, zero), depth)


def _value(kind: str, value: Value, depth: int) -> Any:
    match kind[0]:
        case "@":
            return _message(named(kind[1:]), _bytes(value), depth + 1)
        case "=":
            return _SPELLED[kind[1:]](_bytes(value), depth + 1)
        case "*":
            inner = (each for number, each in fields(_bytes(value)) if number == 1)
            return [_value(kind[1:], each, depth + 1) for each in inner]
    return _SCALARS[kind](value)


# -- scalars


def _bytes(value: Value) -> bytes:
    if isinstance(value, bytes):
        return value
    raise Malformed("a number stands where bytes should")


def _text(value: Value) -> str:
    try:
        return _bytes(value).decode()
    except UnicodeDecodeError as error:
        raise Malformed(f"a text is not UTF-8: {error.reason}") from error


def _number(value: Value) -> int:
    if isinstance(value, int):
        return signed(value)
    raise Malformed("bytes stand where a number should")


def _double(value: Value) -> float | int:
    import struct

    data = _bytes(value)
    if len(data) != struct.calcsize("<d"):
        raise Malformed("a fraction has the wrong size")
    number: float = struct.unpack("<d", data)[0]
    if number != number or number in (float("inf"), float("-inf")):
        raise Malformed("a fraction is no number")
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


_SCALARS: dict[str, Callable[[Value], Any]] = {
    "s": _text,
    "b": lambda value: b64encode(_bytes(value)).decode(),
    "i": _number,
    "t": lambda value: bool(_number(value)),
    "d": _double,
}


# -- what has a spelling of its own


def _quantity(data: bytes, depth: int) -> str:
    return _text(dict(fields(data)).get(1, b"")) or "0"


def _int_or_string(data: bytes, depth: int) -> int | str:
    parts = dict(fields(data))
    return _text(parts.get(3, b"")) if parts.get(1) else _number(parts.get(2, 0))


def _time(data: bytes, depth: int) -> Any:
    return _moment(data, "%Y-%m-%dT%H:%M:%SZ")


def _micro_time(data: bytes, depth: int) -> Any:
    return _moment(data, "%Y-%m-%dT%H:%M:%S.%fZ")


def _moment(data: bytes, spelling: str) -> Any:
    if not data:
        return None  # as JSON has it
    parts = dict(fields(data))
    seconds, nanoseconds = (_number(parts.get(number, 0)) for number in (1, 2))
    try:
        when = _EPOCH + timedelta(seconds=seconds, microseconds=nanoseconds // 1000)
    except OverflowError:
        raise Malformed(f"{seconds} seconds are beyond the calendar") from None
    return f"{when.year:04d}{when.strftime(spelling.removeprefix('%Y'))}"


def _raw(data: bytes, depth: int) -> Any:
    """JSON in one field, or another envelope."""
    inside = _bytes(dict(fields(data)).get(1, b""))
    if inside.startswith(MAGIC):
        return decode_envelope(inside, depth + 1)
    if not inside:
        return None
    try:
        return orjson.loads(inside)
    except orjson.JSONDecodeError as error:
        raise Malformed(f"a part in JSON is none: {error}") from error


_SCHEMA = "apiextensions.v1.JSONSchemaProps"


def _schema_or_bool(data: bytes, depth: int) -> Any:
    parts = dict(fields(data))
    return _schema(parts[2], depth) if parts.get(2) else bool(parts.get(1))


def _schema_or_list(data: bytes, depth: int) -> Any:
    parts = list(fields(data))
    several = [_schema(value, depth) for number, value in parts if number == 2]
    return several or _schema(dict(parts).get(1, b""), depth)


def _schema_or_names(data: bytes, depth: int) -> Any:
    parts = list(fields(data))
    one = dict(parts).get(1)
    return _schema(one, depth) if one else [_text(value) for number, value in parts if number == 2]


def _schema(value: Value, depth: int) -> dict[str, Any]:
    return _message(named(_SCHEMA), _bytes(value), depth + 1)


_SPELLED: dict[str, Callable[[bytes, int], Any]] = {
    "quantity": _quantity,
    "int-or-string": _int_or_string,
    "time": _time,
    "micro-time": _micro_time,
    "raw": _raw,
    "schema-or-bool": _schema_or_bool,
    "schema-or-list": _schema_or_list,
    "schema-or-names": _schema_or_names,
}
