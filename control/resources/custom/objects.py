"""Custom objects on their way into the store, beside `control.resources.strategy`.

Pure: documents in, documents out; none is changed. A value that was wrong before and did not change
is let pass, so that a schema may grow stricter. Source:
k8s.io/apiextensions-apiserver/pkg/registry/customresource, strategy.
"""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from control.resources import walk
from control.resources.causes import CAUSES_MAX, NOT_SUPPORTED, REQUIRED, TYPE_INVALID, Cause
from control.resources.custom.keywords import (
    EMBEDDED,
    Schema,
    items_of,
    properties_of,
    values_of,
)
from control.resources.custom.rules import ABSENT, rule_causes
from control.resources.custom.shape import Pruner, filled
from control.resources.custom.uniqueness import uniqueness_causes
from control.resources.custom.values import NOWHERE, value_causes
from control.resources.custom.version import CustomVersion
from control.resources.places import Path, spelled
from control.resources.schema import Node, metadata_node
from control.resources.validation.metadata import metadata_causes, metadata_update_causes
from control.resources.validation.names import subdomain_faults
from control.resources.validation.refusals import TOO_LONG, TOO_MANY, invalid, required

Given = Mapping[str, Any]
Made = dict[str, Any]

BLOCKING = frozenset({NOT_SUPPORTED, REQUIRED, TOO_LONG, TOO_MANY, TYPE_INVALID})
UNCHECKED = (
    "some validation rules were not checked because the object was invalid; "
    "correct the existing errors to complete validation"
)

_TYPE_META = Node(
    type="object", properties={"apiVersion": Node(type="string"), "kind": Node(type="string")}
)


def prune(custom: CustomVersion, document: Given) -> tuple[Made, list[str]]:
    """Without what the schema does not know, and the paths of that."""
    pruner = Pruner(metadata_node())
    pruned = pruner.resource(custom.schema, dict(document))
    return pruned, pruner.unknown


def type_faults(document: Made) -> list[Cause]:
    """What cannot be read at all: all but metadata is the schema's to judge."""
    node = Node(type="object", properties={"metadata": metadata_node()})
    causes = [*walk.type_causes(_TYPE_META, document), *walk.type_causes(node, document)]
    return [each for each in causes if each.reason == TYPE_INVALID]


def prepare_create(custom: CustomVersion, document: Made, *, status: bool) -> Made:
    """A new object with its defaults; where a status is a subresource, it begins without one."""
    document = filled(custom.schema, document)
    made = {key: value for key, value in document.items() if not (status and key == "status")}
    metadata = {**document["metadata"], "generation": 1}
    return {**made, "metadata": metadata}


def prepare_update(custom: CustomVersion, new: Made, old: Given, *, status: bool) -> Made:
    """The next state; its generation rises with anything but metadata, and a status of its own."""
    made = dict(filled(custom.schema, new))
    if status:
        made.pop("status", None)
        if "status" in old:
            made["status"] = old["status"]
    left = {"metadata", "status"} if status else {"metadata"}
    if _without(made, left) != _without(old, left):
        generation = int(old["metadata"].get("generation") or 0) + 1
        made["metadata"] = {**made["metadata"], "generation": generation}
    return made


def prepare_status(custom: CustomVersion, new: Given, old: Given) -> Made:
    """The old object with the new one's status."""
    new = filled(custom.schema, dict(new))
    made = {key: value for key, value in old.items() if key != "status"}
    return {**made, "status": new["status"]} if "status" in new else made


def create_causes(custom: CustomVersion, document: Made) -> list[Cause]:
    """Everything that is wrong with a new object."""
    causes = islice(metadata_causes(document["metadata"], subdomain_faults), CAUSES_MAX)
    return [*causes, *_with_rules(custom, _schema_causes(custom, document), document)]


def update_causes(custom: CustomVersion, new: Made, old: Given) -> list[Cause]:
    """Everything that a change makes wrong."""
    causes = islice(metadata_update_causes(new["metadata"], old["metadata"]), CAUSES_MAX)
    found = _schema_causes(custom, new)
    if found:
        before = set(_schema_causes(custom, dict(old)))
        found = [each for each in found if each not in before or not _lasting(each)]
    return [*causes, *_with_rules(custom, found, new, old)]


# -- inside


def _without(document: Given, keys: set[str]) -> Made:
    return {key: value for key, value in document.items() if key not in keys}


def _lasting(cause: Cause) -> bool:
    """Whether a fault is of one value alone: such may stay until the value changes."""
    return cause.reason != REQUIRED and cause.field != NOWHERE


def _with_rules(
    custom: CustomVersion, causes: list[Cause], new: Made, old: Any = ABSENT
) -> list[Cause]:
    """And what the schema's rules say, where the object is such that they can be asked."""
    if not custom.rules:
        return causes
    if any(each.reason in BLOCKING for each in causes):
        return [*causes, invalid(NOWHERE, None, UNCHECKED)]
    found = rule_causes(custom.schema, new, old)
    if found and old is not ABSENT:
        before = set(rule_causes(custom.schema, old))
        found = [each for each in found if each not in before or not _unchanged(each, new, old)]
    return [*causes, *found]


def _unchanged(cause: Cause, new: Made, old: Given) -> bool:
    """Whether the part of the object that a rule is about is what it was."""
    if cause.field == NOWHERE:
        return _without(new, {"metadata"}) == _without(old, {"metadata"})
    first = cause.field.partition(".")[0].partition("[")[0]
    return bool(new.get(first) == old.get(first))


def _schema_causes(custom: CustomVersion, document: Made) -> list[Cause]:
    causes = value_causes(custom.schema, document)
    return [
        *causes,
        *uniqueness_causes(custom.schema, document),
        *_embedded_causes(custom.schema, document, None),
    ]


def _embedded_causes(schema: Schema, value: Any, path: Path | None) -> Iterator[Cause]:
    """An object inside of an object says what it is."""
    if isinstance(value, list):
        items = items_of(schema)
        for index, inner in enumerate(value) if items is not None else ():
            yield from _embedded_causes(items or {}, inner, (path, index))
    elif isinstance(value, dict):
        if schema.get(EMBEDDED):
            for key in ("apiVersion", "kind"):
                if not value.get(key):
                    yield required(spelled((path, key)), "must not be empty")
        for key, inner in value.items():
            child = properties_of(schema).get(key, values_of(schema))
            if child is not None:
                yield from _embedded_causes(child, inner, (path, key))
