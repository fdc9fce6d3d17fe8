"""In which order the items of a merged list stand.

Pure: values in, values out. Source: kubernetes/community, "Preserve order in strategic merge
patch".
"""

from collections.abc import Sequence
from typing import Any


def ordered(
    items: Sequence[Any], wanted: Sequence[Any], live: Sequence[Any], key: str
) -> list[Any]:
    """The items that `wanted` names in its order, the others where the live list has them.

    Both keep their own order. One that only the server knows goes before the first wanted item
    that the live list has behind it; items are known by `key`, or by themselves without one.
    """
    named, placed = _places(wanted, key), _places(live, key)
    ours = [each for each in items if _place(named, each, key) is not None]
    ours.sort(key=lambda each: _place(named, each, key) or 0)
    theirs = [each for each in items if _place(named, each, key) is None]
    theirs.sort(key=lambda each: (_place(placed, each, key) is None, _place(placed, each, key)))
    result: list[Any] = []
    for each in ours:
        while theirs and _before(_place(placed, theirs[0], key), _place(placed, each, key)):
            result.append(theirs.pop(0))
        result.append(each)
    return [*result, *theirs]


def _before(left: int | None, right: int | None) -> bool:
    return left is not None and right is not None and left < right


def _places(items: Sequence[Any], key: str) -> dict[Any, int]:
    places: dict[Any, int] = {}
    for index, each in enumerate(items):
        places.setdefault(_name(each, key), index)
    return places


def _place(places: dict[Any, int], item: Any, key: str) -> int | None:
    return places.get(_name(item, key))


def _name(item: Any, key: str) -> Any:
    value = item.get(key) if key and isinstance(item, dict) else item
    return value if not isinstance(value, dict | list) else repr(value)
