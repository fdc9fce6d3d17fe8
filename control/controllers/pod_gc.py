"""Pod garbage collection: pods of nodes that no longer exist.

Pure: `reconcile` from a view to writes. Spec: P-72, P-77.
"""

from collections.abc import Iterable, Sequence

from cluster.client.interface import Document
from cluster.objects.resources import NODES, PODS
from control.controllers.definition import Controller, present
from control.controllers.pods import node_of
from control.controllers.times import seconds_of
from control.controllers.view import Key, Objects, View, key_of, status_of, uid_of
from control.controllers.writes import Absent, Announce, Delete, LookAgain, Write

# A pod that no node has taken yet may name one that is about to join.
QUARANTINE_SECONDS = 40.0


def reconcile(view: View, key: Key) -> Sequence[Write]:
    """Delete a pod at once when its node is gone: nobody is left to stop it gracefully."""
    pod = view.objects.at(key)
    node = node_of(pod) if pod is not None else ""
    if pod is None or not node or view.objects.get(NODES, "", node) is not None:
        return ()
    left = 0.0 if status_of(pod).get("startTime") else _quarantine_left(view, pod)
    if left > 0:
        return [LookAgain(left)]
    text = f"PodGC: node {node} no longer exists"
    return [
        Delete(
            resource=PODS,
            namespace=key.namespace,
            name=key.name,
            uid=uid_of(pod),
            grace_seconds=0,
            provided=(Absent(NODES, "", node, ""),),
            announce=Announce(about=pod, done=("DeletionByPodGC", text)),
        )
    ]


def _quarantine_left(view: View, pod: Document) -> float:
    created = seconds_of(pod["metadata"].get("creationTimestamp")) or 0.0
    return created + QUARANTINE_SECONDS * view.scale - view.now


def _bound(objects: Objects, old: Document | None, new: Document | None) -> Iterable[Key]:
    if new is not None and objects.get(NODES, "", node_of(new)) is None and node_of(new):
        yield key_of(PODS, new)


def _of_gone_node(objects: Objects, old: Document | None, new: Document | None) -> Iterable[Key]:
    if new is None:
        for pod in objects.pods_on(present(old, new)["metadata"]["name"]):
            yield key_of(PODS, pod)


def controller() -> Controller:
    """The pod garbage collector."""
    return Controller(
        name="pod-gc", reconcile=reconcile, watches={PODS: _bound, NODES: _of_gone_node}
    )
