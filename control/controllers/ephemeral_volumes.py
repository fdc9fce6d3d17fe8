"""Generic ephemeral volumes: a claim for each, which goes with its pod.

Pure: `reconcile` from a view to writes. Source: kubernetes.io, "Ephemeral Volumes".
"""

from collections.abc import Iterable, Sequence
from typing import Any

from cluster.client.interface import Document
from cluster.objects.resources import PODS, VOLUME_CLAIMS
from control.controllers.definition import Controller
from control.controllers.ownership import controlled_by, controller_reference
from control.controllers.pods import active
from control.controllers.view import Key, Objects, View, key_of, spec_of
from control.controllers.writes import WARNING, Announce, Create, EmitEvent, Write


def reconcile(view: View, key: Key) -> Sequence[Write]:
    """Make the claims that a pod's volumes want."""
    pod = view.objects.at(key)
    if pod is None or not active(pod):
        return ()
    writes: list[Write] = []
    for volume in _wanted(pod):
        name = f"{key.name}-{volume['name']}"
        held = view.objects.get(VOLUME_CLAIMS, key.namespace, name)
        if held is None:
            announce = Announce(
                about=pod, refused=("FailedCreate", f"ephemeral volume {name}: {{error}}")
            )
            writes.append(Create(VOLUME_CLAIMS, _claim(pod, volume, name), announce))
        elif not controlled_by(held, pod):
            text = f"PVC {key.namespace}/{name} was not created for pod {key.namespace}/{key.name}"
            text += " (pod is not owner)"
            writes.append(EmitEvent(pod, "EphemeralVolumeConflict", text, WARNING))
    return writes


def _claim(pod: Document, volume: Any, name: str) -> dict[str, Any]:
    template = volume["ephemeral"].get("volumeClaimTemplate") or {}
    given = template.get("metadata") or {}
    return {
        "apiVersion": VOLUME_CLAIMS.api_version,
        "kind": VOLUME_CLAIMS.kind,
        "metadata": {
            **{key: given[key] for key in ("labels", "annotations") if given.get(key)},
            "name": name,
            "namespace": pod["metadata"]["namespace"],
            "ownerReferences": [controller_reference(PODS, pod)],
        },
        "spec": template.get("spec") or {},
    }


def _wanted(pod: Document) -> list[Any]:
    return [each for each in spec_of(pod).get("volumes") or () if "ephemeral" in each]


def _pods(objects: Objects, old: Document | None, new: Document | None) -> Iterable[Key]:
    if new is not None and old is None and _wanted(new):
        yield key_of(PODS, new)


def controller() -> Controller:
    """The ephemeral volume controller."""
    return Controller(
        name="ephemeral-volumes",
        component="ephemeral_volume",
        reconcile=reconcile,
        watches={PODS: _pods},
    )
