"""Whether a custom object is what its schema says: types, bounds, choices, and how often.

Pure: a document in, causes out, in upstream's words. At most CAUSES_MAX are told.
Source: k8s.io/kube-openapi/pkg/validation; k8s.io/apiextensions-apiserver/pkg/apiserver/validation.
"""

import math
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from control.resources.causes import CAUSES_MAX, NOT_SUPPORTED, TYPE_INVALID, Cause
from control.resources.custom.formats import fits
from control.resources.custom.keywords import (
    INT_OR_STRING,
    Schema,
    items_of,
    properties_of,
    values_of,
)
from control.resources.custom.patterns import compiled
from control.resources.places import Path, spelled
from control.resources.validation.refusals import invalid, required, shown, too_long, too_many

NOWHERE = "<nil>"  # what upstream calls the place of a rule over several fields
INT64 = 2**63


def value_causes(schema: Schema, document: Any, path: Path | None = None) -> list[Cause]:
    """Everything that is wrong with a value."""
    return list(islice(_causes(schema, document, path), CAUSES_MAX))


def _causes(schema: Schema, value: Any, path: Path | None) -> Iterator[Cause]:
    wrong = _mistyped(schema, value, path)
    if wrong is not None:
        yield wrong
        return
    if value is None:
        return
    yield from _chosen(schema, value, path)
    yield from _combined(schema, value, path)
    if isinstance(value, bool):
        return
    if isinstance(value, str):
        yield from _text(schema, value, path)
    elif isinstance(value, int | float):
        yield from _number(schema, value, path)
    elif isinstance(value, list):
        yield from _list(schema, value, path)
    elif isinstance(value, dict):
        yield from _struct(schema, value, path)


# -- type and choice


def _mistyped(schema: Schema, value: Any, path: Path | None) -> Cause | None:
    allowed = ["integer", "string"] if schema.get(INT_OR_STRING) else [schema.get("type") or ""]
    if allowed == [""]:
        return None
    if schema.get("nullable"):
        allowed.append("null")
    if any(_IS[each](value) for each in allowed if each in _IS):
        return None
    place, given = spelled(path), type_name(value)
    words = f'{place} in body must be of type {",".join(allowed)}: "{given}"'
    return Cause(TYPE_INVALID, f'Invalid value: "{given}": {words}', place)


def _whole(value: Any) -> bool:
    if isinstance(value, float):
        return value.is_integer()
    return type(value) is int and -INT64 <= value < INT64


_IS: dict[str, Callable[[Any], bool]] = {
    "array": lambda value: isinstance(value, list),
    "boolean": lambda value: isinstance(value, bool),
    "integer": _whole,
    "null": lambda value: value is None,
    "number": lambda value: type(value) in (int, float),
    "object": lambda value: isinstance(value, dict),
    "string": lambda value: isinstance(value, str),
}


def type_name(value: Any) -> str:
    """As JSON Schema calls what a value is."""
    for name in ("null", "boolean", "string", "integer", "number", "array", "object"):
        if _IS[name](value):
            return name
    return "number"  # whole, and beyond 64 bits


def _chosen(schema: Schema, value: Any, path: Path | None) -> Iterator[Cause]:
    enum = schema.get("enum")
    if enum and not any(same(value, each) for each in enum):
        known = ", ".join(shown(each) for each in enum)
        words = f"Unsupported value: {shown(value)}: supported values: {known}"
        yield Cause(NOT_SUPPORTED, words, spelled(path))


