"""The connections of a test that failed, for its report: its own, and those between its pods.

What the test's own requests met is kept as it happens. What failed inside the cluster is asked of
the processes when the report is written: a frontend that could not reach its cart answers 502, and
the reason is in the trace of a connection that no test made.
"""

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator

from cluster.trace.client import collect
from cluster.trace.join import Trace, by_flow
from cluster.trace.query import Query
from cluster.trace.record import Outcome
from cluster.trace.tree import render
from cluster.traffic.access import Access
from cluster.traffic.traces import NoTrace, trace_of
from cluster.traffic.unreached import Unreached
from cluster.wire.flow import FlowKind

KEPT_MAX = 100
SHOWN_MAX = 10
WAIT_SECONDS = 1.0  # for a trace to become whole
_FAILED = (Outcome.REFUSED, Outcome.DROPPED)


class Failures:
    """What went wrong on the way of the requests that a test made itself; the newest are kept."""

    def __init__(self) -> None:
        self._kept: deque[tuple[float, Unreached]] = deque(maxlen=KEPT_MAX)

    def keep(self, at: float, error: Unreached) -> None:
        """Remember one."""
        self._kept.append((at, error))

    def since(self, at: float) -> list[Unreached]:
        """Those of a test that started then."""
        return [error for moment, error in self._kept if moment >= at]


async def failed_flows(access: Access, since: float) -> tuple[Trace, ...]:
    """The traces of connections that were refused or dropped since then, in order."""
    endpoints = await access.endpoints()
    found: list[str] = []
    for outcome in _FAILED:
        query = Query(outcome=outcome, since=since, kind=FlowKind.TRAFFIC, limit=SHOWN_MAX)
        collected = await collect(endpoints, query, access=access.remote)
        found += by_flow(collected.segments)
    traces = await asyncio.gather(*(_trace(access, each) for each in dict.fromkeys(found)))
    return tuple(sorted((each for each in traces if each), key=lambda each: each.started))


async def _trace(access: Access, flow_id: str) -> Trace | None:
    """The whole trace; None when it is forgotten by now."""
    try:
        return await trace_of(access, flow_id, wait=WAIT_SECONDS)
    except NoTrace:
        return None


def report(errors: Iterable[Unreached], traces: Iterable[Trace]) -> Iterator[str]:
    """The text of the report: each failed connection once, with what the test saw of it."""
    by_id = {trace.flow_id: trace for trace in traces}
    for error in errors:
        trace = by_id.pop(error.flow_id, None) or error.trace
        tree = render(trace) if trace is not None else "no process has recorded this connection\n"
        yield f"{error.kind}: {error}\n\n{tree}"
    rest = sorted(by_id.values(), key=lambda each: each.started)
    for trace in rest[-SHOWN_MAX:]:
        yield render(trace)
    if len(rest) > SHOWN_MAX:
        yield f"and {len(rest) - SHOWN_MAX} earlier failed connections\n"
