"""Reads the published definitions and gives them the form that upstream's swagger.json has.

kubernetes-validate pairs each optional type with null, pins apiVersion and kind by enums, and
spells quantities and int-or-strings as alternatives; all of that is undone here.
"""

import gzip
import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

Schema = dict[str, Any]

PREFIX = "io.k8s."
QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
INT_OR_STRING = "io.k8s.apimachinery.pkg.util.intstr.IntOrString"
REFERENCE = "#/$defs/"
RELEASE = "v1.37.0-local"


def package_folder(name: str) -> Path | None:
    """Where an installed package lies; None if it is not installed."""
    spec = find_spec(name)
    return Path(spec.origin).parent if spec and spec.origin else None


def read_inputs() -> tuple[dict[str, Schema], list[Schema]]:
    """The definitions by name, and the APIResourceLists."""
    schemas, discovery = package_folder("kubernetes_validate"), package_folder("kmock")
    if schemas is None or discovery is None:
        raise SystemExit(
            "install kubernetes-validate and kmock first: see this package's docstring"
        )
    path = schemas / "kubernetes-json-schema" / RELEASE / "_definitions.json"
    given = json.loads(path.read_text(encoding="utf-8"))["$defs"]
    lists = json.loads(
        gzip.decompress((discovery / "_internal" / "resources.json.gz").read_bytes())
    )
    return {name: plain(name, each) for name, each in given.items()}, lists


def plain(name: str, schema: Schema) -> Schema:
    """One definition as upstream publishes it."""
    if name == QUANTITY:
        return {"description": schema.get("description", ""), "type": "string"}
    if name == INT_OR_STRING:
        described = {"description": schema.get("description", "")}
        return {**described, "type": "string", "format": "int-or-string"}
    return _plain(schema)


def _plain(schema: Schema) -> Schema:
    made: Schema = {}
    for key, value in schema.items():
        if key == "type":
            made[key] = _type(value)
        elif key == "$ref":
            made[key] = "#/definitions/" + value.removeprefix(REFERENCE)
        elif key == "properties":
            made[key] = {name: _property(name, each) for name, each in value.items()}
        elif key in ("items", "additionalProperties") and isinstance(value, dict):
            made[key] = _plain(value)
        else:
            made[key] = value
    return made


def _property(name: str, schema: Schema) -> Schema:
    made = _plain(schema)
    if name in ("apiVersion", "kind"):
        made.pop("enum", None)
    return made


def _type(value: str | list[str]) -> str:
    if isinstance(value, str):
        return value
    (only,) = (each for each in value if each != "null")
    return only


def referenced(schema: Schema) -> str | None:
    """The definition that a place refers to."""
    reference = schema.get("$ref")
    return reference.removeprefix("#/definitions/") if reference else None


def children(schema: Schema) -> list[Schema]:
    """The places directly inside of one."""
    inner = list(schema.get("properties", {}).values())
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            inner.append(schema[key])
    return inner


def closure(definitions: dict[str, Schema], roots: list[str]) -> dict[str, Schema]:
    """The definitions that the roots need, by name in order."""
    found: set[str] = set()
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _references(definitions[name])
    return {name: definitions[name] for name in sorted(found)}


def _references(schema: Schema) -> list[str]:
    own = referenced(schema)
    inner = [name for each in children(schema) for name in _references(each)]
    return [own, *inner] if own else inner
