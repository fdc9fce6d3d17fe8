"""What happens to a document on its way into the store: pruned, completed, checked.

Pure: documents in, documents out; none is changed. What kinds have in common is here and in their
schemas; what they have of their own is in `control.resources.strategies`. Custom kinds have rules
of their own, imported when there is the first object of one.
Source: k8s.io/apiserver/pkg/registry/rest; kubernetes.io, "Kubernetes API Concepts".
"""

from collections.abc import Iterable, Mapping
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Literal

from control.resources import walk
from control.resources.causes import CAUSES_MAX, TYPE_INVALID, Cause
from control.resources.kinds import Kind
from control.resources.schema import element_schema, metadata_node
from control.resources.strategies.strategy import Strategy
from control.resources.strategies.table import strategy_of
from control.resources.validation.metadata import metadata_causes, metadata_update_causes

if TYPE_CHECKING:
    from control.resources.custom.version import CustomVersion

STATUS = "status"

Given = Mapping[str, Any]
Made = dict[str, Any]

# Only the server writes these; an update keeps the old object's.
_KEPT = (
    "name",
    "namespace",
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generation",
    "selfLink",
)
# Nothing is said by an empty one.
_OMITTED_WHEN_EMPTY = ("labels", "annotations", "finalizers", "ownerReferences", "generateName")


def prune(kind: Kind, document: Given) -> tuple[Made, list[str]]:
    """Without unknown fields and nulls, and the unknown fields' paths."""
    if kind.custom is not None:
        from control.resources.custom import objects

        return objects.prune(kind.custom, document)
    node = element_schema(kind)
    return (dict(document), []) if node is None else walk.prune(node, dict(document))


def type_faults(kind: Kind, document: Made) -> list[Cause]:
    """Fields of the wrong type: nothing else can be said of such a document."""
    if kind.custom is not None:
        from control.resources.custom import objects

        return objects.type_faults(document)
    node = element_schema(kind)
    causes = [] if node is None else walk.type_causes(node, document)
    return [each for each in causes if each.reason == TYPE_INVALID]


def prepare_create(kind: Kind, document: Given) -> Made:
    """A new object as it will be stored, but for its resourceVersion and addresses."""
    made = {**document, "metadata": _tidied(document["metadata"])}
    if kind.custom is not None:
        from control.resources.custom import objects

        made = {**made, "metadata": walk.canonical(metadata_node(), made["metadata"])}
        return objects.prepare_create(kind.custom, made, status=STATUS in kind.subresources)
    strategy = strategy_of(kind)
    reported = made.pop("status", None) or {}
    made = _completed(kind, strategy, strategy.created(_filled(kind, made)))
    if STATUS in kind.subresources:
        empty = strategy.status({**made, "status": reported}) if strategy.status else {}
        made = {**made, **_canonical(kind, {"status": empty})}
    if strategy.generation:
        made["metadata"] = {**made["metadata"], "generation": 1}
    return made


def prepare_update(kind: Kind, new: Given, old: Given, *, subresource: str | None) -> Made:
    """An object's next state; equal to the old one but for resourceVersion if nothing changes."""
    if kind.custom is not None:
        return _custom_update(kind, kind.custom, new, old, subresource)
    match subresource:
        case "status":
            status = _canonical(kind, {"status": new.get("status") or {}})
            return {**old, **status}
        case "finalize":
            finalizers = (new.get("spec") or {}).get("finalizers") or []
            return {**old, "spec": {**(old.get("spec") or {}), "finalizers": finalizers}}
    strategy = strategy_of(kind)
    made = {**new, "metadata": _tidied(_kept(new.get("metadata") or {}, old["metadata"]))}
    if STATUS in kind.subresources:
        made.pop("status", None)
    made = strategy.updated(_filled(kind, made), dict(old))
    made = _completed(kind, strategy, made)
    if STATUS in kind.subresources and "status" in old:
        made = {**made, "status": old["status"]}
    if strategy.generation and _content(made) != _content(old):
        generation = int(old["metadata"].get("generation", 0)) + 1
        made["metadata"] = {**made["metadata"], "generation": generation}
    return made


def validate_create(kind: Kind, document: Made) -> list[Cause]:
    """Everything that is wrong with a new object."""
    if kind.custom is not None:
        from control.resources.custom import objects

        return objects.create_causes(kind.custom, document)
    strategy = strategy_of(kind)
    causes = metadata_causes(document["metadata"], strategy.name_faults)
    return _with_schema(kind, document, chain(causes, strategy.causes(document)))


def validate_update(kind: Kind, new: Made, old: Given) -> list[Cause]:
    """Everything that is wrong with a change."""
    if kind.custom is not None:
        from control.resources.custom import objects

        return objects.update_causes(kind.custom, new, old)
    strategy = strategy_of(kind)
    causes = metadata_update_causes(new["metadata"], old["metadata"])
    changes = strategy.update_causes(new, dict(old))
    return _with_schema(kind, new, chain(causes, changes, strategy.causes(new)))


def write_warnings(kind: Kind, document: Made) -> list[str]:
    """What whoever writes an object is to be warned of."""
    return list(strategy_of(kind).warnings(document))


def delete_answer(kind: Kind) -> Literal["object", "status"]:
    """What a client gets back of an object that is gone."""
    return "object" if strategy_of(kind).returned_when_deleted else "status"


# -- inside


def _custom_update(
    kind: Kind, custom: "CustomVersion", new: Given, old: Given, subresource: str | None
) -> Made:
    from control.resources.custom import objects

    if subresource == STATUS:
        return objects.prepare_status(custom, new, old)
    metadata = _tidied(_kept(new.get("metadata") or {}, old["metadata"]))
    made = {**new, "metadata": walk.canonical(metadata_node(), metadata)}
    return objects.prepare_update(custom, made, old, status=STATUS in kind.subresources)


def _filled(kind: Kind, document: Made) -> Made:
    node = element_schema(kind)
    return document if node is None else walk.fill_defaults(node, document)


def _canonical(kind: Kind, document: Made) -> Made:
    node = element_schema(kind)
    return document if node is None else walk.canonical(node, document)


def _completed(kind: Kind, strategy: Strategy, document: Made) -> Made:
    return _canonical(kind, strategy.defaults(document))


def _with_schema(kind: Kind, document: Made, found: Iterable[Cause]) -> list[Cause]:
    """The kind's own causes, and its schema's about fields that it says nothing of."""
    causes = list(islice(found, CAUSES_MAX))
    node = element_schema(kind)
    if node is None:
        return causes
    named = {each.field for each in causes}
    more = walk.type_causes(node, document)
    return [*causes, *(each for each in more if each.field not in named)]


def _kept(new: Given, old: Given) -> Made:
    """The new metadata with what only the server writes as it was."""
    metadata = {key: value for key, value in new.items() if key not in _KEPT}
    return {**metadata, **{key: old[key] for key in _KEPT if key in old}}


def _tidied(metadata: Given) -> Made:
    return {
        key: value for key, value in metadata.items() if value or key not in _OMITTED_WHEN_EMPTY
    }


def _content(document: Given) -> Made:
    """What a generation counts."""
    return {key: value for key, value in document.items() if key not in ("metadata", "status")}
