"""A trace as a terminal shows it: the flow's way from process to process, and how it ended.

    internet → service shop/frontend                           ✓ delivered, 0.42 ms
    TCP 203.0.113.1:40312 → 127.65.0.1:80                     flow 4c1f9a2b7d3e6f80

    ● gateway
    │  balance     node-1, 1 of 3 healthy nodes
    ● node-1
    │  service     shop/frontend port http: random, 2 of 3 endpoints
    │              destination 127.65.0.1:80 ⇒ 10.244.2.7:8080
    ...
    ✓  deliver     shop/frontend-7d4b9c-x2x1p listens on 8080

Pure: a trace in, text out. It fits 80 columns, says nothing twice, and is coloured only when asked.
Spec: O-1 to O-13.
"""

from collections.abc import Iterator

from cluster.dataplane.decision import Action, Stage
from cluster.trace.join import Gap, Trace
from cluster.trace.record import ClientSaw, Hop, Outcome, Segment
from cluster.trace.spans import Line, Span, Style, hanging, length, paint, two_sided
from cluster.trace.words import (
    change,
    clock_time,
    duration,
    explanation,
    queries,
    subject,
    verdict,
    where_to,
    who,
)

STAGE_COLUMNS = max(map(len, Stage)) + 2
LABEL_COLUMNS = 12

_MARKS: dict[Outcome, tuple[str, Style]] = {
    Outcome.DELIVERED: ("✓", Style.GOOD),
    Outcome.REFUSED: ("✗", Style.BAD),
    Outcome.DROPPED: ("✗", Style.BAD),
    Outcome.PASSED: ("?", Style.DOUBT),
}
_RAIL: Span = ("│  ", Style.DIM)
_OPEN: Span = ("   ", Style.PLAIN)


def render(trace: Trace, *, width: int = 80, colour: bool = False) -> str:
    """The tree, lines joined by newlines, with one at the end."""
    lines = [*_header(trace, width), (), *_body(trace, width), *_footer(trace, width)]
    return "".join(paint(line, colour=colour) + "\n" for line in lines)


def render_line(trace: Trace, *, width: int = 0, colour: bool = False) -> str:
    """The trace in one line, for following many; with a width, folded where it has to be."""
    mark, style = _MARKS[trace.outcome]
    before: Line = (
        (clock_time(trace.started), Style.DIM),
        (" ", Style.PLAIN),
        (f"{mark} {verdict(trace):<13} ", style),
    )
    protocol, way = str(trace.original.protocol), f"{who(trace.origin)} → {_onwards(trace)}"
    line: Line = (*before, (f"{protocol} {way}", Style.PLAIN), (f"  {trace.flow_id}", Style.DIM))
    if not width or length(line) <= width:
        return paint(line, colour=colour)
    blank: Line = (("  ", Style.PLAIN),)
    first = two_sided((*before, (protocol, Style.PLAIN)), ((trace.flow_id, Style.DIM),), width)
    folded = [*first, *hanging(blank, blank, way, Style.PLAIN, width)]
    return "\n".join(paint(each, colour=colour) for each in folded)


def _onwards(trace: Trace) -> str:
    """Where to, and on to which pod, or why not."""
    target, endpoint = where_to(trace), trace.endpoint
    if trace.outcome is Outcome.DELIVERED and endpoint is not None:
        return f"{target} → {endpoint.pod} on {endpoint.node}"
    if trace.outcome is Outcome.PASSED or not trace.reason:
        return target
    return trace.reason if trace.reason.startswith(target) else f"{target}: {trace.reason}"


def _header(trace: Trace, width: int) -> Iterator[Line]:
    mark, style = _MARKS[trace.outcome]
    title: Line = ((f"{who(trace.origin)} → {where_to(trace)}", Style.BOLD),)
    ended = f"{mark} {verdict(trace)}, {duration(trace.decided_seconds)}"
    yield from two_sided(title, ((ended, style),), width)
    original = trace.original
    addresses = f"{original.protocol} {original.source} → {original.destination}"
    flow = f"flow {trace.flow_id}"
    yield from two_sided(((addresses, Style.DIM),), ((flow, Style.DIM),), width)


def _body(trace: Trace, width: int) -> Iterator[Line]:
    """Every process with its hops, and the gaps between."""
    gaps = list(trace.gaps)
    for index, segment in enumerate(trace.segments):
        first = segment.hops[0].number if segment.hops else 0
        while gaps and gaps[0].before <= first:
            yield from _gap(gaps.pop(0), width)
        yield from _process(segment, width, last=index == len(trace.segments) - 1)
    for gap in gaps:
        yield from _gap(gap, width)


def _gap(gap: Gap, width: int) -> Iterator[Line]:
    yield from hanging((("? ", Style.DOUBT),), (("  ", Style.PLAIN),), gap.text, Style.DOUBT, width)


def _process(segment: Segment, width: int, *, last: bool) -> Iterator[Line]:
    """A station and the hops made there; that a flow arrived is said beside its name."""
    arrived = [hop for hop in segment.hops if hop.step.action is Action.RECEIVED]
    shown = [hop for hop in segment.hops if hop.step.action is not Action.RECEIVED]
    came = f"  {arrived[0].step.reason}" if arrived else ""
    yield (("● ", Style.PLACE), (segment.process, Style.PLACE), (came, Style.DIM))
    for hop in shown:
        ends = last and hop is shown[-1] and segment.outcome is not Outcome.PASSED
        yield from _hop(hop, segment.outcome, width, ends=ends)


def _hop(hop: Hop, outcome: Outcome, width: int, *, ends: bool) -> Iterator[Line]:
    step = hop.step
    mark, style = _MARKS[outcome]
    stage: Span = (f"{step.stage:<{STAGE_COLUMNS}}", Style.PLAIN)
    blank: Span = (" " * STAGE_COLUMNS, Style.PLAIN)
    first: Line = ((f"{mark}  ", style), stage) if ends else (_RAIL, stage)
    rest: Line = (_OPEN if ends else _RAIL, blank)
    failed = step.action in (Action.DROPPED, Action.REJECTED)
    text_style = Style.BAD if failed else Style.PLAIN
    yield from hanging(first, rest, subject(step) + step.reason, text_style, width)
    for text in (*change(step), *queries(step)):
        yield from hanging(rest, rest, text, Style.DIM, width)


def _footer(trace: Trace, width: int) -> Iterator[Line]:
    """What one must know beyond the hops: why it failed, what the client saw, what would help."""
    rows = [*explanation(trace), *_ending(trace)]
    if rows:
        yield ()
    for label, text in rows:
        first: Line = (_OPEN, (f"{label:<{LABEL_COLUMNS}}", Style.BOLD))
        rest: Line = (_OPEN, (" " * LABEL_COLUMNS, Style.PLAIN))
        yield from hanging(first, rest, text, Style.PLAIN, width)


def _ending(trace: Trace) -> Iterator[tuple[str, str]]:
    """How a connection closed, where somebody counted."""
    ended = [each.ended for each in trace.segments if each.ended is not None]
    bytes_in = max((each.bytes_in or 0 for each in trace.segments), default=0)
    bytes_out = max((each.bytes_out or 0 for each in trace.segments), default=0)
    if not ended or trace.outcome is not Outcome.DELIVERED or not trace.client_saw:
        return
    text = f"after {duration(max(0.0, max(ended) - trace.started))}"
    counted = f", {bytes_in} bytes in, {bytes_out} bytes out" if bytes_in or bytes_out else ""
    if trace.client_saw in (ClientSaw.CONNECTED, ClientSaw.REPLIED):
        yield "closed", text + counted
