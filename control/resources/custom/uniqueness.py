"""Lists that are sets or maps hold nothing twice.

Pure: a document in, causes out. Source:
k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import orjson

from control.resources.causes import CAUSES_MAX, Cause
from control.resources.custom.keywords import (
    LIST_KEYS,
    LIST_TYPE,
    Schema,
    items_of,
    properties_of,
    values_of,
)
from control.resources.places import Path, spelled
from control.resources.validation.refusals import duplicate


def uniqueness_causes(schema: Schema, document: Any) -> list[Cause]:
    """Every item that is in its list before."""
    return list(islice(_causes(schema, document, None), CAUSES_MAX))


def _causes(schema: Schema, value: Any, path: Path | None) -> Iterator[Cause]:
    if isinstance(value, dict):
        properties, rest = properties_of(schema), values_of(schema)
        for key, inner in value.items():
            child = properties.get(key, rest)
            if child is not None:
                yield from _causes(child, inner, (path, key))
    elif isinstance(value, list):
        yield from _repeated(schema, value, path)
        items = items_of(schema)
        if items is not None:
            for index, inner in enumerate(value):
                yield from _causes(items, inner, (path, index))


def _repeated(schema: Schema, value: list[Any], path: Path | None) -> Iterator[Cause]:
    kind = schema.get(LIST_TYPE)
    if kind not in ("set", "map"):
        return
    seen: set[bytes] = set()
    for index, item in enumerate(value):
        key = item if kind == "set" else _key(schema, item)
        spelling = orjson.dumps(key, option=orjson.OPT_SORT_KEYS)
        if spelling in seen:
            yield duplicate(spelled((path, index)), key)
        seen.add(spelling)


def _key(schema: Schema, item: Any) -> Any:
    if not isinstance(item, dict):
        return item
    return {name: item[name] for name in schema.get(LIST_KEYS) or () if name in item}
