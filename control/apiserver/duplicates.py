"""Fields that a body has twice: the last one counts, and the client hears of it.

Pure: text in, paths out. Nearly no body has any, and that is seen by counting its quotes, for the
tree that was read holds each key once; only then is the text read again, with all its pairs.
"""

import json
from typing import Any

import orjson

DUPLICATES_MAX = 100  # that are told


def duplicate_fields(body: bytes, tree: Any) -> tuple[str, ...]:
    """The paths of the fields that a JSON text has more than once; none of any other text."""
    spelled = b"\\u" in body  # a quote may hide in it
    if not spelled and body.count(b'"') == orjson.dumps(tree).count(b'"'):
        return ()
    try:
        pairs = json.loads(body, object_pairs_hook=_Pairs)
    except (ValueError, RecursionError):
        return ()
    found: dict[str, None] = {}
    _collect(pairs, "", found)
    return tuple(found)[:DUPLICATES_MAX]


class _Pairs(list[tuple[str, Any]]):
    """An object with all its pairs."""


def _collect(value: Any, path: str, found: dict[str, None]) -> None:
    if isinstance(value, _Pairs):
        seen = set()
        for name, inner in value:
            place = f"{path}.{name}" if path else name
            if name in seen:
                found[place] = None
            seen.add(name)
            _collect(inner, place, found)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            _collect(inner, f"{path}[{number}]", found)
