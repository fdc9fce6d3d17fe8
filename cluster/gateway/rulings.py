"""One ruling per new flow: choose its node, record why, say what to send on.

The only place of the gateway where a flow is named, decided and recorded; TCP and UDP carry rulings
out. Spec: S-107, S-122, O-1 to O-5, O-11, O-12, O-20.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from random import Random
from typing import Any

from cluster.aio.clock import Clock
from cluster.dataplane.decision import Action, Code, Decision, Drop, Reject, Stage, Step, Via
from cluster.gateway.balancer import Chosen, FrontPlan, FrontState, choose_node
from cluster.gateway.health import NodeHealth
from cluster.trace.record import ClientSaw, Outcome, Segment, passed_on, segment_of
from cluster.trace.recorder import Recorder
from cluster.wire.addresses import SocketAddress
from cluster.wire.clients import OutsideClients
from cluster.wire.flow import Entry, Flow, FlowContext, Origin, OriginKind

PROCESS = "gateway"  # its name in traces

Failed = Mapping[str, str]  # node -> why it could not be reached


class Rulings:
    """Decides flows by the health of the nodes; `node_with` names the node of an address."""

    def __init__(
        self,
        recorder: Recorder,
        health: NodeHealth,
        clients: OutsideClients,
        clock: Clock,
        dice: Random,
        node_with: Callable[[str], str],
    ) -> None:
        self.clock = clock
        self._recorder = recorder
        self._health = health
        self._clients = clients
        self._dice = dice
        self._node_with = node_with

    def opened(self, plan: FrontPlan, peer: SocketAddress) -> FlowContext:
        """The context of a flow that begins here: its client by the emulated address."""
        client = self._clients.client_of(peer.ip)
        source = SocketAddress(client, peer.port)
        flow = Flow(plan.place.protocol, source, plan.place.address)
        node = self._node_with(client)
        origin = Origin(OriginKind.NODE if node else OriginKind.OUTSIDE, node or client)
        flow_id = f"{self._dice.getrandbits(64):016x}"
        return FlowContext(
            flow_id=flow_id, flow=flow, original=flow, origin=origin, entry=Entry.FRONT
        )

    def choose(self, plan: FrontPlan, failed: Failed) -> Chosen | Drop:
        """The node to try next."""
        draw = self._dice.random()
        return choose_node(plan, self._health.healthy, draw=draw, tried=tuple(failed))

    def passed(
        self,
        context: FlowContext,
        plan: FrontPlan,
        chosen: Chosen,
        failed: Failed,
        began: float,
        *,
        handed_over: bool = False,
    ) -> FlowContext:
        """Record that the flow goes to a node, `handed_over` with its client's socket; the context
        it goes with."""
        decision = decided(context, plan, chosen, failed)
        segment = self._record(
            decision, context, Outcome.PASSED, began, chosen.node.name, handed_over=handed_over
        )
        return passed_on(context, segment, decision.flow)

    def handed_over(self, context: FlowContext) -> None:
        """Note that a flow that was passed took its client's socket with it."""
        self._recorder.update(context.flow_id, handed_over=True)

    def dropped(
        self, context: FlowContext, plan: FrontPlan, drop: Drop, failed: Failed, began: float
    ) -> None:
        """Record that nobody takes the flow."""
        decision = decided(context, plan, drop, failed)
        self._record(decision, context, Outcome.DROPPED, began)
        self.update(context, client_saw=ClientSaw.TIMEOUT)

    def _record(
        self,
        decision: Decision,
        context: FlowContext,
        outcome: Outcome,
        began: float,
        next_process: str = "",
        *,
        handed_over: bool = False,
    ) -> Segment:
        segment = segment_of(
            decision, context, process=PROCESS, at=self.clock.now(), outcome=outcome
        )
        spent = self.clock.monotonic() - began
        segment = replace(
            segment, next_process=next_process, decided_seconds=spent, handed_over=handed_over
        )
        self._recorder.record(segment)
        return segment

    def update(self, context: FlowContext, **fields: Any) -> None:
        """Note what became known of a flow later; too late is no harm."""
        self._recorder.update(context.flow_id, **fields)

    def lost(self, context: FlowContext, reason: str, *, silent: bool) -> None:
        """Note that the node that took the flow said nothing more of it, and what its client sees:
        silence, or a reset."""
        action, outcome, saw = _LOST[silent]
        flow, detail = context.flow, {} if silent else {"reply": "RST"}
        step = Step(Stage.TUNNEL, action, flow, flow, reason, Code.NODE_UNREACHABLE, detail)
        self._recorder.end(context.flow_id, step, outcome, client_saw=saw)

    def explain(self, plan: FrontPlan, peer: SocketAddress) -> Segment:
        """The decision on a flow that is not made; nothing is recorded."""
        context = self.opened(plan, peer)
        match plan.state:
            case FrontState.CLOSED:
                assert plan.code is not None
                choice: Chosen | Drop | Reject = Reject(plan.code, plan.reason)
            case FrontState.SILENT:
                assert plan.code is not None
                choice = Drop(plan.code, plan.reason)
            case FrontState.SERVING:
                choice = self.choose(plan, {})
        decision = decided(context, plan, choice, {})
        outcome = _OUTCOMES[type(choice)]
        segment = segment_of(
            decision, context, process=PROCESS, at=self.clock.now(), outcome=outcome
        )
        next_process = choice.node.name if isinstance(choice, Chosen) else ""
        return replace(segment, next_process=next_process)


_LOST = {
    True: (Action.DROPPED, Outcome.DROPPED, ClientSaw.TIMEOUT),
    False: (Action.REJECTED, Outcome.REFUSED, ClientSaw.RESET),
}
_OUTCOMES = {Chosen: Outcome.PASSED, Drop: Outcome.DROPPED, Reject: Outcome.REFUSED}
_ACTIONS = {Chosen: Action.FORWARDED, Drop: Action.DROPPED, Reject: Action.REJECTED}


def decided(
    context: FlowContext, plan: FrontPlan, choice: Chosen | Drop | Reject, failed: Failed
) -> Decision:
    """A choice as a decision of one step."""
    reason = "; ".join(
        [choice.reason, *(f"{node} was skipped: {why}" for node, why in failed.items())]
    )
    detail = {**plan.detail, "failed": dict(failed)} if failed else plan.detail
    if isinstance(choice, Reject):
        detail = {**detail, "reply": "RST" if plan.place.protocol == "TCP" else "ICMP"}
    code = None if isinstance(choice, Chosen) else choice.code
    flow = context.flow
    step = Step(Stage.BALANCE, _ACTIONS[type(choice)], flow, flow, reason, code, detail)
    verdict = Via(choice.node.name) if isinstance(choice, Chosen) else choice
    return Decision(verdict, flow, (step,))
