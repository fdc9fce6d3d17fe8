"""The trace of a flow, complete: every hop has arrived, or a line says which is missing."""

from dataclasses import replace

from cluster.errors import ClusterError
from cluster.trace.client import Collected, collect
from cluster.trace.join import Gap, Trace, by_flow, join
from cluster.trace.query import Query
from cluster.traffic.access import Access

WAIT_SECONDS = 2.0


class NoTrace(ClusterError):
    """No process of the cluster has recorded such a flow."""


async def trace_of(access: Access, wanted: str | Query, wait: float = WAIT_SECONDS) -> Trace:
    """The trace of a flow by its id, or of the newest flow that a query finds.

    It is given `wait` seconds to become whole; what is missing then is named in `Trace.missing`,
    with the reason when a process could not be asked. NoTrace when nobody knows the flow.
    """
    endpoints = await access.endpoints()
    query = wanted if isinstance(wanted, Query) else Query(id=wanted)
    if query.id is None:
        found = await collect(endpoints, query, wait=wait, access=access.remote)
        flows = by_flow(found.segments)
        if not flows:
            raise _nothing(query, found)
        query = Query(id=list(flows)[-1])
    collected = await collect(endpoints, query, wait=wait, access=access.remote)
    if not collected.segments:
        raise _nothing(query, collected)
    return _with_reasons(join(collected.segments), collected)


def _with_reasons(trace: Trace, collected: Collected) -> Trace:
    """Say of each gap which process could not be asked, or has forgotten flows, if one has."""
    why = [f"; {name} cannot be asked: {text}" for name, text in collected.unreachable.items()]
    if collected.lost:
        why.append(f"; {_forgotten(collected)}")
    if not why:
        return trace
    gaps = (Gap(gap.before, gap.text + "".join(why)) for gap in trace.gaps)
    return replace(trace, gaps=tuple(gaps))


def _forgotten(collected: Collected) -> str:
    lost = ", ".join(f"{name} {count}" for name, count in collected.lost.items())
    return f"flows forgotten since the start: {lost}"


def _nothing(query: Query, collected: Collected) -> NoTrace:
    asked = query.to_parameters()
    asked.pop("limit", None)
    matching = ", ".join(f"{name}={value}" for name, value in asked.items())
    text = "no process has recorded a flow" + (f" with {matching}" if matching else "")
    if collected.lost:
        text += f"; {_forgotten(collected)}"
    for name, why in collected.unreachable.items():
        text += f"; {name} cannot be asked: {why}"
    return NoTrace(text)
