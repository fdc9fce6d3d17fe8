"""Conflicts as upstream words them.

Pure: managers and field sets in, texts out.
"""

from collections.abc import Sequence
from typing import Any

import orjson

from control.resources.apply.field_set import FieldSet, paths
from control.resources.apply.managers import UPDATE, Manager

Conflict = tuple[Manager, FieldSet]
CAUSE = "FieldManagerConflict"


def conflict_message(conflicts: Sequence[Conflict]) -> str:
    """The sentence that kubectl shows."""
    found = [(each, spelled(path)) for each, fields in conflicts for path in paths(fields)]
    if len(found) == 1:
        ((manager, path),) = found
        return f"Apply failed with 1 conflict: conflict with {named(manager)}: {path}"
    lines = []
    for manager, fields in sorted(conflicts, key=lambda each: named(each[0])):
        lines.append(f"conflicts with {named(manager)}:")
        lines += [f"- {spelled(path)}" for path in paths(fields)]
    return f"Apply failed with {len(found)} conflicts: " + "\n".join(lines)


def conflict_causes(conflicts: Sequence[Conflict]) -> list[dict[str, Any]]:
    """One cause for each field."""
    return [
        {"reason": CAUSE, "message": f"conflict with {named(manager)}", "field": spelled(path)}
        for manager, fields in conflicts
        for path in paths(fields)
    ]


def named(manager: Manager) -> str:
    """Who it is: `"kubectl-edit" with subresource "status" using apps/v1`."""
    text = f'"{manager.name}"'
    if manager.subresource:
        text += f' with subresource "{manager.subresource}"'
    if manager.operation == UPDATE:
        text += f" using {manager.api_version}"
    return text


def spelled(path: Sequence[str]) -> str:
    """A path of a field set: `.spec.containers[name="web"].image`."""
    return "".join(map(_part, path))


def _part(key: str) -> str:
    kind, text = key[:2], key[2:]
    if kind == "f:":
        return f".{text}"
    if kind == "v:":
        return f"[={text}]"
    pairs = (f"{name}={orjson.dumps(value).decode()}" for name, value in orjson.loads(text).items())
    return f"[{','.join(pairs)}]"
