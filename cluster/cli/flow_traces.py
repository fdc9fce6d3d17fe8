"""The traces that belong to a request: its own, and those of what it set off in the cluster.

A pod that answers may ask others meanwhile (the frontend asks the cart). Those flows have no
relation on the wire: they are the ones that the pod opened while it answered.
"""

from collections.abc import Iterable, Iterator

from cluster.trace.client import collect
from cluster.trace.join import Trace, by_flow, join
from cluster.trace.query import Query
from cluster.trace.record import Outcome
from cluster.traffic.access import Access
from cluster.traffic.traces import NoTrace, trace_of
from cluster.wire.flow import FlowKind, OriginKind

WAIT_SECONDS = 2.0
ONWARD_MAX = 20  # flows shown that a request set off

_FAILED_FIRST = {Outcome.REFUSED: 0, Outcome.DROPPED: 0, Outcome.PASSED: 1, Outcome.DELIVERED: 2}


async def traces_of(access: Access, flow_ids: Iterable[str], seconds: float) -> list[Trace]:
    """The flows' traces and their onward flows'; refused and dropped ones first."""
    found: dict[str, Trace] = {}
    for flow_id in flow_ids:
        own = await trace_of(access, flow_id, WAIT_SECONDS)
        found[own.flow_id] = own
        for onward in await _onward(access, own, seconds):
            found.setdefault(onward.flow_id, onward)
    return in_order(found.values())


async def trace_if_any(access: Access, flow_id: str) -> Trace | None:
    """The trace of a flow, or None when nobody remembers it (any more)."""
    try:
        return await trace_of(access, flow_id, WAIT_SECONDS)
    except NoTrace:
        return None


def in_order(traces: Iterable[Trace]) -> list[Trace]:
    """Failed ones first; else as they started."""
    return sorted(traces, key=lambda each: (_FAILED_FIRST[each.outcome], each.started))


def set_off(own: Trace, candidates: Iterable[Trace], until: float) -> Iterator[Trace]:
    """Those that the pods on the request's way opened while it lasted, step by step."""
    reached = {str(own.endpoint)} if own.endpoint else set()
    for each in sorted(candidates, key=lambda trace: trace.started):
        in_time = own.started <= each.started <= until
        of_pod = each.origin.kind is OriginKind.POD and each.origin.name in reached
        if in_time and of_pod and each.flow_id != own.flow_id:
            if each.endpoint:
                reached.add(str(each.endpoint))
            yield each


async def _onward(access: Access, own: Trace, seconds: float) -> list[Trace]:
    query = Query(kind=FlowKind.TRAFFIC, since=own.started)
    collected = await collect(await access.endpoints(), query, access=access.remote)
    candidates = [join(each) for each in by_flow(collected.segments).values()]
    chosen = list(set_off(own, candidates, own.started + seconds))[:ONWARD_MAX]
    return [await trace_if_any(access, each.flow_id) or each for each in chosen]
