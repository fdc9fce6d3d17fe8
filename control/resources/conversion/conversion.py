"""A pair of functions between a served version of a kind and the version that is stored.

Pure: documents in, documents out; none is changed. What goes there and back is the same document.
Source: kubernetes.io, "Versions in CustomResourceDefinitions", conversion; KEP-4020 has its rules.
"""

from collections.abc import Callable, Mapping
from typing import Any

from cluster.dataclass import dataclass

Document = Mapping[str, Any]
Convert = Callable[[Document], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Conversion:
    """Between the version that a client asks for and the stored one."""

    to_stored: Convert
    from_stored: Convert


def typed_as(api_version: str, kind: str) -> Convert:
    """The same content under another apiVersion and kind."""

    def convert(document: Document) -> dict[str, Any]:
        return {**document, "apiVersion": api_version, "kind": kind}

    return convert
