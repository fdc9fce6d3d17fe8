"""A record as the recorder keeps it: small, and made a `Segment` only when somebody reads it.

Pure: no I/O, no clock.
What all flows of one class share, steps with their reasons and details, is one `Outline`; a flow's
own draft holds the outline, its context, and what became known of it later. Recording a flow is
making its draft and putting it into a ring: the hops, numbered and with the flow's own addresses,
are written out by the reader.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field, replace
from typing import TYPE_CHECKING, Any

from cluster.dataclass import dataclass
from cluster.dataplane.decision import Action, Code, Decision, Stage, Step
from cluster.trace.record import ClientSaw, Outcome, Segment, hops_of, is_complete
from cluster.wire.addresses import SocketAddress
from cluster.wire.flow import Entry, Flow, FlowContext, FlowKind

if TYPE_CHECKING:
    from cluster.trace.rings import Ring

Known = Mapping[str, Any]  # fields of the segment that became known after it was recorded
NOTHING_KNOWN: Known = {}


class Draft(ABC):
    """One flow's record in a ring; `known` is replaced, never changed."""

    __slots__ = ("code", "flow_id", "kind", "known", "newer", "older", "outcome", "ring", "serial")

    flow_id: str
    kind: FlowKind
    outcome: Outcome
    code: Code | None
    known: Known
    ring: "Ring"  # these four are the rings' own
    serial: int
    older: "Draft | None"  # of the same flow
    newer: "Draft | None"

    @property
    @abstractmethod
    def original(self) -> Flow:
        """The flow as its client sent it."""

    @property
    @abstractmethod
    def started(self) -> float:
        """Seconds since 1970."""

    @property
    @abstractmethod
    def opened_here(self) -> bool:
        """Whether the flow began in this record: its first hop is the flow's first."""

    @abstractmethod
    def flows(self) -> Iterable[Flow]:
        """The flow in every form that this record knows."""

    @abstractmethod
    def as_known(self, known: Known) -> Segment:
        """The record with what was known of it at some moment."""

    def segment(self) -> Segment:
        """The record with all that is known of it."""
        return self.as_known(self.known)

    @property
    @abstractmethod
    def complete(self) -> bool:
        """As `Segment.complete`."""


class Whole(Draft):
    """A segment that was written out by whoever recorded it."""

    __slots__ = ("_whole",)

    def __init__(self, segment: Segment) -> None:
        self.flow_id = segment.flow_id
        self.kind = segment.kind
        self.outcome = segment.outcome
        self.code = segment.code
        self.known = NOTHING_KNOWN
        self._whole = segment

    @property
    def original(self) -> Flow:
        return self._whole.original

    @property
    def started(self) -> float:
        return self._whole.started

    @property
    def opened_here(self) -> bool:
        return self._whole.opened_here

    def flows(self) -> Iterable[Flow]:
        return self._whole.flows()

    def as_known(self, known: Known) -> Segment:
        return replace(self._whole, **known) if known else self._whole

    @property
    def complete(self) -> bool:
        return self.segment().complete


@dataclass(frozen=True, slots=True)
class Outline:
    """What the records of all flows of one class share: made of the first one's decision."""

    source: SocketAddress  # of the flow that it was made of, as it came
    steps: tuple[Step, ...]
    flow: Flow  # after every translation
    outcome: Outcome
    code: Code | None = None
    reason: str = ""
    next_process: str = ""
    endpoint: Mapping[str, str] = field(default_factory=dict)
    translated: bool = True  # whether `flow` is another than came
    entry: Entry | None = None  # what is asked of the next process; None: the same as of this one

    def steps_from(self, source: SocketAddress) -> Iterator[Step]:
        """The steps as they are for a flow of the class that comes from this address."""
        if source == self.source:
            yield from self.steps
            return
        for step in self.steps:
            before = self._from(step.before, source)
            after = before if step.after is step.before else self._from(step.after, source)
            yield replace(step, before=before, after=after)

    def onward(self, flow: Flow) -> Flow:
        """How a flow of the class goes on that came like this."""
        return self._from(self.flow, flow.source) if self.translated else flow

    def flows_from(self, source: SocketAddress) -> Iterator[Flow]:
        """The flow in every form, for one that comes from this address."""
        for step in self.steps:
            yield self._from(step.before, source)
            yield self._from(step.after, source)

    def _from(self, flow: Flow, source: SocketAddress) -> Flow:
        """Translation keeps the port: the outline's flows differ from another's by nothing else."""
        if flow.source == self.source:
            return flow.by(source)
        return flow.by(SocketAddress(flow.source.ip, source.port))


