"""Puts live segments together: a flow is told once, when all its processes have reported.

A flow whose processes keep silent for longer than `PATIENCE_SECONDS` is told as far as it is known;
its trace names what is missing. What comes later (bytes counted, the end) is not told again.
Pure: segments and times in, traces out.
"""

from collections import OrderedDict

from cluster.trace.join import Trace, join
from cluster.trace.record import Segment

PATIENCE_SECONDS = 2.0
OPEN_MAX = 4096  # flows that are not whole yet
TOLD_MAX = 16384  # flows remembered as told


class Assembly:
    """Segments so far, by flow."""

    def __init__(self) -> None:
        self._open: OrderedDict[str, tuple[float, list[Segment]]] = OrderedDict()
        self._told: OrderedDict[str, None] = OrderedDict()

    def add(self, segment: Segment, now: float) -> Trace | None:
        """The flow's trace, if this segment makes it whole."""
        if segment.flow_id in self._told:
            return None
        since, segments = self._open.get(segment.flow_id, (now, []))
        segments.append(segment)
        trace = join(segments)
        if trace.complete:
            return self._tell(trace)
        self._open[segment.flow_id] = (since, segments)
        return self._tell(self._oldest()) if len(self._open) > OPEN_MAX else None

    def overdue(self, now: float) -> list[Trace]:
        """Flows that have been waited for long enough, oldest first."""
        late = [
            segments for since, segments in self._open.values() if now >= since + PATIENCE_SECONDS
        ]
        return [self._tell(join(segments)) for segments in late]

    def _oldest(self) -> Trace:
        return join(next(iter(self._open.values()))[1])

    def _tell(self, trace: Trace) -> Trace:
        self._open.pop(trace.flow_id, None)
        self._told[trace.flow_id] = None
        if len(self._told) > TOLD_MAX:
            self._told.popitem(last=False)
        return trace
