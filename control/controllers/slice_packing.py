"""How endpoints are spread over EndpointSlices with as few writes as possible.

Pure: no I/O. Spec: S-136, S-137, S-144.

Slices that need no change stay; those that lose endpoints take new ones first; what remains goes to
the fullest slice with room for it, or into new slices. Nothing is ever rebalanced.
"""

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any

from cluster.client.interface import Document
from cluster.dataclass import dataclass

ENDPOINTS_PER_SLICE_MAX = 100

Endpoint = Mapping[str, Any]


@dataclass(slots=True)
class Packing:
    """What becomes of the slices of one group: same family, same ports."""

    slices: list[tuple[Document | None, list[Endpoint]]] = field(default_factory=list)
    empty: list[Document] = field(default_factory=list)  # to delete, or to use again


def identity(endpoint: Endpoint) -> tuple[str, str]:
    """What makes an endpoint the same one as before: its address and its pod."""
    reference = endpoint.get("targetRef") or {}
    return endpoint["addresses"][0], reference.get("uid") or ""


def pack(existing: Sequence[Document], wished: Sequence[Endpoint]) -> Packing:
    """Spread the wished endpoints over the existing slices of their group."""
    missing = {identity(each): each for each in wished}
    result = Packing()
    same: list[tuple[Document, list[Endpoint]]] = []
    changed: list[tuple[Document, list[Endpoint]]] = []
    for each in existing:
        held = [identity(endpoint) for endpoint in each.get("endpoints") or ()]
        stay = [missing.pop(key) for key in held if key in missing]
        if not stay:
            result.empty.append(each)
        else:
            (same if stay == list(each["endpoints"]) else changed).append((each, stay))
    created = _fill(same, changed, list(missing.values()))
    result.slices = [*same, *changed, *((None, endpoints) for endpoints in created)]
    return result


def _fill(
    same: list[tuple[Document, list[Endpoint]]],
    changed: list[tuple[Document, list[Endpoint]]],
    rest: list[Endpoint],
) -> list[list[Endpoint]]:
    """Add the rest to slices that are written anyway, then to others; returns new slices."""
    for _, endpoints in sorted(changed, key=lambda item: -len(item[1])):
        room = ENDPOINTS_PER_SLICE_MAX - len(endpoints)
        endpoints.extend(rest[:room])
        del rest[:room]
    created = []
    while len(rest) >= ENDPOINTS_PER_SLICE_MAX:
        created.append(rest[:ENDPOINTS_PER_SLICE_MAX])
        del rest[:ENDPOINTS_PER_SLICE_MAX]
    fitting = [item for item in same if len(item[1]) + len(rest) <= ENDPOINTS_PER_SLICE_MAX]
    if rest and fitting:
        max(fitting, key=lambda item: len(item[1]))[1].extend(rest)
    elif rest:
        created.append(rest)
    return created