def outline_of(
    context: FlowContext,
    decision: Decision,
    outcome: Outcome,
    *,
    next_process: str = "",
    endpoint: Mapping[str, str] | None = None,
    entry: Entry | None = None,
) -> Outline:
    """The outline of a flow's class, made of its first decision."""
    last = decision.steps[-1] if decision.steps else None
    return Outline(
        source=context.flow.source,
        steps=decision.steps,
        flow=decision.flow,
        outcome=outcome,
        code=last.code if last else None,
        reason=last.reason if last else "",
        next_process=next_process,
        endpoint=endpoint or {},
        translated=decision.flow != context.flow,
        entry=entry,
    )


class FlowDraft(Draft):
    """One flow of a class: `first` are steps made before its decision."""

    __slots__ = ("_at", "context", "decided_seconds", "first", "outline", "process")

    def __init__(
        self,
        context: FlowContext,
        outline: Outline,
        process: str,
        at: float,
        first: tuple[Step, ...] = (),
    ) -> None:
        self.flow_id = context.flow_id
        self.kind = context.kind
        self.outcome = outline.outcome
        self.code = outline.code
        self.known = NOTHING_KNOWN
        self.context = context
        self.outline = outline
        self.process = process
        self.first = first
        self._at = at
        self.decided_seconds = 0.0

    @property
    def original(self) -> Flow:
        return self.context.original

    @property
    def started(self) -> float:
        return self._at

    @property
    def opened_here(self) -> bool:
        return not self.context.hops and self.hop_count > 0

    @property
    def hop_count(self) -> int:
        """How many hops this process made."""
        return len(self.first) + bool(self.context.sender) + len(self.outline.steps)

    def onward(self) -> FlowContext:
        """The context for the next process: the flow as translated, the hops counted on."""
        context = self.context
        return FlowContext(
            flow_id=context.flow_id,
            flow=self.outline.onward(context.flow),
            original=context.original,
            origin=context.origin,
            kind=context.kind,
            entry=self.outline.entry or context.entry,
            hops=context.hops + self.hop_count,
            sender=self.process,
        )

    def flows(self) -> Iterable[Flow]:
        yield self.context.original
        yield self.context.flow
        for step in self.first:
            yield step.before
            yield step.after
        yield from self.outline.flows_from(self.context.flow.source)

    @property
    def complete(self) -> bool:
        return is_complete(
            self.opened_here,
            self.original.protocol,
            self.kind,
            self.outcome,
            self.known.get("client_saw", ClientSaw.UNKNOWN),
            self.known.get("handed_over", False),
        )

    def steps(self) -> tuple[Step, ...]:
        """The steps, with the flow's own addresses; one that was sent here has arrived first."""
        context = self.context
        arrived = (received(context),) if context.sender else ()
        return (*self.first, *arrived, *self.outline.steps_from(context.flow.source))

    def as_known(self, known: Known) -> Segment:
        context, outline = self.context, self.outline
        fields: dict[str, Any] = {
            "outcome": outline.outcome,
            "next_process": outline.next_process,
            "code": outline.code,
            "reason": outline.reason,
            "endpoint": outline.endpoint,
            "decided_seconds": self.decided_seconds,
            **known,
        }
        if "hops" not in fields:
            fields["hops"] = hops_of(self.steps(), context, self.process, self._at)
        return Segment(
            flow_id=context.flow_id,
            process=self.process,
            kind=context.kind,
            origin=context.origin,
            original=context.original,
            started=self._at,
            **fields,
        )


def received(context: FlowContext) -> Step:
    """The step of a flow that another process sent here."""
    flow, sender = context.flow, context.sender
    detail = {"from": sender}
    return Step(Stage.TUNNEL, Action.RECEIVED, flow, flow, f"from {sender}", detail=detail)
