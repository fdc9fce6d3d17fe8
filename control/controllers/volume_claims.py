"""PersistentVolumeClaim: a volume for each, found or made, and kept while a pod uses it.

Pure: `reconcile` from a view to writes; one step per look, each step's writes bring the next look.
Source: kubernetes.io, "Persistent Volumes", "Storage Object in Use Protection".
"""

from collections.abc import Iterable, Sequence
from typing import Any

from cluster.client.interface import Document
from cluster.objects.resources import PODS, STORAGE_CLASSES, VOLUME_CLAIMS, VOLUMES
from control.controllers.definition import Controller, itself, present
from control.controllers.pods import finished
from control.controllers.view import (
    Key,
    Objects,
    View,
    annotations_of,
    deleting,
    key_of,
    spec_of,
    status_of,
)
from control.controllers.volume_documents import (
    BIND_COMPLETED,
    BOUND_BY_CONTROLLER,
    CLAIM_FINALIZER,
    PROVISIONER,
    is_default,
    provisioned,
    reference,
)
from control.controllers.volume_match import claimed_by, volume_for
from control.controllers.writes import (
    NORMAL,
    WARNING,
    Announce,
    Create,
    EmitEvent,
    Write,
    patch_of,
    status_changes,
)

NO_CLASS = "no persistent volumes available for this claim and no storage class is set"
FIRST_CONSUMER = "waiting for first consumer to be created before binding"


def reconcile(view: View, key: Key) -> Sequence[Write]:
    """Take one claim a step further."""
    claim = view.objects.at(key)
    if claim is None:
        return ()
    finalizers = list(claim["metadata"].get("finalizers") or ())
    if deleting(claim):
        if CLAIM_FINALIZER not in finalizers or used_by(view.objects, claim):
            return ()
        rest = [each for each in finalizers if each != CLAIM_FINALIZER]
        return [patch_of(VOLUME_CLAIMS, claim, {"metadata": {"finalizers": rest or None}})]
    if CLAIM_FINALIZER not in finalizers:
        held = [*finalizers, CLAIM_FINALIZER]
        return [patch_of(VOLUME_CLAIMS, claim, {"metadata": {"finalizers": held}})]
    spec = spec_of(claim)
    if spec.get("volumeName") and annotations_of(claim).get(BIND_COMPLETED):
        return _bound(view.objects, claim)
    if spec.get("storageClassName") is None and not spec.get("volumeName"):
        chosen = _default(view.objects)
        if chosen is not None:
            name = chosen["metadata"]["name"]
            return [patch_of(VOLUME_CLAIMS, claim, {"spec": {"storageClassName": name}})]
    volume = volume_for(claim, view.objects.each(VOLUMES))
    if volume is not None:
        return _bind(claim, volume)
    return [*_phase(claim, "Pending"), *_wanting(view.objects, claim)]


def used_by(objects: Objects, claim: Document) -> list[Document]:
    """The pods that mount the claim and have not ended."""
    metadata = claim["metadata"]
    return [
        pod
        for pod in objects.each(PODS, metadata["namespace"])
        if not finished(pod) and metadata["name"] in claims_of(pod)
    ]


def claims_of(pod: Document) -> list[str]:
    """The names of the claims that a pod mounts."""
    named: list[str] = []
    for volume in spec_of(pod).get("volumes") or ():
        if "persistentVolumeClaim" in volume:
            named.append(volume["persistentVolumeClaim"]["claimName"])
        elif "ephemeral" in volume:
            named.append(f"{pod['metadata']['name']}-{volume['name']}")
    return named


def _default(objects: Objects) -> Document | None:
    """The newest class that says that it is the default."""
    classes = [each for each in objects.each(STORAGE_CLASSES) if is_default(each)]
    return max(classes, key=_age, default=None)


def _age(storage_class: Document) -> tuple[str, str]:
    metadata = storage_class["metadata"]
    return metadata.get("creationTimestamp") or "", metadata["name"]


def _bind(claim: Document, volume: Document) -> list[Write]:
    """Each names the other: the volume first, for nobody else may have it then."""
    if not (spec_of(volume).get("claimRef") or {}).get("uid"):
        held = spec_of(volume).get("claimRef")
        notes = None if held else {BOUND_BY_CONTROLLER: "yes"}
        changes = {
            "metadata": {"annotations": notes} if notes else {},
            "spec": {"claimRef": reference(claim)},
        }
        return [patch_of(VOLUMES, volume, changes)]
    notes = {BIND_COMPLETED: "yes"}
    if not spec_of(claim).get("volumeName"):
        notes[BOUND_BY_CONTROLLER] = "yes"
    changes = {
        "metadata": {"annotations": notes},
        "spec": {"volumeName": volume["metadata"]["name"]},
    }
    return [patch_of(VOLUME_CLAIMS, claim, changes)]


