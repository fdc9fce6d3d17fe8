"""The rings of a recorder: drafts in the order they came, each ring with a bound of its own.

Pure: values kept, no I/O; each step costs O(1).
A flow's drafts are found by its id, newest first: each knows the one before and after it.
"""

import heapq
from collections import OrderedDict
from collections.abc import Iterator, Mapping

from cluster.dataplane.decision import Code
from cluster.trace.draft import Draft
from cluster.trace.record import Outcome
from cluster.wire.flow import FlowKind

DNS, PROBES, DELIVERED, REFUSED = "dns", "probes", "delivered", "refused"

# Looking up a member of an enumeration costs more than all that is done with it here.
_PROBE, _DNS, _TRAFFIC = FlowKind.PROBE, FlowKind.DNS, FlowKind.TRAFFIC
_OUTCOME_REFUSED, _OUTCOME_DROPPED = Outcome.REFUSED, Outcome.DROPPED
_NXDOMAIN = Code.NXDOMAIN


class Ring:
    """Drafts by serial number, the oldest first."""

    __slots__ = ("drafts", "drafts_max", "lost")

    def __init__(self, drafts_max: int) -> None:
        self.drafts: OrderedDict[int, Draft] = OrderedDict()
        self.drafts_max = drafts_max
        self.lost = 0


class Rings:
    """All rings of one process; `serial` counts what was ever put in."""

    def __init__(self, bounds: Mapping[str, int]) -> None:
        self.serial = 0
        self.rings = {name: Ring(bound) for name, bound in bounds.items()}
        self._newest: dict[str, Draft] = {}  # by flow id

    def put(self, draft: Draft) -> None:
        """Keep a draft; a full ring forgets its oldest."""
        self.serial = serial = self.serial + 1
        ring = self.rings[ring_of(draft)]
        draft.ring, draft.serial = ring, serial
        older = self._newest.get(draft.flow_id)
        draft.older, draft.newer = older, None
        if older is not None:
            older.newer = draft
        self._newest[draft.flow_id] = draft
        ring.drafts[serial] = draft
        if len(ring.drafts) > ring.drafts_max:
            _, oldest = ring.drafts.popitem(last=False)
            ring.lost += 1
            self._unlink(oldest)

    def place(self, draft: Draft) -> None:
        """Move a draft whose outcome has changed to the ring it belongs to now."""
        if self.rings[ring_of(draft)] is not draft.ring:
            del draft.ring.drafts[draft.serial]
            self._unlink(draft)
            self.put(draft)

    def newest(self, flow_id: str) -> Draft | None:
        """The newest draft of a flow."""
        return self._newest.get(flow_id)

    def opener(self, flow_id: str) -> Draft | None:
        """The oldest draft in which a flow began."""
        found, draft = None, self._newest.get(flow_id)
        while draft is not None:
            if draft.opened_here:
                found = draft
            draft = draft.older
        return found

    def of(self, flow_id: str) -> Iterator[Draft]:
        """The drafts of a flow, newest first."""
        draft = self._newest.get(flow_id)
        while draft is not None:
            yield draft
            draft = draft.older

    def newest_first(self) -> Iterator[Draft]:
        """All drafts of all rings."""
        rings = [reversed(ring.drafts.values()) for ring in self.rings.values()]
        return heapq.merge(*rings, key=lambda draft: draft.serial, reverse=True)

    def _unlink(self, draft: Draft) -> None:
        older, newer = draft.older, draft.newer
        if older is not None:
            older.newer = newer
        if newer is not None:
            newer.older = older
        elif older is not None:
            self._newest[draft.flow_id] = older
        else:
            del self._newest[draft.flow_id]


def ring_of(draft: Draft) -> str:
    """The ring a draft belongs to."""
    kind, outcome = draft.kind, draft.outcome
    failed = outcome is _OUTCOME_REFUSED or outcome is _OUTCOME_DROPPED
    if kind is _TRAFFIC:
        return REFUSED if failed else DELIVERED
    if kind is _PROBE:
        return PROBES
    return REFUSED if failed and draft.code is not _NXDOMAIN else DNS
