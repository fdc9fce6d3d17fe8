"""An owner that is named twice is one owner; whoever says it twice is warned.

Pure: documents in, documents and warnings out. Source: k8s.io/apiserver, endpoints/handlers,
which takes equal references together.
"""

from collections.abc import Mapping
from typing import Any

from cluster.client.interface import Document

WORDS = (
    ".metadata.ownerReferences contains duplicate entries; API server dedups owner references in "
    "1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate "
    "UID(s) observed: "
)


def without_duplicates(document: Document) -> tuple[Document, list[str]]:
    """The document with each owner once, and what its sender should be told."""
    metadata = document.get("metadata") or {}
    references = metadata.get("ownerReferences") or ()
    if len(references) < 2:  # nearly always
        return document, []
    kept: dict[str, Mapping[str, Any]] = {}
    twice: dict[str, None] = {}
    for each in references:
        said = repr(sorted(each.items()))
        if said in kept:
            twice[str(each.get("uid"))] = None
        kept.setdefault(said, each)
    if not twice:
        return document, []
    once = {**document, "metadata": {**metadata, "ownerReferences": [*kept.values()]}}
    return once, [WORDS + ", ".join(twice)]
