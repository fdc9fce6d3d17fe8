"""One ruling per new flow: ask the pipeline, remember what it says, record why.

The only place of the node where a flow is decided and its trace record is written; the routers for
TCP and UDP carry rulings out.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from random import Random
from typing import NamedTuple, Protocol

from cluster.aio.clock import Clock
from cluster.dataclass import dataclass
from cluster.dataplane.conntrack import AffinityTable
from cluster.dataplane.decision import (
    Action,
    Code,
    Decision,
    Deliver,
    Drop,
    Host,
    Local,
    Outside,
    Pin,
    Reject,
    Stage,
    Step,
    Verdict,
    Via,
)
from cluster.dataplane.details import closed_port_reply
from cluster.dataplane.flow_classes import FlowClasses, Listening, decided_here
from cluster.dataplane.node_view import NodeView
from cluster.trace.draft import FlowDraft, Outline, outline_of
from cluster.trace.record import ClientSaw, Outcome, segment_of
from cluster.trace.recorder import Recorder
from cluster.wire.flow import Entry, Flow, FlowContext, FlowKind, Origin


@dataclass(frozen=True, slots=True)
class Ruled:
    """What is the same for all flows of a class."""

    verdict: Verdict
    pin: Pin | None
    outline: Outline


class Ruling(NamedTuple):
    """What happens to a flow here, and the context it goes on with."""

    context: FlowContext
    verdict: Verdict
    endpoint: Mapping[str, str]
    draft: FlowDraft

    @property
    def flow_id(self) -> str:
        """The flow's name."""
        return self.context.flow_id

    @property
    def steps(self) -> tuple[Step, ...]:
        """How it came to that."""
        return self.draft.steps()


class Decided(Protocol):
    """A flow that was decided here, as far as who carries it out looks at that."""

    @property
    def context(self) -> FlowContext:
        """What it goes on with."""

    @property
    def endpoint(self) -> Mapping[str, str]:
        """The pod that it is for, if that is known here."""

    @property
    def flow_id(self) -> str:
        """Its name."""


