"""ReplicationController: a ReplicaSet's elder, which selects by plain pairs of labels.

Pure: `reconcile` from a view to writes. Source: kubernetes.io, "ReplicationController".
"""

from collections.abc import Iterable, Sequence

from cluster.client.interface import Document
from cluster.objects.resources import PODS, REPLICATION_CONTROLLERS
from control.controllers.definition import Controller, itself
from control.controllers.ownership import controller_of
from control.controllers.replicaset import brought
from control.controllers.selection import selects_exactly
from control.controllers.view import Key, Objects, View, key_of, labels_of, spec_of
from control.controllers.writes import Write


def reconcile(view: View, key: Key) -> Sequence[Write]:
    """Bring one ReplicationController's pods to their number."""
    held = view.objects.at(key)
    if held is None:
        return ()
    return brought(view, as_set(held), REPLICATION_CONTROLLERS)


def as_set(held: Document) -> Document:
    """With its selector spelled as a ReplicaSet's."""
    spec = spec_of(held)
    return {**held, "spec": {**spec, "selector": {"matchLabels": spec.get("selector") or {}}}}


def _of_pod(objects: Objects, old: Document | None, new: Document | None) -> Iterable[Key]:
    """The owner of the pod; for an orphan, whoever may adopt it."""
    for pod in (old, new):
        owner = controller_of(pod) if pod is not None else None
        if pod is not None and owner is not None and owner["kind"] == REPLICATION_CONTROLLERS.kind:
            yield Key(REPLICATION_CONTROLLERS, pod["metadata"]["namespace"], owner["name"])
    if new is not None and controller_of(new) is None:
        for held in objects.each(REPLICATION_CONTROLLERS, new["metadata"]["namespace"]):
            if selects_exactly(spec_of(held).get("selector"), labels_of(new)):
                yield key_of(REPLICATION_CONTROLLERS, held)


def controller() -> Controller:
    """The replication controller manager."""
    return Controller(
        name="replication-controller",
        component="replication-controller",
        tells_refusals=True,
        reconcile=reconcile,
        watches={REPLICATION_CONTROLLERS: itself(REPLICATION_CONTROLLERS), PODS: _of_pod},
    )
