"""Which messages there are: the table that the generator made of the Go types.

Pure: data, read with the first body in protobuf. `control.resources.data.generator.messages` says
how a kind is written.
"""

from collections.abc import Mapping
from dataclasses import field
from functools import cache
from typing import Any

import orjson

from cluster.dataclass import dataclass
from control.resources.data import read_data

OPTIONS = "meta/v1/"  # DeleteOptions come under the apiVersion of whatever is to be deleted


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a message."""

    name: str  # in JSON; "" is inlined
    kind: str
    omitted: bool  # by JSON, when it is zero


@dataclass(slots=True)
class Message:
    """The fields by number."""

    fields: dict[int, Field] = field(default_factory=dict)


def message_of(api_version: str, kind: str) -> Message | None:
    """The message of a kind, or None."""
    roots = _roots()
    group = "" if "/" in api_version else "/"
    name = roots.get(f"{group}{api_version}/{kind}") or roots.get(f"{OPTIONS}{kind}")
    return None if name is None else named(name)


@cache
def named(name: str) -> Message:
    """A message by its name."""
    made = Message()
    for number, told, kind in _table()["messages"][name]:
        made.fields[number] = Field(told.removeprefix("+"), kind, told.startswith("+"))
    return made


def _roots() -> Mapping[str, str]:
    roots: Mapping[str, str] = _table()["roots"]
    return roots


@cache
def _table() -> Mapping[str, Mapping[str, Any]]:
    table: Mapping[str, Mapping[str, Any]] = orjson.loads(read_data("protobuf.json"))
    return table
