"""The plans of all fronts, made anew only where something they are made of has changed.

A change of one Service's endpoints costs that Service's plans, however many nodes and other
Services there are; a plan that stays is the very same object, by which its users know it.
Pure: views in, plans out.
"""

from operator import is_

from cluster.dataclass import dataclass
from cluster.dataplane.shared_map import SharedMap
from cluster.gateway.backend_nodes import BackendNode
from cluster.gateway.balancer import Balanced, FrontPlan, Place, merge, oldest_first, plan_service
from cluster.gateway.balancer_view import BalancerView
from cluster.gateway.health import NodeHealth
from cluster.objects.discovery import EndpointSlice
from cluster.objects.meta import Key


@dataclass(frozen=True, slots=True)
class _Planned:
    """One Service's plans, and what they were made of."""

    balanced: Balanced
    slices: tuple[EndpointSlice, ...]
    plans: tuple[FrontPlan, ...]


class FrontPlans:
    """The plans by the last view and the last state of the nodes' health."""

    def __init__(self) -> None:
        self._planned: dict[Key, _Planned] = {}
        self._nodes: SharedMap[str, BackendNode] = SharedMap()
        self._health_changes = -1
        self._balanced: SharedMap[Key, Balanced] = SharedMap()
        self._ordered: list[Balanced] = []

    def follow(self, view: BalancerView, health: NodeHealth) -> dict[Place, FrontPlan]:
        """Every front there shall be now."""
        if view.nodes is not self._nodes or health.changes != self._health_changes:
            self._planned.clear()
            self._nodes, self._health_changes = view.nodes, health.changes
        if view.balanced is not self._balanced:
            self._balanced, self._ordered = view.balanced, oldest_first(view.balanced.values())
            for key in self._planned.keys() - set(view.balanced):
                del self._planned[key]
        return merge(self._plans_of(each, view, health) for each in self._ordered)

    def _plans_of(
        self, balanced: Balanced, view: BalancerView, health: NodeHealth
    ) -> tuple[FrontPlan, ...]:
        key = balanced.service.meta.key
        slices, held = view.slices_of(key), self._planned.get(key)
        if held is None or held.balanced is not balanced or not _same(held.slices, slices):
            nodes = list(self._nodes.values())
            plans = tuple(plan_service(balanced, slices, nodes, health.healthy))
            held = self._planned[key] = _Planned(balanced, slices, plans)
        return held.plans


def _same(before: tuple[EndpointSlice, ...], after: tuple[EndpointSlice, ...]) -> bool:
    """Whether these are the very same slices."""
    return len(before) == len(after) and all(map(is_, before, after))
