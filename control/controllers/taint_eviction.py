"""Taint eviction: pods that do not tolerate a NoExecute taint leave their node, now or in a while.

Pure: `reconcile` from a view to writes; it remembers since when a pod has lived with a taint.
Spec: P-70 to P-72; kubernetes.io, "Taint based Evictions".
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cluster.client.interface import Document
from cluster.objects.resources import NODES, PODS
from control.controllers.conditions import with_condition
from control.controllers.definition import Controller, itself
from control.controllers.node_taints import (
    NO_EXECUTE,
    NOT_READY,
    UNREACHABLE,
    Taint,
    toleration_matches,
)
from control.controllers.pods import active, node_of
from control.controllers.times import timestamp
from control.controllers.view import Key, Objects, View, key_of, spec_of, status_of, uid_of
from control.controllers.writes import Announce, Delete, LookAgain, Write, patch_of

DEFAULT_SECONDS = 300.0  # P-70, for a pod that says nothing about a node in trouble


class TaintEviction:
    """Remembers since when; bounded by the number of pods on tainted nodes."""

    def __init__(self) -> None:
        self._since: dict[Key, tuple[str, float]] = {}

    def reconcile(self, view: View, key: Key) -> Sequence[Write]:
        """Let one pod stay, stay for a while, or go."""
        pod = view.objects.at(key)
        node = view.objects.get(NODES, "", node_of(pod)) if pod is not None else None
        taints = no_execute_taints(node) if node is not None else []
        if pod is None or not taints or not active(pod):
            self._since.pop(key, None)
            return ()
        seconds = tolerated_seconds(pod, taints)
        if seconds is None:
            self._since.pop(key, None)
            return ()
        left = self._began(view, key, pod) + seconds * view.scale - view.monotonic
        if left > 0:
            return [LookAgain(left)]
        return _evict(view, pod)

    def _began(self, view: View, key: Key, pod: Document) -> float:
        held = self._since.get(key)
        if held is None or held[0] != uid_of(pod):
            held = self._since[key] = uid_of(pod), view.monotonic
        return held[1]


def no_execute_taints(node: Document) -> list[Taint]:
    """The node's NoExecute taints."""
    taints = spec_of(node).get("taints") or ()
    return [taint for taint in taints if taint.get("effect") == NO_EXECUTE]


def tolerated_seconds(pod: Document, taints: Sequence[Taint]) -> float | None:
    """How long the pod may stay with these taints: 0 not at all, None for ever."""
    shortest: float | None = None
    for taint in taints:
        matching = [each for each in tolerations_of(pod) if toleration_matches(each, taint)]
        if not matching:
            return 0.0
        limits = [s for each in matching if (s := each.get("tolerationSeconds")) is not None]
        if limits:
            limit = max(0.0, float(min(limits)))
            shortest = limit if shortest is None else min(shortest, limit)
    return shortest


def tolerations_of(pod: Document) -> list[Mapping[str, Any]]:
    """The pod's tolerations, with the two that every pod has by default (P-70)."""
    given = list(spec_of(pod).get("tolerations") or ())
    defaults = [
        {
            "key": key,
            "operator": "Exists",
            "effect": NO_EXECUTE,
            "tolerationSeconds": DEFAULT_SECONDS,
        }
        for key in (NOT_READY, UNREACHABLE)
        if not any(toleration_matches(e, {"key": key, "effect": NO_EXECUTE}) for e in given)
    ]
    return [*given, *defaults]


def _evict(view: View, pod: Document) -> list[Write]:
    metadata = pod["metadata"]
    condition = {
        "type": "DisruptionTarget",
        "status": "True",
        "reason": "DeletionByTaintManager",
        "message": "Taint manager: deleting due to NoExecute taint",
    }
    held = status_of(pod).get("conditions") or ()
    conditions = with_condition(held, condition, when=timestamp(view.now))
    place = f"{metadata['namespace']}/{metadata['name']}"
    done = ("TaintManagerEviction", f"Marking for deletion Pod {place}")
    return [
        patch_of(PODS, pod, {"status": {"conditions": conditions}}, subresource="status"),
        Delete(
            resource=PODS,
            namespace=metadata["namespace"],
            name=metadata["name"],
            uid=uid_of(pod),
            announce=Announce(about=pod, done=done),
        ),
    ]


def _pods_of_node(objects: Objects, old: Document | None, new: Document | None) -> Iterable[Key]:
    """The node's pods, when its NoExecute taints change."""
    before, after = (no_execute_taints(each) if each is not None else [] for each in (old, new))
    if new is not None and before != after:
        for pod in objects.pods_on(new["metadata"]["name"]):
            yield key_of(PODS, pod)


def controller() -> Controller:
    """The taint eviction controller."""
    return Controller(
        name="taint-eviction",
        component="taint-eviction-controller",
        reconcile=TaintEviction().reconcile,
        watches={PODS: itself(PODS), NODES: _pods_of_node},
    )