def same(one: Any, other: Any) -> bool:
    """Equal as JSON: true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return bool(one == other)


# -- leaves


def _body(path: Path | None, value: Any, words: str) -> Cause:
    place = spelled(path)
    return invalid(place, value, f"{place} in body {words}")


def _text(schema: Schema, value: str, path: Path | None) -> Iterator[Cause]:
    longest, shortest = schema.get("maxLength"), schema.get("minLength")
    if longest is not None and len(value) > longest:
        yield too_long(spelled(path), longest)
    if shortest is not None and len(value) < shortest:
        yield _body(path, value, f"should be at least {shortest} chars long")
    pattern = schema.get("pattern")
    if pattern and not compiled(pattern).search(value):
        yield _body(path, value, f"should match '{pattern}'")
    format_ = schema.get("format")
    if format_ and not schema.get(INT_OR_STRING) and not fits(format_, value):
        yield _body(path, value, f"must be of type {format_}: {shown(value)}")


def _number(schema: Schema, value: float, path: Path | None) -> Iterator[Cause]:
    least, most = schema.get("minimum"), schema.get("maximum")
    if most is not None:
        strict = bool(schema.get("exclusiveMaximum"))
        if value > most or (strict and value == most):
            words = "should be less than" + ("" if strict else " or equal to")
            yield _body(path, value, f"{words} {_plain(most)}")
    if least is not None:
        strict = bool(schema.get("exclusiveMinimum"))
        if value < least or (strict and value == least):
            words = "should be greater than" + ("" if strict else " or equal to")
            yield _body(path, value, f"{words} {_plain(least)}")
    factor = schema.get("multipleOf")
    if factor and not _multiple(value, factor):
        yield _body(path, value, f"should be a multiple of {_plain(factor)}")


def _multiple(value: float, factor: float) -> bool:
    if isinstance(value, int) and isinstance(factor, int):
        return value % factor == 0
    quotient = value / factor
    return math.isfinite(quotient) and quotient == int(quotient)


def _plain(number: float) -> str:
    whole = isinstance(number, float) and number.is_integer() and abs(number) < INT64
    return str(int(number)) if whole else str(number)


# -- what holds others


def _list(schema: Schema, value: list[Any], path: Path | None) -> Iterator[Cause]:
    most, least, items = schema.get("maxItems"), schema.get("minItems"), items_of(schema)
    if most is not None and len(value) > most:
        yield too_many(spelled(path), len(value), most)
        return  # upstream looks no further: what is in it would be told without an end
    if least is not None and len(value) < least:
        yield _body(path, len(value), f"should have at least {least} items")
    if items is not None:
        for index, inner in enumerate(value):
            yield from _causes(items, inner, (path, index))


def _struct(schema: Schema, value: dict[str, Any], path: Path | None) -> Iterator[Cause]:
    most, least = schema.get("maxProperties"), schema.get("minProperties")
    if most is not None and len(value) > most:
        yield too_many(spelled(path), len(value), most)
    if least is not None and len(value) < least:
        yield _body(path, len(value), f"should have at least {least} properties")
    for name in schema.get("required") or ():
        if name not in value:
            yield required(spelled((path, name)))
    properties, rest = properties_of(schema), values_of(schema)
    for key, inner in value.items():
        child = properties.get(key, rest)
        if child is not None:
            yield from _causes(child, inner, (path, key))


# -- combinations


def _combined(schema: Schema, value: Any, path: Path | None) -> Iterator[Cause]:
    place = f'"{spelled(path)}"'
    if choices := schema.get("anyOf"):
        found = [value_causes(each, value, path) for each in choices]
        if all(found):
            yield _over(f"{place} must validate at least one schema (anyOf)")
            yield from min(found, key=len)
    if choices := schema.get("oneOf"):
        found = [value_causes(each, value, path) for each in choices]
        fitting = sum(not each for each in found)
        if fitting != 1:
            how = f"Found {fitting} valid alternatives" if fitting else "Found none valid"
            yield _over(f"{place} must validate one and only one schema (oneOf). {how}")
            yield from [] if fitting else min(found, key=len)
    if parts := schema.get("allOf"):
        found = [value_causes(each, value, path) for each in parts]
        for each in found:
            yield from each
        if any(found):
            none = ". None validated" if all(found) else ""
            yield _over(f"{place} must validate all the schemas (allOf){none}")
    negated = schema.get("not")
    if negated is not None and not value_causes(negated, value, path):
        yield _over(f"{place} must not validate the schema (not)")


def _over(words: str) -> Cause:
    return invalid(NOWHERE, "", words)
