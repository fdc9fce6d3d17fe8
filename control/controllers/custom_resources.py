"""CustomResourceDefinitions: their objects go with them, and a name that falls free is given anew.

Pure: `reconcile` from a view to writes. Source: kubernetes.io, "Extend the Kubernetes API with
CustomResourceDefinitions", finalizers; k8s.io/apiextensions-apiserver/pkg/controller.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from cluster.client.interface import Document
from cluster.objects.resources import CUSTOM_RESOURCE_DEFINITIONS, Resource
from control.controllers.definition import Controller, present
from control.controllers.times import timestamp
from control.controllers.view import Key, Objects, View, deleting, key_of, spec_of, status_of
from control.controllers.writes import DeleteAll, FinalizeDefinition, Write, patch_of
from control.resources.custom.acceptance import FINALIZER, accepted, terminating

EVERYWHERE = ""


def reconcile(view: View, key: Key) -> Sequence[Write]:
    """Empty a definition that goes; give names to one that waits for them."""
    definition = view.objects.at(key)
    if definition is None:
        return ()
    if deleting(definition):
        return _emptied(view, definition)
    others = view.objects.each(CUSTOM_RESOURCE_DEFINITIONS)
    status = accepted(definition, others, timestamp(view.now))
    if _true(definition, "NamesAccepted") or not _named(status):
        return ()
    changes = {"status": status}
    return [patch_of(key.resource, definition, changes, subresource="status")]


def custom_resource(definition: Document) -> Resource | None:
    """The resource of a definition in a version that is served; None before it is established."""
    spec, names = spec_of(definition), status_of(definition).get("acceptedNames") or {}
    if not _true(definition, "Established"):
        return None
    # of what is served the stored version: it needs no other shape
    version = min(spec["versions"], key=lambda each: (not each.get("served"), not each["storage"]))
    namespaced = spec["scope"] == "Namespaced"
    return Resource(
        spec["group"], version["name"], names["plural"], names["kind"], namespaced=namespaced
    )


def custom_resources(objects: Objects) -> Iterator[Resource]:
    """The resources of all definitions."""
    for definition in objects.each(CUSTOM_RESOURCE_DEFINITIONS):
        resource = custom_resource(definition)
        if resource is not None:
            yield resource


def _emptied(view: View, definition: Document) -> Sequence[Write]:
    if FINALIZER not in (definition["metadata"].get("finalizers") or ()):
        return ()
    resource = custom_resource(definition)
    final = FinalizeDefinition(definition, resource)
    if resource is None:
        return [final]
    reason, words = "InstanceDeletionInProgress", "CustomResource deletion is in progress"
    status = terminating(definition, timestamp(view.now), True, reason, words)
    deletion: list[Write] = [DeleteAll(resource, EVERYWHERE), final]
    if status == status_of(definition):
        return deletion
    told = patch_of(
        CUSTOM_RESOURCE_DEFINITIONS, definition, {"status": status}, subresource="status"
    )
    return [told]  # this change brings the key back


def _true(definition: Document, type_: str) -> bool:
    return _holds(status_of(definition), type_)


def _named(status: Mapping[str, Any]) -> bool:
    return _holds(status, "NamesAccepted")


def _holds(status: Mapping[str, Any], type_: str) -> bool:
    conditions = status.get("conditions") or ()
    return any(each["type"] == type_ and each["status"] == "True" for each in conditions)


def _concerned(objects: Objects, old: Document | None, new: Document | None) -> Iterable[Key]:
    """The definition itself, and those of its group that wait for a name."""
    changed = present(old, new)
    yield key_of(CUSTOM_RESOURCE_DEFINITIONS, changed)
    for other in objects.each(CUSTOM_RESOURCE_DEFINITIONS):
        if spec_of(other)["group"] == spec_of(changed)["group"] and not _true(
            other, "NamesAccepted"
        ):
            yield key_of(CUSTOM_RESOURCE_DEFINITIONS, other)


def controller() -> Controller:
    """The naming and the finalizing controller in one."""
    return Controller(
        name="custom-resources",
        reconcile=reconcile,
        watches={CUSTOM_RESOURCE_DEFINITIONS: _concerned},
    )
