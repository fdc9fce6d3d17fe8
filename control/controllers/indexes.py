"""Completion indexes of an Indexed Job: which are done, and how a status spells them.

Pure: text in, values out, and back. Source: Kubernetes API reference, JobStatus.completedIndexes.
"""

from collections.abc import Iterable

from cluster.client.interface import Document
from control.controllers.view import annotations_of

INDEX = "batch.kubernetes.io/job-completion-index"


def index_of(pod: Document) -> int | None:
    """The pod's completion index."""
    text = annotations_of(pod).get(INDEX, "")
    return int(text) if text.isdecimal() else None


def parse_indexes(text: str, limit: int) -> set[int]:
    """Of "1,3-5" 1, 3, 4 and 5; nothing at or above the number of completions."""
    found: set[int] = set()
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        found.update(range(int(first), min(int(last or first), limit - 1) + 1))
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
