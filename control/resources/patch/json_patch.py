"""JSON Patch: operations one after another, all or none.

Pure: values in, values out. Spec: RFC 6902; limits and words as kube-apiserver has them.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from control.resources.patch.errors import MalformedPatch, PatchError, PatchTooLarge

OPERATIONS_MAX = 10_000
COPIED_BYTES_MAX = 3 << 20  # in sum; else a few copies of copies fill the memory

# What each operation must have besides its path.
_MEMBERS = {
    "add": "value",
    "replace": "value",
    "test": "value",
    "remove": "",
    "move": "from",
    "copy": "from",
}


def json_patch(document: Any, operations: Sequence[Any]) -> Any:
    """The document after every operation; PatchError names the one that failed."""
    if len(operations) > OPERATIONS_MAX:
        words = f"The allowed maximum operations in a JSON patch is {OPERATIONS_MAX}, "
        raise PatchTooLarge(words + f"got {len(operations)}")
    for operation in operations:
        _check(operation)
    # Copies: what one operation puts into the document, the next may change.
    state, steps = orjson.loads(orjson.dumps([document, operations]))
    copied = 0
    for operation in steps:
        if operation["op"] == "copy":
            copied += _size(state, operation["from"])
            if copied > COPIED_BYTES_MAX:
                raise PatchError(f"the patch copies more than {COPIED_BYTES_MAX} bytes")
        state = _applied(state, operation)
    return state


def _check(operation: Any) -> None:
    """Whether this is an operation at all."""
    if not isinstance(operation, Mapping):
        raise MalformedPatch("a JSON patch is a list of operations")
    name = operation.get("op")
    member = _MEMBERS.get(name) if isinstance(name, str) else None
    if member is None:
        raise MalformedPatch(f"Unexpected kind: {name}")
    for pointer in ("path", *([member] if member == "from" else ())):
        value = operation.get(pointer)
        if not isinstance(value, str) or (value and not value.startswith("/")):
            raise MalformedPatch(f"{name} operation: {pointer} is not a JSON pointer")
    if member and member not in operation:
        raise MalformedPatch(f"{name} operation without {member}")


def _applied(state: Any, operation: dict[str, Any]) -> Any:
    from jsonpatch import JsonPatch, JsonPatchTestFailed  # rarely needed, slow to import

    name, path = operation["op"], operation["path"]
    if not path and name != "test":
        return _on_everything(state, operation)
    try:
        return JsonPatch([operation]).apply(state, in_place=True)
    except JsonPatchTestFailed as error:
        raise PatchError(f"testing value {path} failed: test failed") from error
    except Exception as error:  # the library's own and, on odd documents, Python's
        words = f'{name} operation does not apply: doc is missing path: "{path}": missing value'
        raise PatchError(words) from error


def _on_everything(state: Any, operation: dict[str, Any]) -> Any:
    """An operation on the whole document."""
    match operation["op"]:
        case "add" | "replace":
            return operation["value"]
        case "move" | "copy":
            return _at(state, operation["from"])
        case name:
            raise PatchError(f"{name} operation does not apply: it would leave no document")


def _size(state: Any, pointer: str) -> int:
    return len(orjson.dumps(_at(state, pointer)))


def _at(state: Any, pointer: str) -> Any:
    from jsonpointer import resolve_pointer

    find: Callable[[Any, str], Any] = resolve_pointer
    try:
        return find(state, pointer)
    except Exception as error:
        words = f'doc is missing from path: "{pointer}": missing value'
        raise PatchError(words) from error