class Rulings:
    """Decides flows by the view in use; `listening` tells whether a pod's port is open."""

    def __init__(
        self,
        node: str,
        view: Callable[[], NodeView],
        recorder: Recorder,
        clock: Clock,
        dice: Random,
        listening: Listening,
    ) -> None:
        self.recorder = recorder
        self._node = node
        self._view = view
        self._clock = clock
        self._dice = dice
        self._listening = listening
        self._affinity = AffinityTable()
        self._classes = FlowClasses(self._ruled)

    def opened(
        self, origin: Origin, flow: Flow, kind: FlowKind, entry: Entry = Entry.FRONT
    ) -> FlowContext:
        """The context of a flow that begins at this node, under a new name."""
        flow_id = f"{self._dice.getrandbits(64):016x}"
        return FlowContext(
            flow_id=flow_id, flow=flow, original=flow, origin=origin, kind=kind, entry=entry
        )

    def rule(self, context: FlowContext, first: tuple[Step, ...] = ()) -> Ruling:
        """Decide a flow, record it, and say what to do; `first` are steps made before."""
        clock = self._clock
        at, began = clock.now(), clock.monotonic()
        ruled = self._classes.ruled(
            context,
            self._view(),
            self._affinity,
            self._listening,
            now=began,
            draw=self._dice.random(),
        )
        if ruled.pin is not None:
            self._affinity.remember(ruled.pin, now=began)
        outline = ruled.outline
        draft = FlowDraft(context, outline, self._node, at, first)
        onward = draft.onward()
        draft.decided_seconds = clock.monotonic() - began
        self.recorder.keep(draft)
        return Ruling(onward, ruled.verdict, outline.endpoint, draft)

    def explain(self, context: FlowContext) -> Decision:
        """The decision on a flow that is not made: nothing is recorded or remembered."""
        now, draw = self._clock.monotonic(), self._dice.random()
        return decided_here(
            context, self._view(), self._affinity, self._listening, now=now, draw=draw
        )

    def record_local(self, context: FlowContext, step: Step, outcome: Outcome) -> None:
        """Record a flow that never leaves its pod."""
        decision = Decision(Local(), context.flow, (step,))
        at = self._clock.now()
        self.recorder.record(
            segment_of(decision, context, process=self._node, at=at, outcome=outcome)
        )

    def record_unresolved(self, context: FlowContext, step: Step) -> None:
        """Record a connection that never began: its name led nowhere."""
        self.record_local(context, step, _UNRESOLVED[step.action])
        self.saw(context.flow_id, ClientSaw.UNRESOLVED)

    def saw(self, flow_id: str, client_saw: ClientSaw, *, opener: bool = True) -> None:
        """Note what the client experienced, where its flow began; not `opener`: where its socket
        was handed over to."""
        self.recorder.update(flow_id, opener=opener, client_saw=client_saw)

    def handed_over(self, ruling: Ruling) -> None:
        """Note that a flow took its client's socket with it to the next process."""
        self.recorder.update(ruling.flow_id, handed_over=True)

    def lost(self, ruling: Decided, stage: Stage, code: Code, reason: str) -> None:
        """Note that a flow died after it was decided, such as of a node that does not answer."""
        flow = ruling.context.flow
        step = Step(stage, Action.DROPPED, flow, flow, reason, code)
        self.recorder.end(ruling.flow_id, step, Outcome.DROPPED)

    def refused_by_host(self, ruling: Ruling) -> None:
        """Note that a flow to a host's own address found nobody: its kernel answers."""
        flow = ruling.context.flow
        detail = {"reply": closed_port_reply(flow.protocol)}
        reason = f"no process of the host listens on {flow.destination}"
        code = Code.PORT_CLOSED
        step = Step(Stage.DELIVER, Action.REJECTED, flow, flow, reason, code, detail)
        self.recorder.end(ruling.flow_id, step, Outcome.REFUSED)

    def _next_process(self, verdict: Verdict) -> str:
        """The node that the flow goes on to: to a pod of its, or to its own address."""
        match verdict:
            case Via(node):
                return node
            case Host(node, _) if node != self._node:
                return node
            case _:
                return ""

    def _ruled(self, context: FlowContext, decision: Decision) -> Ruled:
        """What the first flow of a class leaves for the others."""
        decision = _closed_outside(decision)
        next_process = self._next_process(decision.verdict)
        outcome = Outcome.PASSED if next_process else outcome_of(decision.verdict)
        outline = outline_of(
            context,
            decision,
            outcome,
            next_process=next_process,
            endpoint=_endpoint(decision),
            entry=Entry.ADMIT if isinstance(decision.verdict, Via) else None,
        )
        return Ruled(decision.verdict, decision.pin, outline)


def _closed_outside(decision: Decision) -> Decision:
    """Nothing answers in the emulated outside, and the real network is closed to pods."""
    if not isinstance(decision.verdict, Outside):
        return decision
    reason = "outside the cluster; the machine's real network is closed to pods"
    step = Step(
        Stage.DELIVER,
        Action.REJECTED,
        decision.flow,
        decision.flow,
        reason,
        code=Code.OUTSIDE_CLOSED,
    )
    verdict = Reject(Code.OUTSIDE_CLOSED, reason)
    return replace(decision, verdict=verdict, steps=(*decision.steps, step))


_UNRESOLVED = {Action.REJECTED: Outcome.REFUSED, Action.DROPPED: Outcome.DROPPED}


def outcome_of(verdict: Verdict) -> Outcome:
    """How a verdict shows in a trace."""
    match verdict:
        case Deliver() | Host():
            return Outcome.DELIVERED
        case Reject():
            return Outcome.REFUSED
        case Drop():
            return Outcome.DROPPED
        case _:
            return Outcome.PASSED


def _endpoint(decision: Decision) -> dict[str, str]:
    if not isinstance(decision.verdict, Deliver):
        return {}
    pod = decision.verdict.pod
    return {
        "namespace": pod.namespace,
        "pod": pod.name,
        "node": pod.node,
        "ip": pod.ip,
        "port": str(decision.flow.destination.port),
    }
