"""Completion indexes of an Indexed Job: which are done, and how a status spells them.

Pure: text in, values out, and back. Source: Kubernetes API reference, JobStatus.completedIndexes.
"""

import re
from collections.abc import Iterable

from cluster.client.interface import Document
from control.controllers.view import annotations_of

_INDEX = re.compile(r"[0-9]{1,10}")
_RANGE = re.compile(r"([0-9]{1,10})(?:-([0-9]{1,10}))?")
INDEX = "batch.kubernetes.io/job-completion-index"


def index_of(pod: Document) -> int | None:
    """The pod's completion index."""
    text = annotations_of(pod).get(INDEX, "")
    return int(text) if _INDEX.fullmatch(text) else None


def parse_indexes(text: str, limit: int) -> set[int]:
    """Of "1,3-5" 1, 3, 4 and 5; nothing at or above the number of completions.

    A status is anybody's to write who may: what is no index is passed over, as upstream does.
    """
    found: set[int] = set()
    for part in text.split(","):
        match = _RANGE.fullmatch(part)
        if match is not None:
            first, last = int(match[1]), int(match[2] or match[1])
            found.update(range(first, min(last, limit - 1) + 1))
    return found


def format_indexes(indexes: Iterable[int]) -> str:
    """As a status spells them: three or more in a row as a range."""
    parts: list[str] = []
    row: list[int] = []
    for index in [*sorted(indexes), -1]:
        if row and index != row[-1] + 1:
            parts += [f"{row[0]}-{row[-1]}"] if len(row) > 2 else map(str, row)
            row = []
        row.append(index)
    return ",".join(parts)
