"""The definitions as the walkers want them: no descriptions, short names, real types.

A place is `{"ref": NAME}` or has a `type`; further keys only where they differ from a node's
defaults (`control.resources.schema.Node`).
"""

from typing import Any

from control.resources.data.generator.defaults import DEFAULTS
from control.resources.data.generator.inputs import (
    INT_OR_STRING,
    QUANTITY,
    Schema,
    closure,
    referenced,
)
from control.resources.data.generator.required import ALSO_REQUIRED, NOT_REQUIRED

TIMES = {
    "io.k8s.apimachinery.pkg.apis.meta.v1.Time": "time",
    "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime": "micro-time",
}
LEAVES = {
    QUANTITY: {"type": "quantity"},
    INT_OR_STRING: {"type": "int-or-string"},
    **{name: {"type": "string", "format": format_} for name, format_ in TIMES.items()},
}
META = "io.k8s.apimachinery.pkg.apis.meta.v1."


def short(name: str) -> str:
    """`io.k8s.api.core.v1.Pod` -> `core.v1.Pod`."""
    if name.startswith(META):
        return "meta.v1." + name.removeprefix(META)
    return name.removeprefix("io.k8s.api.").removeprefix("io.k8s.apimachinery.pkg.")


def stripped(definitions: dict[str, Schema], roots: dict[str, str]) -> dict[str, Any]:
    """The schema file: roots by `group/version/kind`, definitions by short name."""
    given = closure(definitions, list(roots.values()))
    validated = _outside_of_status(given, set(roots.values()))
    made = {
        short(name): _definition(short(name), each, validated=name in validated)
        for name, each in given.items()
        if name not in LEAVES
    }
    named = {key: short(name) for key, name in roots.items()}
    return {"roots": named, "definitions": made}


def _definition(name: str, schema: Schema, *, validated: bool) -> dict[str, Any]:
    made = _place(schema)
    if validated and (required := _required(name, schema)):
        made["required"] = required
    defaults = DEFAULTS.get(name, {})
    for key, place in made.get("properties", {}).items():
        if key in defaults:
            place["default"] = defaults[key]
    unknown = sorted(set(defaults) - set(made.get("properties", {})))
    if unknown:
        raise SystemExit(f"{name} has a default for fields that it lacks: {unknown}")
    return made


def _required(name: str, schema: Schema) -> list[str]:
    exempt = NOT_REQUIRED.get(name, frozenset())
    kept = [each for each in schema.get("required", ()) if each not in exempt]
    return [*kept, *ALSO_REQUIRED.get(name, ())]


def _outside_of_status(definitions: dict[str, Schema], roots: set[str]) -> set[str]:
    """What people write: a status is its controllers', and the server requires nothing in it."""
    without = {
        name: {**each, "properties": _without_status(each)} if name in roots else each
        for name, each in definitions.items()
    }
    return set(closure(without, sorted(roots)))


def _without_status(schema: Schema) -> Schema:
    return {name: each for name, each in schema["properties"].items() if name != "status"}


def _place(schema: Schema) -> dict[str, Any]:
    target = referenced(schema)
    if target in LEAVES:
        made: dict[str, Any] = dict(LEAVES[target])
    elif target:
        made = {"ref": short(target)}
    else:
        made = _own(schema)
    return {**made, **_extensions(schema)}


def _own(schema: Schema) -> dict[str, Any]:
    kind = schema.get("type", "any")
    if kind == "object" and not {"properties", "additionalProperties"} & set(schema):
        kind = "any"  # RawExtension, FieldsV1: whatever they hold is kept
    made: dict[str, Any] = {"type": kind}
    if "format" in schema:
        made["format"] = schema["format"]
    if "properties" in schema:
        made["properties"] = {name: _place(each) for name, each in schema["properties"].items()}
    if "additionalProperties" in schema:
        made["additional"] = _place(schema["additionalProperties"])
    if "items" in schema:
        made["items"] = _place(schema["items"])
    return made


def _extensions(schema: Schema) -> dict[str, Any]:
    strategy = schema.get("x-kubernetes-patch-strategy", "").split(",")
    given = {
        "merge": "merge" in strategy,
        "retain_keys": "retainKeys" in strategy,
        "merge_key": schema.get("x-kubernetes-patch-merge-key"),
        "list_type": schema.get("x-kubernetes-list-type"),
        "list_map_keys": schema.get("x-kubernetes-list-map-keys"),
        "map_type": schema.get("x-kubernetes-map-type"),
    }
    return {key: value for key, value in given.items() if value}
