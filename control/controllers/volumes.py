"""PersistentVolume: free, bound, or left by its claim; what becomes of it then.

Pure: `reconcile` from a view to writes. Source: kubernetes.io, "Persistent Volumes", reclaiming.
"""

from collections.abc import Iterable, Sequence

from cluster.client.interface import Document
from cluster.objects.resources import VOLUME_CLAIMS, VOLUMES
from control.controllers.definition import Controller, itself
from control.controllers.view import (
    Key,
    Objects,
    View,
    annotations_of,
    deleting,
    spec_of,
    status_of,
    uid_of,
)
from control.controllers.volume_documents import PROVISIONED_BY, PROVISIONER, VOLUME_FINALIZER
from control.controllers.writes import (
    WARNING,
    Absent,
    Announce,
    Delete,
    EmitEvent,
    Write,
    patch_of,
    status_changes,
)


def reconcile(view: View, key: Key) -> Sequence[Write]:
    """Tell how one volume stands, protect it while it is bound, and reclaim it afterwards."""
    volume = view.objects.at(key)
    if volume is None:
        return ()
    phase = phase_of(view.objects, volume)
    finalizers = list(volume["metadata"].get("finalizers") or ())
    if deleting(volume):
        if phase == "Bound" or VOLUME_FINALIZER not in finalizers:
            return ()
        rest = [each for each in finalizers if each != VOLUME_FINALIZER]
        return [patch_of(VOLUMES, volume, {"metadata": {"finalizers": rest or None}})]
    if VOLUME_FINALIZER not in finalizers:
        held = [*finalizers, VOLUME_FINALIZER]
        return [patch_of(VOLUMES, volume, {"metadata": {"finalizers": held}})]
    news = status_changes({"phase": phase}, status_of(volume))
    writes: list[Write] = []
    if news:
        writes.append(patch_of(VOLUMES, volume, {"status": news}, subresource="status"))
    return [*writes, *(_reclaimed(volume, bool(news)) if phase == "Released" else ())]


def phase_of(objects: Objects, volume: Document) -> str:
    """Available, Bound or Released."""
    held = spec_of(volume).get("claimRef")
    if not held or not held.get("uid"):
        return "Available"
    claim = objects.get(VOLUME_CLAIMS, held.get("namespace") or "", held.get("name") or "")
    return "Bound" if claim is not None and uid_of(claim) == held["uid"] else "Released"


def _reclaimed(volume: Document, news: bool) -> list[Write]:
    """Delete what was made here; keep what is to be kept."""
    policy = spec_of(volume).get("persistentVolumeReclaimPolicy") or "Retain"
    if policy != "Delete":
        return []
    if annotations_of(volume).get(PROVISIONED_BY) != PROVISIONER:
        text = "error getting deleter volume plugin for volume "
        name = volume["metadata"]["name"]
        told = EmitEvent(volume, "VolumeFailedDelete", f'{text}"{name}"', WARNING)
        return [told] if news else []
    held = spec_of(volume)["claimRef"]
    claim = Absent(VOLUME_CLAIMS, held["namespace"], held["name"], held["uid"])
    return [
        Delete(
            resource=VOLUMES,
            namespace="",
            name=volume["metadata"]["name"],
            uid=uid_of(volume),
            provided=(claim,),  # another informer may lag
            announce=Announce(about=volume, refused=("VolumeFailedDelete", "{error}")),
        )
    ]


def _of_claim(objects: Objects, old: Document | None, new: Document | None) -> Iterable[Key]:
    """The volume that the claim has or had."""
    names = {spec_of(each).get("volumeName") for each in (old, new) if each is not None}
    for name in names - {None, ""}:
        yield Key(VOLUMES, "", str(name))


def controller() -> Controller:
    """The persistent volume controller's part for volumes, and the protection of bound ones."""
    return Controller(
        name="volumes",
        component="persistentvolume-controller",
        reconcile=reconcile,
        watches={VOLUMES: itself(VOLUMES), VOLUME_CLAIMS: _of_claim},
    )
