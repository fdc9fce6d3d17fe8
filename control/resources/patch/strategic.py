"""Strategic merge patch: a merge patch that knows which lists are really maps or sets.

Pure: values in, values out. The kind's schema says how a list merges: by a key, as a set, or not at
all; a few directives in the patch say the rest:

    $patch: replace | delete | merge      on a map or on an item of a list
    $retainKeys: [KEY, ...]               every other key of the map goes
    $setElementOrder/FIELD: [...]         the order of a list's items after the patch
    $deleteFromPrimitiveList/FIELD: [...] values that leave a set

Source: kubernetes/community, "Strategic Merge Patch"; k8s.io/apimachinery, strategicpatch.
"""

from typing import Any

from control.resources.patch.errors import MalformedPatch, PatchError
from control.resources.patch.order import ordered
from control.resources.schema import Node

DIRECTIVE = "$patch"
RETAIN = "$retainKeys"
ORDER = "$setElementOrder/"
DELETE_FROM = "$deleteFromPrimitiveList/"

_ANY = Node()


def strategic_merge(document: Any, patch: dict[str, Any], schema: Node | None) -> Any:
    """The document as the patch wants it; equal to the old one if the patch changes nothing."""
    return _merge_map(document, patch, schema or _ANY)


def _merge_map(old: dict[str, Any], patch: dict[str, Any], node: Node) -> dict[str, Any]:
    match patch.get(DIRECTIVE, "merge"):
        case "replace":
            return {key: value for key, value in patch.items() if key != DIRECTIVE}
        case "delete":
            return {}
        case "merge":
            pass
        case other:
            raise MalformedPatch(f"Unknown patch type found: {other}")
    merged = _retained(old, patch)
    for field, gone in _directed(patch, DELETE_FROM):
        if isinstance(merged.get(field), list):
            merged[field] = [each for each in merged[field] if each not in gone]
    for field, value in patch.items():
        if not field.startswith("$"):
            _merge_field(merged, field, value, _child(node, field))
    for field, order in _directed(patch, ORDER):
        _check_order(patch.get(field), order, _child(node, field))
        if isinstance(merged.get(field), list):
            before = old.get(field)
            live = before if isinstance(before, list) else []
            key = _child(node, field).merge_key
            merged[field] = ordered(merged[field], order, live, key)
    return merged


def _merge_field(merged: dict[str, Any], field: str, value: Any, node: Node) -> None:
    """One field of the patch, into `merged`."""
    old = merged.get(field)
    if value is None:
        merged.pop(field, None)
    elif isinstance(old, dict) and isinstance(value, dict):
        merged[field] = _merge_map(old, value, node)
    elif isinstance(old, list) and isinstance(value, list) and node.merge:
        merged[field] = _merge_list(old, value, node)
    else:
        merged[field] = _plain(value)


def _merge_list(old: list[Any], patch: list[Any], node: Node) -> list[Any]:
    if not all(isinstance(each, dict) for each in (*old, *patch)):
        if any(isinstance(each, dict | list) for each in (*old, *patch)):
            raise MalformedPatch("lists hold either maps or plain values")
        merged = [*old, *(each for each in patch if each not in old)]
        return ordered(list(dict.fromkeys(merged)), patch, old, "")
    if not old and not patch:
        return old
    if not node.merge_key:
        raise PatchError("cannot merge lists without a merge key")
    return _merge_items(old, patch, node)


def _merge_items(old: list[Any], patch: list[Any], node: Node) -> list[Any]:
    """Items with the same key are one; the patch's order wins, others keep their place."""
    key = node.merge_key
    directives = [(each, each[DIRECTIVE]) for each in patch if DIRECTIVE in each]
    wanted = [each for each in patch if each.get(DIRECTIVE, "merge") == "merge"]
    if any(directive == "replace" for _, directive in directives):
        return [_plain(each) for each in patch if DIRECTIVE not in each]
    merged = list(old)
    for item, directive in directives:
        if directive == "delete":
            merged = [each for each in merged if each.get(key) != _key_of(item, key)]
        elif directive != "merge":
            raise MalformedPatch(f"Unknown patch type found: {directive}")
    for item in wanted:
        value = _key_of(item, key)
        places = [index for index, each in enumerate(merged) if each.get(key) == value]
        if places:
            merged[places[0]] = _merge_map(merged[places[0]], item, node.items or _ANY)
        else:
            merged.append(_plain(item))
    return ordered(merged, wanted, old, key)


def _key_of(item: dict[str, Any], key: str) -> Any:
    if key not in item:
        words = f"an item of a list lacks its merge key {key}; it has {sorted(item)}"
        raise MalformedPatch(words)
    return item[key]


def _retained(old: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """A copy of the old map with the keys that `$retainKeys` leaves it."""
    retained = patch.get(RETAIN)
    if retained is None:
        return dict(old)
    if not isinstance(retained, list):
        raise MalformedPatch("invalid patch format of retainKeys: not a list")
    set_here = [key for key, value in patch.items() if key[:1] != "$" and value is not None]
    if any(key not in retained for key in set_here):
        words = "invalid patch format of retainKeys: a key of the patch is not in the list"
        raise MalformedPatch(words)
    return {key: value for key, value in old.items() if key in retained}


def _directed(patch: dict[str, Any], prefix: str) -> list[tuple[str, list[Any]]]:
    """The fields that a directive with a field's name in it speaks of, and its lists."""
    found = [(key, value) for key, value in patch.items() if key.startswith(prefix)]
    for key, value in found:
        if not isinstance(value, list):
            raise MalformedPatch(f"invalid patch format: {key} is not a list")
    return [(key.removeprefix(prefix), value) for key, value in found]


def _check_order(patch: Any, order: list[Any], node: Node) -> None:
    """Whether the patch's items come in the order that it asks for."""
    key = node.merge_key
    if key and not all(isinstance(each, dict) and key in each for each in order):
        words = "invalid patch format of setElementOrder list: an item lacks its merge key"
        raise MalformedPatch(words)
    if not isinstance(patch, list):
        return
    items = [each for each in patch if not (isinstance(each, dict) and DIRECTIVE in each)]
    names = [each.get(key) if key and isinstance(each, dict) else each for each in items]
    places = [each.get(key) if key else each for each in order]
    found = [places.index(each) for each in names if each in places]
    if len(found) < len(names) or found != sorted(found):
        words = "the order in patch list:\n{} doesn't match $setElementOrder list:\n{}"
        raise MalformedPatch(words.format(names, places))


def _child(node: Node, field: str) -> Node:
    return node.properties.get(field) or node.additional or _ANY


def _plain(value: Any) -> Any:
    """What a patch puts where nothing was: without nulls and directives."""
    if isinstance(value, dict):
        kept = {key: each for key, each in value.items() if not key.startswith("$")}
        return {key: _plain(each) for key, each in kept.items() if each is not None}
    if isinstance(value, list):
        return [_plain(each) for each in value if not _deletes(each)]
    return value


def _deletes(item: Any) -> bool:
    return isinstance(item, dict) and item.get(DIRECTIVE) == "delete"
