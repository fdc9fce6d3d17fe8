"""Patches as functions from an object's old state to its new one.

Pure: a patch in, a transform out; what it refuses is an ApiError in upstream's words.
"""

from collections.abc import Callable
from typing import Any

from cluster.client.interface import Document, PatchType
from cluster.objects.resources import Resource
from control.apiserver import statuses
from control.resources.kinds import Kind
from control.resources.patch import PatchError, json_patch, merge_patch, strategic_merge
from control.resources.schema import element_schema

SERVED = (PatchType.JSON, PatchType.MERGE, PatchType.STRATEGIC)

Transform = Callable[[Document], Document]


def patch_of(kind: Kind, content_type: str, patch: Any) -> Transform:
    """What a patch does; 415 for types that are not served."""
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type == PatchType.JSON:
        return _refusing(kind.resource, lambda old: json_patch(old, _operations(patch)))
    if not isinstance(patch, dict):
        raise statuses.bad_request("the patch is not an object")
    if media_type == PatchType.MERGE:
        return _refusing(kind.resource, lambda old: merge_patch(old, patch))
    if media_type == PatchType.STRATEGIC:
        schema = element_schema(kind)
        return _refusing(kind.resource, lambda old: strategic_merge(old, patch, schema))
    raise statuses.unsupported_media(content_type, SERVED)


def _operations(patch: Any) -> list[Any]:
    if not isinstance(patch, list):
        raise statuses.bad_request("a JSON patch is a list of operations")
    return patch


def _refusing(resource: Resource, change: Transform) -> Transform:
    def transform(old: Document) -> Document:
        try:
            return change(old)
        except PatchError as error:
            name = str(old["metadata"]["name"])
            details = statuses.details_of(resource, name)
            raise statuses.refusal(422, "Invalid", str(error), details) from error

    return transform


def replacement(document: Document) -> Transform:
    """A PUT: the new state is what was sent."""
    return lambda old: document
