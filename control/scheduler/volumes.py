"""Pods that wait for their storage: no node can take them before it is there.

Pure: no I/O. Source: kubernetes.io, "Persistent Volumes"; the words are kube-scheduler's.
"""

from cluster.client.interface import Document
from cluster.objects.resources import STORAGE_CLASSES, VOLUME_CLAIMS
from control.controllers.view import Objects, deleting, spec_of
from control.controllers.volume_claims import claims_of

UNBOUND = "pod has unbound immediate PersistentVolumeClaims"


def why_not_yet(objects: Objects, pod: Document) -> str | None:
    """What a pod's claims lack, or None."""
    for name in claims_of(pod):
        claim = objects.get(VOLUME_CLAIMS, pod["metadata"]["namespace"], name)
        if claim is None:
            return f'persistentvolumeclaim "{name}" not found'
        if deleting(claim):
            return f'persistentvolumeclaim "{name}" is being deleted'
        if not spec_of(claim).get("volumeName") and not _waits_for_pods(objects, claim):
            return UNBOUND
    return None


def _waits_for_pods(objects: Objects, claim: Document) -> bool:
    """Whether the claim in turn waits for a pod (`WaitForFirstConsumer`)."""
    name = spec_of(claim).get("storageClassName") or ""
    storage_class = objects.get(STORAGE_CLASSES, "", name)
    return (
        storage_class is not None
        and storage_class.get("volumeBindingMode") == "WaitForFirstConsumer"
    )
