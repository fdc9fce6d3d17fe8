"""One ruling per new flow: choose its node, record why, say what to send on.

The only place of the gateway where a flow is named, decided and recorded; TCP and UDP carry rulings
out. Spec: S-107, S-122, O-1 to O-5, O-11, O-12, O-20.
"""

from collections.abc import Callable
from random import Random
from typing import Any

from cluster.aio.clock import Clock
from cluster.dataplane.decision import Action, Code, Drop, Reject, Stage, Step
from cluster.gateway.balancer import Chosen, FrontPlan, FrontState
from cluster.gateway.choices import Choice, Choices, Failed
from cluster.gateway.health import NodeHealth
from cluster.trace.draft import FlowDraft
from cluster.trace.record import ClientSaw, Outcome, Segment
from cluster.trace.recorder import Recorder
from cluster.wire.addresses import SocketAddress
from cluster.wire.clients import OutsideClients
from cluster.wire.flow import Entry, Flow, FlowContext, Origin, OriginKind

PROCESS = "gateway"  # its name in traces

CLIENTS_MAX = 4096  # whose emulated addresses are remembered

_NODE, _OUTSIDE, _FRONT = OriginKind.NODE, OriginKind.OUTSIDE, Entry.FRONT
_HANDED_OVER = {"handed_over": True}


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
        self._choices = Choices(health)
        self._clients = clients
        self._client_of: dict[str, str] = {}
        self._dice = dice
        self._node_with = node_with

    def opened(self, plan: FrontPlan, peer: SocketAddress) -> FlowContext:
        """The context of a flow that begins here: its client by the emulated address."""
        client = self._client_of.get(peer.ip) or self._met(peer.ip)
        flow = Flow(plan.place.protocol, SocketAddress(client, peer.port), plan.place.address)
        node = self._node_with(client)
        origin = Origin(_NODE, node) if node else Origin(_OUTSIDE, client)
        flow_id = f"{self._dice.getrandbits(64):016x}"
        return FlowContext(flow_id=flow_id, flow=flow, original=flow, origin=origin, entry=_FRONT)

    def choose(self, plan: FrontPlan, failed: Failed) -> Chosen | Drop:
        """The node to try next."""
        return self._choices.choose(plan, failed, draw=self._dice.random())

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
        draft = self._draft(context, plan, chosen, failed)
        if handed_over:
            draft.known = _HANDED_OVER
        onward = draft.onward()
        draft.decided_seconds = self.clock.monotonic() - began
        self._recorder.keep(draft)
        return onward

    def dropped(
        self, context: FlowContext, plan: FrontPlan, drop: Drop, failed: Failed, began: float
    ) -> None:
        """Record that nobody takes the flow."""
        draft = self._draft(context, plan, drop, failed)
        draft.known = {"client_saw": ClientSaw.TIMEOUT}
        draft.decided_seconds = self.clock.monotonic() - began
        self._recorder.keep(draft)

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
                choice: Choice = Reject(plan.code, plan.reason)
            case FrontState.SILENT:
                assert plan.code is not None
                choice = Drop(plan.code, plan.reason)
            case FrontState.SERVING:
                choice = self.choose(plan, {})
        return self._draft(context, plan, choice, {}).segment()

    def _draft(
        self, context: FlowContext, plan: FrontPlan, choice: Choice, failed: Failed
    ) -> FlowDraft:
        outline = self._choices.outline(context, plan, choice, failed)
        return FlowDraft(context, outline, PROCESS, self.clock.now())

    def _met(self, ip: str) -> str:
        """Whom a real address stands for."""
        if len(self._client_of) >= CLIENTS_MAX:
            self._client_of.clear()
        client = self._client_of[ip] = self._clients.client_of(ip)
        return client


_LOST = {
    True: (Action.DROPPED, Outcome.DROPPED, ClientSaw.TIMEOUT),
    False: (Action.REJECTED, Outcome.REFUSED, ClientSaw.RESET),
}
