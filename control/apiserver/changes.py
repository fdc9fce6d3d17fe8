"""Patches as functions from an object's old state to its new one.

Pure: a patch in, a transform out; what it refuses is an ApiError in upstream's words.
"""

from collections.abc import Callable
from typing import Any

from cluster.client.interface import Document, PatchType
from control.apiserver import statuses
from control.resources.kinds import Kind
from control.resources.patch.errors import PatchError
from control.resources.patch.json_patch import json_patch
from control.resources.patch.merge import merge_patch
from control.resources.patch.strategic import strategic_merge
from control.resources.schema import element_schema

SERVED = (PatchType.JSON, PatchType.MERGE, PatchType.STRATEGIC)

# Custom kinds' schemas have no merge strategies.
CUSTOM_SERVED = tuple(each for each in SERVED if each != PatchType.STRATEGIC)

Transform = Callable[[Document], Document]


def patch_of(kind: Kind, content_type: str, patch: Any) -> Transform:
    """What a patch does; 415 for types that are not served."""
    media_type = content_type.partition(";")[0].strip().lower()
    served = SERVED if kind.custom is None else CUSTOM_SERVED
    if media_type not in served:
        raise statuses.unsupported_media(content_type, (*served, PatchType.APPLY))
    if media_type == PatchType.JSON:
        return _refusing(lambda old: json_patch(old, _operations(patch)))
    if not isinstance(patch, dict):
        raise statuses.bad_request("the patch is not an object")
    if media_type == PatchType.MERGE:
        return _refusing(lambda old: merge_patch(old, patch))
    schema = element_schema(kind)
    return _refusing(lambda old: strategic_merge(old, patch, schema))


def is_apply(content_type: str) -> bool:
    """Whether a patch is a configuration to be applied."""
    return content_type.partition(";")[0].strip().lower() == PatchType.APPLY


def _operations(patch: Any) -> list[Any]:
    if not isinstance(patch, list):
        raise statuses.bad_request("a JSON patch is a list of operations")
    return patch


def _refusing(change: Transform) -> Transform:
    def transform(old: Document) -> Document:
        try:
            new = change(old)
        except PatchError as error:
            raise _refusal(error) from error
        if not isinstance(new, dict):
            raise statuses.bad_request("after the patch this is not an object any more")
        return new

    return transform


def _refusal(error: PatchError) -> Exception:
    """Without details, for kubectl then shows the message."""
    match error.code:
        case 400:
            return statuses.bad_request(str(error))
        case 413:
            return statuses.refusal(413, "RequestEntityTooLarge", str(error))
    words = f"the server rejected our request due to an error in our request: {error}"
    return statuses.refusal(422, "Invalid", words)


def replacement(document: Document) -> Transform:
    """A PUT: the new state is what was sent."""
    return lambda old: document
