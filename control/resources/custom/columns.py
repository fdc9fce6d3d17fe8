"""The columns that a definition gives its kind: JSONPaths, or the age where it gives none.

Pure: documents in, cells out; a cell is empty where the path leads nowhere, or to another type.
Source: k8s.io/apiextensions-apiserver/pkg/registry/customresource/tableconvertor.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from cluster.client.interface import Document
from control.resources.columns.ages import INVALID, instant, since
from control.resources.columns.printer import NAME, Column, Printer, Row
from control.resources.custom.json_path import JsonPath, parse_path

AGE = {
    "name": "Age",
    "type": "date",
    "description": "How long ago the object was created.",
    "jsonPath": ".metadata.creationTimestamp",
}


def custom_printer(columns: Sequence[Mapping[str, Any]]) -> Printer:
    """The printer of a kind with such additionalPrinterColumns."""
    given = columns or (AGE,)
    cells = [(parse_path(each["jsonPath"]), each["type"]) for each in given]

    def row(document: Document, now: datetime) -> Row:
        name = document["metadata"].get("name", "")
        return [name, *(_cell(path, type_, document, now) for path, type_ in cells)]

    return Printer((NAME, *(_column(each) for each in given)), row)


def _column(column: Mapping[str, Any]) -> Column:
    return Column(
        column["name"],
        column.get("description") or f"Custom resource definition column: {column['jsonPath']}",
        column["type"],
        column.get("format") or "",
        column.get("priority") or 0,
    )


def _cell(path: JsonPath, type_: str, document: Document, now: datetime) -> Any:
    value = path.first(document)
    return None if value is None else _CELLS[type_](value, now)


def _text(value: Any, now: datetime) -> Any:
    if isinstance(value, str):
        return value
    return orjson.dumps(value).decode()


def _date(value: Any, now: datetime) -> Any:
    if not isinstance(value, str):
        return None
    return INVALID if instant(value) is None else since(value, now)


def _whole(value: Any, now: datetime) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value)


def _number(value: Any, now: datetime) -> Any:
    return None if isinstance(value, bool) or not isinstance(value, int | float) else value


def _truth(value: Any, now: datetime) -> Any:
    return value if isinstance(value, bool) else None


_CELLS: Mapping[str, Callable[[Any, datetime], Any]] = {
    "boolean": _truth,
    "date": _date,
    "integer": _whole,
    "number": _number,
    "string": _text,
}
