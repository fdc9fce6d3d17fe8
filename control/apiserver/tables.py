"""Objects as a meta.k8s.io Table: what `kubectl get` prints without `-o`.

Pure: the time comes as an argument. Each row carries its object as the client asked: the metadata
(kubectl reads namespace and labels there), all of it (`--sort-by`), or nothing.
Source: kubernetes.io, "Kubernetes API Concepts", Receiving resources as Tables.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from cluster.client.interface import Document
from control.apiserver import statuses
from control.resources.columns.catalogue import printer_of
from control.resources.columns.printer import Printer
from control.resources.kinds import Kind


def table(
    kind: Kind,
    documents: Iterable[Document],
    *,
    now: datetime,
    include_object: str,
    resource_version: str = "",
    with_columns: bool = True,
) -> dict[str, Any]:
    """The table of some objects of a kind; ApiError 400 where `include_object` means nothing."""
    show = _SHOWN[known_include(include_object)]
    printer = printer_of(kind.resource) if kind.custom is None else kind.custom.printer
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {"resourceVersion": resource_version},
        "columnDefinitions": printer.definitions() if with_columns else [],
        "rows": [_row(printer, each, now, show) for each in documents],
    }


def known_include(include_object: str) -> str:
    """What rows are to carry, if it means anything; ApiError 400 where it does not."""
    if include_object not in _SHOWN:
        words = f'unrecognized includeObject value: "{include_object}"'
        raise statuses.bad_request(words)
    return include_object


def _row(
    printer: Printer, document: Document, now: datetime, show: Callable[[Document], Any]
) -> dict[str, Any]:
    row: dict[str, Any] = {"cells": printer.row(document, now), "object": show(document)}
    conditions = printer.conditions(document)
    if conditions:
        row["conditions"] = conditions
    return row


def _metadata(document: Document) -> dict[str, Any]:
    return {
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": document["metadata"],
    }


_SHOWN: dict[str, Callable[[Document], Any]] = {
    "": _metadata,
    "Metadata": _metadata,
    "Object": lambda document: document,
    "None": lambda document: None,
}
