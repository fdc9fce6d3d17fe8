"""JSON Merge Patch.

Pure: values in, values out. Spec: RFC 7396.
"""

from typing import Any


def merge_patch(target: Any, patch: Any) -> Any:
    """The target with the patch's members; null takes a member away, a list replaces a list."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_patch(merged.get(key), value)
    return merged
