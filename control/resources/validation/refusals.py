"""Causes in the words that clients know: how a value is shown, what a reason says.

Pure: values in, causes out. Source: k8s.io/apimachinery/pkg/util/validation/field/errors.go.
"""

from collections.abc import Iterable
from typing import Any

import orjson

from control.resources.causes import (
    DUPLICATE,
    FORBIDDEN,
    INVALID,
    NOT_SUPPORTED,
    REQUIRED,
    Cause,
)

NOT_FOUND = "FieldValueNotFound"
TOO_LONG, TOO_MANY = "FieldValueTooLong", "FieldValueTooMany"
IMMUTABLE = "field is immutable"


def invalid(field: str, value: Any, detail: str) -> Cause:
    """The value makes no sense."""
    return Cause(INVALID, f"Invalid value: {shown(value)}: {detail}", field)


def required(field: str, detail: str = "") -> Cause:
    """The value is missing."""
    return Cause(REQUIRED, f"Required value: {detail}" if detail else "Required value", field)


def unsupported(field: str, value: Any, supported: Iterable[str]) -> Cause:
    """The value is none of those that are known, told in the order that they are given in."""
    known = ", ".join(f'"{each}"' for each in supported)
    message = f"Unsupported value: {shown(value)}: supported values: {known}"
    return Cause(NOT_SUPPORTED, message, field)


def duplicate(field: str, value: Any) -> Cause:
    """The value is there already."""
    return Cause(DUPLICATE, f"Duplicate value: {shown(value)}", field)


def not_found(field: str, value: Any) -> Cause:
    """What is named does not exist."""
    return Cause(NOT_FOUND, f"Not found: {shown(value)}", field)


def forbidden(field: str, detail: str) -> Cause:
    """The field may not be set, or not to this."""
    return Cause(FORBIDDEN, f"Forbidden: {detail}", field)


def too_long(field: str, bytes_max: int) -> Cause:
    """More bytes than there may be."""
    return Cause(TOO_LONG, f"Too long: may not be more than {bytes_max} bytes", field)


def too_many(field: str, count: int, items_max: int) -> Cause:
    """More items than there may be."""
    return Cause(TOO_MANY, f"Too many: {count}: must have at most {items_max} items", field)


def unchanged(field: str, new: Any, old: Any) -> list[Cause]:
    """Nothing, if a field that cannot change did not."""
    return [] if new == old else [invalid(field, new, IMMUTABLE)]


def shown(value: Any) -> str:
    """A value as messages show it: text in quotes, structures as JSON."""
    return "null" if value is None else orjson.dumps(value).decode()
