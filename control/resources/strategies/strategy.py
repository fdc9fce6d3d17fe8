"""What a kind may say about its writes; a kind that says nothing is stored as its schema has it.

Pure: functions over documents, which they never change.
"""

from collections.abc import Callable, Iterable
from typing import Any

from cluster.dataclass import dataclass
from control.resources.causes import Cause
from control.resources.validation.names import subdomain_faults

Document = dict[str, Any]
Complete = Callable[[Document], Document]
Merge = Callable[[Document, Document], Document]


def as_it_is(document: Document) -> Document:
    """No change."""
    return document


def as_asked(new: Document, old: Document) -> Document:
    """Whatever the client wants."""
    return new


def no_causes(document: Document) -> Iterable[Cause]:
    """Nothing is wrong."""
    return ()


def no_update_causes(new: Document, old: Document) -> Iterable[Cause]:
    """Every change is allowed."""
    return ()


def no_warnings(document: Document) -> Iterable[str]:
    """Nothing to warn of."""
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """How one kind is written."""

    name_faults: Callable[[str], list[str]] = subdomain_faults
    status: Callable[[Document], Document] | None = None  # its empty form; None: there is none
    generation: bool = False  # counted in metadata.generation
    created: Complete = as_it_is  # what only the server decides of a new object
    defaults: Complete = as_it_is  # those that depend on other fields
    updated: Merge = as_asked  # new, old: what stays, what moves along
    causes: Callable[[Document], Iterable[Cause]] = no_causes
    update_causes: Callable[[Document, Document], Iterable[Cause]] = no_update_causes
    warnings: Callable[[Document], Iterable[str]] = no_warnings  # of what is fine, still
    returned_when_deleted: bool = False  # else a Status says that it is gone
