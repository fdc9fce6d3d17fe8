"""A definition as the kinds that it adds to the catalogue: one for each version it serves.

Pure: a document in, kinds out. All are stored as the storage version; the rest is a change of
apiVersion. What is read is brought into the asked version's shape: defaults that came later show.
Source: kubernetes.io, "Versions in CustomResourceDefinitions".
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cluster.objects.resources import Resource
from control.resources.catalogue import version_rank
from control.resources.conversion.conversion import Conversion, typed_as
from control.resources.custom.acceptance import FINALIZER
from control.resources.custom.columns import custom_printer
from control.resources.custom.definition import established
from control.resources.custom.json_path import names_of
from control.resources.custom.nodes import resource_node
from control.resources.custom.rules import has_rules
from control.resources.custom.shape import Pruner, filled, has_defaults
from control.resources.custom.version import CustomVersion, Getter, ScalePaths
from control.resources.kinds import Kind
from control.resources.schema import metadata_node

Given = Mapping[str, Any]


def kinds_of(definition: Given) -> tuple[Kind, ...]:
    """The kinds of a definition, the preferred version first; none before it is established."""
    if not established(definition):
        return ()
    versions = sorted(definition["spec"]["versions"], key=lambda each: version_rank(each["name"]))
    (stored,) = (each for each in versions if each.get("storage"))
    if not any(each.get("served") for each in versions):
        # nobody reads its objects, but whoever deletes the definition deletes them
        versions = [{**stored, "served": "deletionTimestamp" in definition["metadata"]}]
    storage = _kind(definition, stored)
    before = set(definition["status"].get("storedVersions") or ()) - {stored["name"]}
    return tuple(
        _shown(_kind(definition, each), storage, before=before)
        for each in versions
        if each.get("served")
    )


def _kind(definition: Given, version: Given) -> Kind:
    spec = definition["spec"]
    names = definition["status"]["acceptedNames"]
    subresources = version.get("subresources") or {}
    resource = Resource(
        spec["group"],
        version["name"],
        names["plural"],
        names["kind"],
        namespaced=spec["scope"] == "Namespaced",
    )
    return Kind(
        resource,
        names.get("singular") or names["kind"].lower(),
        short_names=tuple(names.get("shortNames") or ()),
        categories=tuple(names.get("categories") or ()),
        subresources=tuple(
            each for each in ("status", "scale") if subresources.get(each) is not None
        ),
        custom=_custom(definition, version),
    )


def _custom(definition: Given, version: Given) -> CustomVersion:
    schema = version["schema"]["openAPIV3Schema"]
    return CustomVersion(
        definition=definition["metadata"]["name"],
        root=resource_node(schema, metadata_node()),
        schema=schema,
        printer=custom_printer(version.get("additionalPrinterColumns") or ()),
        scale=_scale((version.get("subresources") or {}).get("scale")),
        selectable=dict(_field(each["jsonPath"]) for each in version.get("selectableFields") or ()),
        rules=has_rules(schema),
        deprecation=_deprecation(definition, version),
        terminating="deletionTimestamp" in definition["metadata"]
        and FINALIZER in (definition["metadata"].get("finalizers") or ()),
        list_kind=definition["status"]["acceptedNames"].get("listKind") or "",
    )


def _scale(scale: Given | None) -> ScalePaths | None:
    if scale is None:
        return None
    selector = scale.get("labelSelectorPath")
    return ScalePaths(
        names_of(scale["specReplicasPath"]),
        names_of(scale["statusReplicasPath"]),
        names_of(selector) if selector else None,
    )


def _field(path: str) -> tuple[str, Getter]:
    names = names_of(path)

    def read(document: Given) -> Any:
        found: Any = document
        for name in names:
            found = found.get(name) if isinstance(found, dict) else None
        return found

    return path.removeprefix("."), read


def _deprecation(definition: Given, version: Given) -> str:
    if not version.get("deprecated"):
        return ""
    if version.get("deprecationWarning"):
        return str(version["deprecationWarning"])
    spec = definition["spec"]
    kind, words = spec["names"]["kind"], f"{spec['group']}/{version['name']}"
    better = [
        each["name"]
        for each in spec["versions"]
        if each.get("served")
        and not each.get("deprecated")
        and version_rank(each["name"]) < version_rank(version["name"])
    ]
    said = f"{words} {kind} is deprecated"
    return f"{said}; use {spec['group']}/{min(better, key=version_rank)} {kind}" if better else said


# -- between versions


def _shown(kind: Kind, storage: Kind, *, before: set[str]) -> Kind:
    """A version with how it is read and stored; the stored one without defaults is as it is.

    Unless there may be objects that were stored in a version before.
    """
    assert kind.custom is not None
    same = kind.resource == storage.resource
    if same and not before and not has_defaults(kind.custom.schema):
        return kind
    typed = typed_as(storage.resource.api_version, storage.resource.kind)
    conversion = Conversion(to_stored=typed, from_stored=_reader(kind))
    return replace(kind, storage=storage, conversion=conversion)


def _reader(kind: Kind) -> Any:
    custom, typed = kind.custom, typed_as(kind.resource.api_version, kind.resource.kind)
    assert custom is not None

    def read(document: Given) -> Any:
        shown = typed(document)
        pruned = Pruner(metadata_node()).resource(custom.schema, shown)
        return filled(custom.schema, {**pruned, "metadata": document["metadata"]})

    return read
