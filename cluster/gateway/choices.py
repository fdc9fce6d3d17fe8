"""The choice of a node in constant time: what one flow to a front leaves for the next.

Among which nodes a front chooses, and how each choice reads in a trace, is the same until its plan
or the health of a node changes; only the draw is each flow's own. A flow that has tried nodes in
vain is decided by itself.
Pure: values in, values out; what is kept is bounded.
"""

from collections.abc import Mapping
from typing import Any

from cluster.dataplane.decision import Action, Decision, Drop, Reject, Stage, Step, Via
from cluster.gateway.backend_nodes import BackendNode
from cluster.gateway.balancer import (
    Chosen,
    FrontPlan,
    able_nodes,
    choose_node,
    chosen_at,
    nobody,
)
from cluster.gateway.health import NodeHealth
from cluster.trace.draft import Outline, outline_of
from cluster.trace.record import Outcome
from cluster.wire.flow import FlowContext

FRONTS_MAX = 1024  # whose choices are kept

Choice = Chosen | Drop | Reject
Failed = Mapping[str, str]  # node -> why it could not be reached

OUTCOMES = {Chosen: Outcome.PASSED, Drop: Outcome.DROPPED, Reject: Outcome.REFUSED}
_ACTIONS = {Chosen: Action.FORWARDED, Drop: Action.DROPPED, Reject: Action.REJECTED}


class _Kept:
    """The choices of one front, by one plan and one state of the nodes' health."""

    __slots__ = ("able", "changes", "chosen", "outlines", "plan")

    def __init__(self, plan: FrontPlan, able: list[BackendNode], changes: int) -> None:
        self.plan = plan
        self.changes = changes
        self.able = able
        self.chosen: dict[int, Chosen] = {}
        self.outlines: dict[str, tuple[Chosen, Outline]] = {}  # by the node's name


class Choices:
    """The choices of every front."""

    def __init__(self, health: NodeHealth, fronts_max: int = FRONTS_MAX) -> None:
        self._health = health
        self._fronts_max = fronts_max
        self._kept: dict[int, _Kept] = {}  # by the identity of a plan, which is kept with it

    def choose(self, plan: FrontPlan, failed: Failed, *, draw: float) -> Chosen | Drop:
        """As `choose_node`, among the nodes that have not failed this flow yet."""
        if failed:
            return choose_node(plan, self._health.healthy, draw=draw, tried=tuple(failed))
        kept = self._kept.get(id(plan))
        if kept is None or kept.changes != self._health.changes:
            kept = self._begin(plan)
        position = int(draw * len(kept.able))
        chosen = kept.chosen.get(position)
        if chosen is not None:
            return chosen
        if not kept.able:
            return nobody(plan)
        chosen = kept.chosen[position] = chosen_at(plan, kept.able, position)
        return chosen

    def outline(
        self, context: FlowContext, plan: FrontPlan, choice: Choice, failed: Failed
    ) -> Outline:
        """What is recorded of a choice."""
        kept = self._kept.get(id(plan))
        if failed or kept is None or not isinstance(choice, Chosen):
            return _outline(context, plan, choice, failed)
        known = kept.outlines.get(choice.node.name)
        if known is None or known[0] is not choice:
            known = choice, _outline(context, plan, choice, failed)
            kept.outlines[choice.node.name] = known
        return known[1]

    def __len__(self) -> int:
        return len(self._kept)

    def _begin(self, plan: FrontPlan) -> _Kept:
        if len(self._kept) >= self._fronts_max:
            self._kept.clear()
        able = able_nodes(plan, self._health.healthy)
        kept = self._kept[id(plan)] = _Kept(plan, able, self._health.changes)
        return kept


def _outline(context: FlowContext, plan: FrontPlan, choice: Choice, failed: Failed) -> Outline:
    next_process = choice.node.name if isinstance(choice, Chosen) else ""
    decision = decided(context, plan, choice, failed)
    return outline_of(context, decision, OUTCOMES[type(choice)], next_process=next_process)


def decided(context: FlowContext, plan: FrontPlan, choice: Choice, failed: Failed) -> Decision:
    """A choice as a decision of one step."""
    reason = "; ".join(
        [choice.reason, *(f"{node} was skipped: {why}" for node, why in failed.items())]
    )
    detail: dict[str, Any] = plan.detail
    if failed:
        detail["failed"] = dict(failed)
    if isinstance(choice, Reject):
        detail["reply"] = "RST" if plan.place.protocol == "TCP" else "ICMP"
    code = None if isinstance(choice, Chosen) else choice.code
    flow = context.flow
    step = Step(Stage.BALANCE, _ACTIONS[type(choice)], flow, flow, reason, code, detail)
    verdict = Via(choice.node.name) if isinstance(choice, Chosen) else choice
    return Decision(verdict, flow, (step,))