def _bound(objects: Objects, claim: Document) -> list[Write]:
    name = spec_of(claim)["volumeName"]
    volume = objects.get(VOLUMES, "", name)
    if volume is None or not claimed_by(volume, claim):
        if status_of(claim).get("phase") == "Lost":
            return []
        text = "Bound claim has lost its PersistentVolume. Data on the volume is lost!"
        return [*_phase(claim, "Lost"), EmitEvent(claim, "ClaimLost", text, WARNING)]
    offers = spec_of(volume)
    told = {"accessModes": offers.get("accessModes"), "capacity": offers.get("capacity")}
    return _phase(claim, "Bound", **told)


def _phase(claim: Document, phase: str, **more: Any) -> list[Write]:
    news = status_changes({"phase": phase, **more}, status_of(claim))
    if not news:
        return []
    return [patch_of(VOLUME_CLAIMS, claim, {"status": news}, subresource="status")]


def _wanting(objects: Objects, claim: Document) -> list[Write]:
    """Make a volume, or say why there is none."""
    name = spec_of(claim).get("storageClassName")
    if not name:
        return _told(claim, "FailedBinding", NO_CLASS, NORMAL)
    storage_class = objects.get(STORAGE_CLASSES, "", name)
    if storage_class is None:
        text = f'storageclass.storage.k8s.io "{name}" not found'
        return _told(claim, "ProvisioningFailed", text, WARNING)
    delayed = storage_class.get("volumeBindingMode") == "WaitForFirstConsumer"
    if delayed and not used_by(objects, claim):
        return _told(claim, "WaitForFirstConsumer", FIRST_CONSUMER, NORMAL)
    if storage_class.get("provisioner") != PROVISIONER:
        provisioner = storage_class.get("provisioner")
        text = (
            "Waiting for a volume to be created either by the external provisioner "
            f"'{provisioner}' or manually by the system administrator. If volume creation is "
            "delayed, please verify that the provisioner is running and correctly registered."
        )
        return _told(claim, "ExternalProvisioning", text, NORMAL)
    if spec_of(claim).get("selector"):
        text = "claim Selector is not supported"
        return _told(claim, "ProvisioningFailed", text, WARNING)
    return [_provision(claim, storage_class)]


def _provision(claim: Document, storage_class: Document) -> Create:
    made = provisioned(claim, storage_class)
    name = made["metadata"]["name"]
    announce = Announce(
        about=claim,
        done=("ProvisioningSucceeded", f"Successfully provisioned volume {name}"),
        refused=("ProvisioningFailed", "Failed to create provisioned PV: {error}"),
    )
    return Create(VOLUMES, made, announce)


def _told(claim: Document, reason: str, text: str, kind: str) -> list[Write]:
    """Why it waits; the same words again are counted, not repeated."""
    return [EmitEvent(claim, reason, text, kind)]


def _of_volume(objects: Objects, old: Document | None, new: Document | None) -> Iterable[Key]:
    """The claims that the volume names; for a free one, all that wait."""
    free = False
    for volume in (old, new):
        held = spec_of(volume).get("claimRef") if volume is not None else None
        if held:
            yield Key(VOLUME_CLAIMS, held.get("namespace") or "", held.get("name") or "")
        free = free or (volume is new and new is not None and not held)
    if free:
        yield from _waiting(objects)


def _waiting(objects: Objects) -> Iterable[Key]:
    for claim in objects.each(VOLUME_CLAIMS):
        if not annotations_of(claim).get(BIND_COMPLETED):
            yield key_of(VOLUME_CLAIMS, claim)


def _of_class(objects: Objects, old: Document | None, new: Document | None) -> Iterable[Key]:
    """All claims that wait, when a class comes or changes."""
    if new is not None:
        yield from _waiting(objects)


def _of_pod(objects: Objects, old: Document | None, new: Document | None) -> Iterable[Key]:
    """Claims that are going, when a pod that used them ends; those that wait, when one comes."""
    pod = present(old, new)
    if new is not None and old is not None and finished(old) == finished(new):
        return
    for name in claims_of(pod):
        yield Key(VOLUME_CLAIMS, pod["metadata"]["namespace"], name)


def controller() -> Controller:
    """The persistent volume controller's part for claims, and the protection of claims in use."""
    return Controller(
        name="volume-claims",
        component="persistentvolume-controller",
        reconcile=reconcile,
        workers=1,  # two claims must not take one volume
        watches={
            VOLUME_CLAIMS: itself(VOLUME_CLAIMS),
            VOLUMES: _of_volume,
            STORAGE_CLASSES: _of_class,
            PODS: _of_pod,
        },
    )
