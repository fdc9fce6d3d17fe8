"""python -m control.resources.data.generator: writes the data anew."""

import hashlib
import json
import zlib
from pathlib import Path
from typing import Any

from control.resources.data.generator import gnostic, openapi
from control.resources.data.generator.inputs import Schema, closure, read_inputs
from control.resources.data.generator.kinds import kind_rows
from control.resources.data.generator.messages import message_table
from control.resources.data.generator.stripped import stripped

FOLDER = Path(__file__).resolve().parent.parent
DIGITS = 32  # of a SHA-256 in a v3 URL: enough to tell documents apart


def generate() -> dict[str, bytes]:
    """Each file by its name, uncompressed."""
    definitions, lists = read_inputs()
    rows = kind_rows(lists)
    roots = roots_of(rows, definitions)
    files = {
        "kinds.json": _readable(rows),
        "schema.json": _compact(stripped(definitions, roots)),
        "protobuf.json": _compact(message_table()),
        "openapi-v2.pb": gnostic.swagger(_swagger_definitions(definitions, roots)),
    }
    index: dict[str, str] = {}
    for path, members in _by_group_version(rows).items():
        body = _compact(openapi.document(members, definitions, roots))
        files[f"openapi-v3/{path.replace('/', '_')}.json"] = body
        index[path] = hashlib.sha256(body).hexdigest()[:DIGITS].upper()
    files["openapi-v3.json"] = _compact(index)
    digests = {name: hashlib.sha256(body).hexdigest() for name, body in sorted(files.items())}
    return {**files, "digests.json": _readable(digests)}


def roots_of(rows: list[dict[str, Any]], definitions: dict[str, Schema]) -> dict[str, str]:
    """The definition of each kind, by `group/version/kind`."""
    wanted = {openapi.key_of(row) for row in rows}
    named = {
        openapi.key_of(each): name
        for name, schema in definitions.items()
        for each in schema.get("x-kubernetes-group-version-kind", ())
    }
    return {key: named[key] for key in sorted(wanted)}


def write(files: dict[str, bytes]) -> None:
    """Readable files as they are, the others compressed."""
    for name, body in files.items():
        plain = name in ("kinds.json", "digests.json")
        path = FOLDER / (name if plain else f"{name}.z")
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(body if plain else zlib.compress(body, 9))


def _swagger_definitions(
    definitions: dict[str, Schema], roots: dict[str, str]
) -> dict[str, Schema]:
    named = list(roots.values())
    more = [openapi.SCALE, f"{openapi.META}Status", f"{openapi.META}DeleteOptions"]
    return closure(definitions, [*named, *(f"{name}List" for name in named), *more])


def _by_group_version(rows: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        path = f"apis/{row['group']}/{row['version']}" if row["group"] else f"api/{row['version']}"
        found.setdefault(path, []).append(row)
    return found


def _readable(value: Any) -> bytes:
    if isinstance(value, list):  # a line each
        lines = ",\n".join(json.dumps(each, ensure_ascii=False) for each in value)
        return f"[\n{lines}\n]\n".encode()
    return (json.dumps(value, indent=1) + "\n").encode()


def _compact(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


if __name__ == "__main__":
    write(generate())
