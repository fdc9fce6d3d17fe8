"""The OpenAPI documents of custom kinds: what kubectl explains and applies them by.

Pure: kinds in, documents out. The schemas are the definitions' own; around them stand the paths and
the metadata that every kind has. The v2 part is appended to the built-in document.
Source: kubernetes.io, "OpenAPI V3"; k8s.io/apiextensions-apiserver/pkg/controller/openapi.
"""

import hashlib
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

import orjson

from control.resources.custom.keywords import EMBEDDED, items_of, properties_of, values_of
from control.resources.data.generator.gnostic import more_definitions
from control.resources.data.generator.openapi import META, SCALE, paths_of
from control.resources.kinds import Kind

Schema = dict[str, Any]

DIGITS = 32
BORROWED = "apis/apps/v1"  # a document that has everything custom kinds share with built-in ones
_ROOTS = tuple(f"{META}{each}" for each in ("DeleteOptions", "ListMeta", "ObjectMeta", "Patch"))
_LINK = "#/components/schemas/"
_TYPE_TEXTS = {
    "apiVersion": "The group and version of the schema that this object is written by.",
    "kind": "The kind of this object; it cannot be changed.",
}
# What Swagger 2.0 has words for; the rest is v3's.
_V2 = ("description", "format", "type", "required")


class Publication:
    """All documents of some custom kinds, made when they are first asked for."""

    def __init__(self, kinds: Iterable[Kind], borrowed: bytes) -> None:
        self._kinds = tuple(kinds)
        self._borrowed = borrowed

    @cached_property
    def documents(self) -> Mapping[str, bytes]:
        """A v3 document for each group version, by its path."""
        found: dict[str, list[Kind]] = {}
        for kind in self._kinds:
            found.setdefault(f"apis/{kind.resource.api_version}", []).append(kind)
        shared = _shared(orjson.loads(self._borrowed)["components"]["schemas"])
        return {path: orjson.dumps(_document(each, shared)) for path, each in found.items()}

    @cached_property
    def hashes(self) -> Mapping[str, str]:
        """The hash of each v3 document."""
        return {path: digest(body) for path, body in self.documents.items()}

    @cached_property
    def v2(self) -> bytes:
        """The definitions of all kinds, to be appended to the built-in v2 document."""
        definitions: dict[str, Schema] = {}
        for kind in self._kinds:
            for name, schema in _schemas(kind).items():
                definitions[name] = _v2(schema)
        return more_definitions(definitions)


def digest(body: bytes) -> str:
    """As addresses carry it."""
    return hashlib.sha256(body).hexdigest()[:DIGITS].upper()


def definition_name(kind: Kind) -> str:
    """As `com.example.v1.Widget`."""
    resource = kind.resource
    return ".".join((*reversed(resource.group.split(".")), resource.version, resource.kind))


def _document(kinds: Iterable[Kind], shared: Mapping[str, Schema]) -> Schema:
    paths: Schema = {}
    schemas = dict(shared)
    for kind in kinds:
        paths |= _without_strategic(paths_of(_row(kind), definition_name(kind)))
        schemas |= _schemas(kind)
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes CRD Swagger", "version": "v0.1.0"},
        "paths": paths,
        "components": {"schemas": schemas},
    }


def _without_strategic(paths: Schema) -> Schema:
    """kubectl would use the patch that custom kinds do not take."""
    for path in paths.values():
        content = path.get("patch", {}).get("requestBody", {}).get("content", {})
        content.pop("application/strategic-merge-patch+json", None)
    return paths


def _row(kind: Kind) -> dict[str, Any]:
    resource = kind.resource
    return {
        "group": resource.group,
        "version": resource.version,
        "plural": resource.plural,
        "kind": resource.kind,
        "namespaced": resource.namespaced,
        "subresources": list(kind.subresources),
    }


def _schemas(kind: Kind) -> dict[str, Schema]:
    """The kind and its list, by name."""
    assert kind.custom is not None
    name, resource = definition_name(kind), kind.resource
    whole = {
        **_embedding(kind.custom.schema),
        **_typed(resource.group, resource.version, resource.kind),
    }
    whole["properties"] = {**whole.get("properties", {}), **_common("ObjectMeta")}
    listed = kind.custom.list_kind or f"{resource.kind}List"
    items = {"type": "array", "description": "The objects.", "items": _link(name)}
    collection = {
        "type": "object",
        "description": f"A list of {resource.kind}.",
        "required": ["items"],
        "properties": {"items": items, **_common("ListMeta")},
        **_typed(resource.group, resource.version, listed),
    }
    return {name: whole, f"{name}List": collection}


def _typed(group: str, version: str, kind: str) -> Schema:
    named = {"group": group, "kind": kind, "version": version}
    return {"x-kubernetes-group-version-kind": [named]}


def _common(metadata: str) -> dict[str, Schema]:
    texts = {key: {"type": "string", "description": text} for key, text in _TYPE_TEXTS.items()}
    described = "What every object has: its name, labels, owners and more."
    return {**texts, "metadata": {"description": described, "allOf": [_link(f"{META}{metadata}")]}}


def _link(name: str) -> Schema:
    return {"$ref": f"{_LINK}{name}"}


def _embedding(schema: Mapping[str, Any]) -> Schema:
    """The schema with the metadata of objects inside of it."""
    made = dict(schema)
    if properties_of(schema):
        made["properties"] = {
            name: _embedding(each) for name, each in properties_of(schema).items()
        }
    values, items = values_of(schema), items_of(schema)
    if values is not None:
        made["additionalProperties"] = _embedding(values)
    if items is not None:
        made["items"] = _embedding(items)
    if schema.get(EMBEDDED):
        made["properties"] = {**made.get("properties", {}), **_common("ObjectMeta")}
    return made


def _shared(schemas: Mapping[str, Schema]) -> dict[str, Schema]:
    """What every kind refers to, out of another document."""
    found: dict[str, Schema] = {}
    waiting = [each for each in (*_ROOTS, f"{META}Status", SCALE) if each in schemas]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = schemas[name]
            waiting += _links(schemas[name])
    return found


def _links(value: Any) -> list[str]:
    if isinstance(value, list):
        return [link for each in value for link in _links(each)]
    if not isinstance(value, dict):
        return []
    own = value.get("$ref")
    inner = [link for each in value.values() for link in _links(each)]
    return [own.removeprefix(_LINK), *inner] if isinstance(own, str) else inner


def _v2(schema: Mapping[str, Any]) -> Schema:
    """A v3 schema in Swagger's words."""
    linked = schema if "$ref" in schema else next(iter(schema.get("allOf") or ()), {})
    if "$ref" in linked:
        return {"$ref": "#/definitions/" + linked["$ref"].removeprefix(_LINK)}
    made = {key: schema[key] for key in _V2 if schema.get(key)}
    if schema.get("nullable"):
        made.pop("type", None)
    made |= {key: value for key, value in schema.items() if key.startswith("x-")}
    if properties_of(schema):
        made["properties"] = {name: _v2(each) for name, each in properties_of(schema).items()}
    values, items = values_of(schema), items_of(schema)
    if values is not None:
        made["additionalProperties"] = _v2(values)
    if items is not None:
        made["items"] = _v2(items)
    return made
