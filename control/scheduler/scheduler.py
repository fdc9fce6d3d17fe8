"""The scheduler: waits for pods without a node and for nodes, and binds.

One pass places everything that waits, in one turn of the loop, and sends all bindings together.
What cannot be placed is tried again when a node or a pod changes; nothing on the way sleeps.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

from cluster.aio.clock import Clock
from cluster.aio.tasks import Tasks
from cluster.client.interface import Api, Document
from cluster.errors import ApiError, ClusterError
from cluster.objects.resources import NAMESPACES, NODES, PODS, VOLUME_CLAIMS, Resource
from control.controllers.caches import Caches
from control.controllers.conditions import Condition, condition_of, with_condition
from control.controllers.events import EventRecorder
from control.controllers.pods import active, finished, node_of
from control.controllers.times import timestamp
from control.controllers.view import Key, key_of, labels_of, spec_of, status_of, uid_of
from control.controllers.writes import NORMAL, WARNING, EmitEvent
from control.scheduler.framework import (
    Filter,
    NodeState,
    Placed,
    Profile,
    Unschedulable,
    schedule,
)
from control.scheduler.neighbours import Neighbours, concerned
from control.scheduler.occupancy import Occupancy
from control.scheduler.plugins import DEFAULT_PROFILE
from control.scheduler.volumes import why_not_yet

log = logging.getLogger(__name__)

SCHEDULER_NAME = "default-scheduler"
BINDINGS_TOGETHER_MAX = 500
RETRY_SECONDS = 1.0  # after a binding that the API refused for a reason of its own


class BindingApi(Api, Protocol):
    """The API, with the pods/binding subresource."""

    async def bind(self, namespace: str, name: str, node: str) -> Any:
        """Set `spec.nodeName`, once (P-45), and the condition PodScheduled."""


class Scheduler:
    """The queue of pending pods and the binding."""

    def __init__(
        self, api: BindingApi, caches: Caches, clock: Clock, *, profile: Profile = DEFAULT_PROFILE
    ) -> None:
        self._api = api
        self._caches = caches
        self._clock = clock
        self._profile = profile
        self._tasks = Tasks(clock)
        self._events = EventRecorder(api, clock, component=SCHEDULER_NAME)
        self._pending: dict[Key, None] = {}
        self._assumed: dict[Key, str] = {}  # uid of pods being bound
        self._choosy: dict[Key, None] = {}  # pods with rules about their neighbours
        self._occupancy = Occupancy()
        self._wake = asyncio.Event()
        caches.subscribe(self._changed)

    async def run(self) -> None:
        """Schedule until cancelled."""
        try:
            await self._caches.synced()
            self._tasks.supervise(self._events.run, name="scheduler events")
            await self._tasks.supervise(self._schedule_all, name="scheduler")
        finally:
            await self._tasks.close()

    async def _schedule_all(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            await self._pass()

    async def _pass(self) -> None:
        """Place everything that waits."""
        pending = [pod for key in self._pending if (pod := self._waiting(key)) is not None]
        if not pending:
            return
        states = self._occupancy.states(self._caches.objects.each(NODES))
        waiting = self._without_storage(pending, len(states))
        held = {uid_of(each.pod) for each in waiting}
        ready = [pod for pod in pending if uid_of(pod) not in held]
        profile = self._profile_for(states)
        placements = [*schedule(ready, states, profile), *waiting]
        placed = [each for each in placements if isinstance(each, Placed)]
        for start in range(0, len(placed), BINDINGS_TOGETHER_MAX):
            together = placed[start : start + BINDINGS_TOGETHER_MAX]
            await asyncio.gather(*(self._bind(each) for each in together))
        for each in placements:
            if isinstance(each, Unschedulable):
                await self._tell_unschedulable(each)

    def _profile_for(self, states: Mapping[str, NodeState]) -> Profile:
        """The rules; those about neighbours look at all pods, so only where a pod has any."""
        if not self._choosy:
            return self._profile
        for name, state in states.items():
            state.members = list(filter(active, self._caches.objects.pods_on(name)))
        spaces = self._caches.objects.each(NAMESPACES)
        labels = {each["metadata"]["name"]: labels_of(each) for each in spaces}
        filters: list[Filter] = [*self._profile.filters, Neighbours(states, labels)]
        return replace(self._profile, filters=filters, lasting=False)

    def _without_storage(self, pods: list[Document], nodes: int) -> list[Unschedulable]:
        """Those that no node can take before their claims are bound."""
        found = ((pod, why_not_yet(self._caches.objects, pod)) for pod in pods)
        text = f"0/{nodes} nodes are available: "
        return [Unschedulable(pod, f"{text}{why}.") for pod, why in found if why]

    def _waiting(self, key: Key) -> Document | None:
        return None if key in self._assumed else self._caches.objects.at(key)

    async def _bind(self, placed: Placed) -> None:
        pod, key = placed.pod, key_of(PODS, placed.pod)
        self._assumed[key] = uid_of(pod)
        self._occupancy.put(key, pod, placed.node)
        try:
            answer = await self._api.bind(key.namespace, key.name, placed.node)
        except ClusterError as error:  # a refusal, or a store that cannot be written
            self._assumed.pop(key, None)
            self._occupancy.remove(key)
            self._refused(pod, placed.node, error)
            return
        if isinstance(answer, dict) and answer.get("kind") == "Pod":
            self._caches.wrote(PODS, answer)
        text = f"Successfully assigned {key.namespace}/{key.name} to {placed.node}"
        self._events.record(EmitEvent(pod, "Scheduled", text, NORMAL))

    def _refused(self, pod: Document, node: str, error: ClusterError) -> None:
        """A pod that is gone or bound needs no node; the rest is tried again."""
        if isinstance(error, ApiError) and error.code in (404, 409):
            log.debug("binding refused pod=%s error=%s", pod["metadata"]["name"], error)
        else:
            name = pod["metadata"]["name"]
            log.warning("binding refused pod=%s node=%s error=%s", name, node, error)
            self._events.record(EmitEvent(pod, "FailedScheduling", f"{error}", WARNING))
        self._tasks.start(self._wake_later(), name="scheduler retry")

    async def _wake_later(self) -> None:
        await self._clock.sleep(RETRY_SECONDS)
        self._wake.set()

    async def _tell_unschedulable(self, verdict: Unschedulable) -> None:
        """Say why, once for each reason: a condition and an Event (P-32)."""
        pod, message = verdict.pod, verdict.message
        held = condition_of(pod, "PodScheduled")
        if held is not None and held.get("message") == message:
            return
        self._events.record(EmitEvent(pod, "FailedScheduling", message, WARNING))
        condition: Condition = {
            "type": "PodScheduled",
            "status": "False",
            "reason": "Unschedulable",
            "message": message,
        }
        conditions = with_condition(
            status_of(pod).get("conditions") or (), condition, when=timestamp(self._clock.now())
        )
        metadata = pod["metadata"]
        changes = {
            "metadata": {"resourceVersion": metadata.get("resourceVersion")},
            "status": {"conditions": conditions},
        }
        try:
            answer = await self._api.patch(
                PODS,
                metadata["name"],
                changes,
                namespace=metadata["namespace"],
                subresource="status",
            )
        except ApiError as error:  # gone or changed meanwhile: its event brings the next pass
            log.debug("condition refused pod=%s error=%s", metadata["name"], error)
            return
        self._caches.wrote(PODS, answer)

    def _changed(self, resource: Resource, old: Document | None, new: Document | None) -> None:
        """Keep the queue; wake when something waits and the change may matter to it."""
        if resource is PODS:
            matters = self._pod_changed(old, new)
        else:
            matters = resource is VOLUME_CLAIMS or (resource is NODES and _node_changed(old, new))
        if matters and self._pending:
            self._wake.set()

    def _pod_changed(self, old: Document | None, new: Document | None) -> bool:
        """Whether a pod waits, or a place became free."""
        document = new if new is not None else old
        assert document is not None
        key = key_of(PODS, document)
        freed = self._occupy(key, new)
        if new is not None and concerned(new) and active(new):
            self._choosy[key] = None
        else:
            self._choosy.pop(key, None)
        if new is not None and pending(new):
            self._pending[key] = None
            return True
        self._pending.pop(key, None)
        return freed

    def _occupy(self, key: Key, pod: Document | None) -> bool:
        """Note where a pod is; whether its place became free."""
        if pod is None or node_of(pod) or self._assumed.get(key) != uid_of(pod):
            self._assumed.pop(key, None)
        if pod is not None and node_of(pod) and not finished(pod):
            self._occupancy.put(key, pod, node_of(pod))
            return False
        return key not in self._assumed and self._occupancy.remove(key)


def pending(pod: Document) -> bool:
    """Whether the pod waits for this scheduler."""
    spec = spec_of(pod)
    mine = (spec.get("schedulerName") or SCHEDULER_NAME) == SCHEDULER_NAME
    return mine and not spec.get("nodeName") and not spec.get("schedulingGates") and active(pod)


def _node_changed(old: Document | None, new: Document | None) -> bool:
    """Whether a node changed in more than its heartbeat."""
    if old is None or new is None:
        return True
    return _facts(old) != _facts(new)


def _facts(node: Document) -> tuple[Any, ...]:
    status = status_of(node)
    conditions = [(e.get("type"), e.get("status")) for e in status.get("conditions") or ()]
    return labels_of(node), spec_of(node), conditions, status.get("allocatable")
