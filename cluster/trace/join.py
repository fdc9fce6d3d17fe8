"""One flow's trace, joined from the segments of the processes it passed.

Pure: segments in, a Trace out. The order is that of the hops' numbers, never of clocks, which
differ from machine to machine. What has not been reported is named: a process that the flow was
passed to, or hops that nobody has told of (O-1, O-2, O-49).
"""

from collections.abc import Iterable, Mapping
from typing import Any

from cluster.dataclass import dataclass
from cluster.dataplane.decision import Code
from cluster.trace.record import ClientSaw, Hop, Outcome, Segment, flow_to_json
from cluster.wire.flow import Flow, FlowKind, Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where the flow ended up."""

    namespace: str
    pod: str
    node: str
    ip: str
    port: int

    def __str__(self) -> str:
        return f"{self.namespace}/{self.pod}"


@dataclass(frozen=True, slots=True)
class Gap:
    """A part of the path that is not known; it lies before the hop numbered `before`."""

    before: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """The whole path of one flow, as far as it has been reported."""

    flow_id: str
    kind: FlowKind
    origin: Origin
    original: Flow  # as the client sent it
    segments: tuple[Segment, ...]  # in causal order
    gaps: tuple[Gap, ...]
    outcome: Outcome  # PASSED: its end is not known
    code: Code | None
    reason: str
    client_saw: ClientSaw
    endpoint: Endpoint | None

    @property
    def hops(self) -> tuple[Hop, ...]:
        """Every hop, in order."""
        return tuple(hop for segment in self.segments for hop in segment.hops)

    @property
    def missing(self) -> tuple[str, ...]:
        """A line for each part that has not been reported."""
        return tuple(gap.text for gap in self.gaps)

    @property
    def complete(self) -> bool:
        """Whether every process on the path has said all it will say.

        Where the socket was handed over, whoever has it has yet to tell what its client saw.
        """
        told = self.client_saw or not any(segment.handed_over for segment in self.segments)
        return bool(told) and not self.gaps and all(each.complete for each in self.segments)

    @property
    def started(self) -> float:
        """When its first process saw it: seconds since 1970."""
        return self.segments[0].started

    @property
    def decided_seconds(self) -> float:
        """The time that all processes spent deciding."""
        return sum(segment.decided_seconds for segment in self.segments)

    @property
    def flow(self) -> Flow:
        """The flow after every translation."""
        return self.segments[-1].flow


def by_flow(segments: Iterable[Segment]) -> dict[str, list[Segment]]:
    """Segments sorted out by flow id, in the order the flows started."""
    flows: dict[str, list[Segment]] = {}
    for segment in sorted(segments, key=lambda each: each.started):
        flows.setdefault(segment.flow_id, []).append(segment)
    return flows


def join(segments: Iterable[Segment]) -> Trace:
    """The trace of one flow; ValueError without segments, or with those of several flows.

    Of several reports of the same part the last one counts.
    """
    latest = {(each.process, _first(each)): each for each in segments}
    ordered = tuple(sorted(latest.values(), key=lambda each: (_first(each), each.started)))
    names = {each.flow_id for each in ordered}
    if len(names) != 1:
        raise ValueError(f"a trace has the segments of one flow, these are of {len(names)}")
    first, last = ordered[0], ordered[-1]
    return Trace(
        flow_id=first.flow_id,
        kind=first.kind,
        origin=first.origin,
        original=first.original,
        segments=ordered,
        gaps=tuple(_gaps(ordered)),
        outcome=last.outcome,
        code=last.code,
        reason=last.reason,
        client_saw=next(
            (each.client_saw for each in ordered if each.client_saw), ClientSaw.UNKNOWN
        ),
        endpoint=_endpoint(ordered),
    )


def trace_to_json(trace: Trace) -> dict[str, Any]:
    """The trace as JSON: `kubehop trace -o json`."""
    endpoint = trace.endpoint
    return {
        "flowId": trace.flow_id,
        "kind": str(trace.kind),
        "origin": {
            "kind": str(trace.origin.kind),
            "name": trace.origin.name,
            "node": trace.origin.node,
        },
        "original": flow_to_json(trace.original),
        "outcome": str(trace.outcome),
        "code": str(trace.code) if trace.code else None,
        "reason": trace.reason,
        "clientSaw": str(trace.client_saw),
        "endpoint": None
        if endpoint is None
        else {
            "namespace": endpoint.namespace,
            "pod": endpoint.pod,
            "node": endpoint.node,
            "ip": endpoint.ip,
            "port": endpoint.port,
        },
        "started": trace.started,
        "decidedSeconds": trace.decided_seconds,
        "complete": trace.complete,
        "missing": list(trace.missing),
        "segments": [segment.to_json() for segment in trace.segments],
    }


def _first(segment: Segment) -> int:
    """The number of a segment's first hop; one without hops only ends what came before."""
    return segment.hops[0].number if segment.hops else 0


def _end(segment: Segment) -> int:
    """The number of the hop that comes after a segment."""
    return segment.hops[-1].number + 1 if segment.hops else 0


def _gaps(ordered: tuple[Segment, ...]) -> Iterable[Gap]:
    reached, before = 0, ""
    for segment in ordered:
        first = _first(segment)
        if first > reached:
            yield Gap(first, _unreported(reached, first, segment, before))
        reached, before = max(reached, _end(segment)), segment.process
    last = ordered[-1]
    if last.outcome is Outcome.PASSED and last.next_process:
        name = last.next_process
        text = f"{name} has not reported: the flow was passed to it by {last.process}"
        yield Gap(reached + 1, text)


def _unreported(reached: int, first: int, segment: Segment, before: str) -> str:
    """What is missing before a segment, and whom it had the flow from, if that is known."""
    numbers = f"hop {reached} is" if first == reached + 1 else f"hops {reached} to {first - 1} are"
    sender = str(segment.hops[0].step.detail.get("from", ""))
    if sender and sender != before:
        return f"{numbers} not reported: {segment.process} had the flow from {sender}"
    return f"{numbers} not reported: {segment.process} was not the first to see the flow"


def _endpoint(ordered: tuple[Segment, ...]) -> Endpoint | None:
    known = [segment.endpoint for segment in ordered if segment.endpoint]
    return _parse_endpoint(known[-1]) if known else None


def _parse_endpoint(fields: Mapping[str, str]) -> Endpoint:
    port = fields.get("port", "")
    return Endpoint(
        namespace=fields.get("namespace", ""),
        pod=fields.get("pod", ""),
        node=fields.get("node", ""),
        ip=fields.get("ip", ""),
        port=int(port) if port.isdecimal() else 0,
    )
