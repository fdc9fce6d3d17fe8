"""Node lifecycle: notices nodes that fell silent, taints them, and un-readies their pods.

Pure: `reconcile` from a view to writes. It remembers when each node's heartbeat last changed, by
the monotonic time of the view, as the real one does: a node's own clock is not asked, and after a
restart of the control plane every node has its grace period anew.
Spec: P-27, P-66 to P-69, P-73, P-74, P-76, S-154; kubernetes.io, "Nodes".
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cluster.client.interface import Document
from cluster.dataclass import dataclass
from cluster.objects.resources import LEASES, NODES, PODS
from control.controllers.conditions import Condition, condition_of, status_is, with_condition
from control.controllers.definition import Controller, present
from control.controllers.node_taints import (
    UNREACHABLE,
    Zone,
    ZoneCounts,
    eviction_pause,
    evictions_stop,
    has_no_execute,
    trouble_of,
    wished_taints,
    zone_key,
)
from control.controllers.pods import finished, node_of, ready, ready_since
from control.controllers.times import seconds_of, timestamp
from control.controllers.view import Key, Objects, View, deleting, spec_of, status_of
from control.controllers.writes import WARNING, Announce, LookAgain, Write, patch_of

LEASE_NAMESPACE = "kube-node-lease"
GRACE_SECONDS = 50.0  # P-67
STARTUP_GRACE_SECONDS = 60.0  # for a node that has never said anything
STOPPED = "NodeStatusUnknown", "Kubelet stopped posting node status."
NEVER = "NodeStatusNeverUpdated", "Kubelet never posted node status."
MONITORED = ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure")


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """What a node last said, and when it was first seen to say so."""

    said: tuple[str, str]  # the lease's renewTime, the Ready condition's lastHeartbeatTime
    seen: float


@dataclass(frozen=True, slots=True)
class Eviction:
    """The node of a zone that was tainted for eviction last, and when."""

    node: str
    when: float


class NodeLifecycle:
    """One look at a node; the memory is bounded by the number of nodes."""

    def __init__(self) -> None:
        self._heartbeats: dict[str, Heartbeat] = {}
        self._evictions: dict[str, Eviction] = {}
        self._zones = ZoneCounts()

    def reconcile(self, view: View, key: Key) -> Sequence[Write]:
        """Judge one node by its silence, then keep its taints and its pods in line."""
        node = view.objects.at(key)
        if node is None:
            self._heartbeats.pop(key.name, None)
            return ()
        left = self._patience_left(view, node)
        unknown = _unknown_conditions(node, view.now) if left <= 0 else None
        if unknown is not None:
            return [_lost(node, unknown), *_unready_pods(view, node, lost=True)]
        again = [LookAgain(left)] if left > 0 else []
        return [*self._taint(view, node), *_unready_pods(view, node), *again]

    def _patience_left(self, view: View, node: Document) -> float:
        name = node["metadata"]["name"]
        lease = view.objects.get(LEASES, LEASE_NAMESPACE, name)
        renewed = spec_of(lease).get("renewTime") if lease is not None else None
        posted = (condition_of(node, "Ready") or {}).get("lastHeartbeatTime")
        said = renewed or "", posted or ""
        held = self._heartbeats.get(name)
        if held is None or held.said != said:
            held = self._heartbeats[name] = Heartbeat(said, view.monotonic)
        patience = GRACE_SECONDS if any(said) else STARTUP_GRACE_SECONDS
        return held.seen + patience * view.scale - view.monotonic

    def _taint(self, view: View, node: Document) -> list[Write]:
        if deleting(node):
            return []
        no_execute, again = self._no_execute(view, node)
        taints = wished_taints(node, no_execute, view.now)
        if taints == list(spec_of(node).get("taints") or ()):
            return again
        return [patch_of(NODES, node, {"spec": {"taints": taints or None}}), *again]

    def _no_execute(self, view: View, node: Document) -> tuple[str, list[Write]]:
        """The key of the NoExecute taint that the node may have now (P-68, P-73)."""
        key, held = trouble_of(node), has_no_execute(node)
        if not key or condition_of(node, "Ready") is None:
            return "", []
        nodes = list(view.objects.each(NODES))
        zones = self._zones.of(nodes)
        if evictions_stop(zones):
            return "", []
        if held:
            return key, []
        pause = eviction_pause(zones[zone_key(node)], len(nodes))
        if pause is None:
            return "", []
        return self._in_turn(view, node, key, pause * view.scale)

    def _in_turn(
        self, view: View, node: Document, key: str, pause: float
    ) -> tuple[str, list[Write]]:
        name, zone = node["metadata"]["name"], zone_key(node)
        last = self._evictions.get(zone)
        if last is not None and last.node != name and view.monotonic < last.when + pause:
            return "", [LookAgain(last.when + pause - view.monotonic)]
        self._evictions[zone] = Eviction(name, view.monotonic)
        return key, []


def _unknown_conditions(node: Document, now: float) -> list[Condition] | None:
    """The conditions of a silent node, all Unknown; None when they say so already (P-67)."""
    conditions: list[Condition] = list(status_of(node).get("conditions") or ())
    before = list(conditions)
    for kind in MONITORED:
        held = condition_of(node, kind)
        if held is not None and held.get("status") == "Unknown":
            continue
        reason, message = STOPPED if held is not None else NEVER
        new = {"type": kind, "status": "Unknown", "reason": reason, "message": message}
        conditions = with_condition(conditions, new, when=timestamp(now))
    return conditions if conditions != before else None


def _lost(node: Document, conditions: Sequence[Condition]) -> Write:
    text = f"Node {node['metadata']['name']} status is now: NodeNotReady"
    announce = Announce(about=node, done=("NodeNotReady", text))
    changes = {"status": {"conditions": list(conditions)}}
    return patch_of(NODES, node, changes, subresource="status", announce=announce)


def _unready_pods(view: View, node: Document, *, lost: bool = False) -> list[Write]:
    """Take the node's pods out of all ready endpoints at once (P-69, S-154).

    A kubelet that is alive may say Ready of a pod again afterwards: it is right then.
    """
    if not lost and status_is(node, "Ready"):
        return []
    silent = lost or trouble_of(node) == UNREACHABLE
    since = seconds_of((condition_of(node, "Ready") or {}).get("lastTransitionTime"))
    return [
        _unready(view, pod)
        for pod in view.objects.pods_on(node["metadata"]["name"])
        if ready(pod)
        and not finished(pod)
        and (silent or (since is not None and (ready_since(pod) or 0.0) <= since))
    ]


def _unready(view: View, pod: Document) -> Write:
    new = {"type": "Ready", "status": "False", "reason": "NodeNotReady"}
    held: Iterable[Condition] = status_of(pod).get("conditions") or ()
    conditions = with_condition(held, new, when=timestamp(view.now))
    announce = Announce(about=pod, done=("NodeNotReady", "Node is not ready"), type=WARNING)
    changes: Mapping[str, Any] = {"status": {"conditions": conditions}}
    return patch_of(PODS, pod, changes, subresource="status", announce=announce)


class _Concerned:
    """Which nodes a change of one concerns."""

    def __init__(self) -> None:
        self._zones = ZoneCounts()

    def nodes(self, objects: Objects, old: Document | None, new: Document | None) -> Iterable[Key]:
        """The node; when what its zone may do changes with it, all that are in trouble."""
        before, after = (trouble_of(each) if each is not None else None for each in (old, new))
        if before == after or not self._zones_changed(objects, old, new):
            yield Key(NODES, "", present(old, new)["metadata"]["name"])
            return
        every = objects.each(NODES)
        troubled = (node for node in every if trouble_of(node) or has_no_execute(node))
        for name in {n["metadata"]["name"]: None for n in (present(old, new), *troubled)}:
            yield Key(NODES, "", name)

    def _zones_changed(self, objects: Objects, old: Document | None, new: Document | None) -> bool:
        """Whether evictions go faster, slower, or not at all from this change on (P-73)."""
        about = present(old, new)["metadata"]["name"]
        others = [each for each in objects.each(NODES) if each["metadata"]["name"] != about]
        before, after = (
            self._zones.of([*others, each] if each is not None else others) for each in (old, new)
        )
        return _paces(before) != _paces(after)


def _paces(zones: Mapping[str, Zone]) -> tuple[bool, dict[str, float | None]]:
    nodes = sum(zone.ready + zone.unready for zone in zones.values())
    paces = {key: eviction_pause(zone, nodes) for key, zone in zones.items()}
    return evictions_stop(zones), paces


def _node_of_lease(objects: Objects, old: Document | None, new: Document | None) -> Iterable[Key]:
    metadata = present(old, new)["metadata"]
    if metadata.get("namespace") == LEASE_NAMESPACE:
        yield Key(NODES, "", metadata["name"])


def _node_of_pod(objects: Objects, old: Document | None, new: Document | None) -> Iterable[Key]:
    """A pod that says Ready on a node that is not."""
    if new is None or not ready(new):
        return
    node = objects.get(NODES, "", node_of(new))
    if node is not None and not status_is(node, "Ready"):
        yield Key(NODES, "", node_of(new))


def controller() -> Controller:
    """The node lifecycle controller."""
    return Controller(
        name="node-lifecycle",
        component="node-controller",
        reconcile=NodeLifecycle().reconcile,
        watches={NODES: _Concerned().nodes, LEASES: _node_of_lease, PODS: _node_of_pod},
    )
