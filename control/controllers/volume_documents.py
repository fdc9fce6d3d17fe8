"""The documents of storage: the class that a new cluster has, and the volumes made for claims.

Pure: documents in, documents out. Source: kubernetes.io, "Storage Classes", "Persistent Volumes".
"""

from typing import Any

from cluster.client.interface import Document
from cluster.objects.resources import STORAGE_CLASSES, VOLUME_CLAIMS, VOLUMES
from control.controllers.view import annotations_of, spec_of, uid_of

DEFAULT_CLASS = "standard"
PROVISIONER = "kubehop.dev/directory"
IS_DEFAULT = "storageclass.kubernetes.io/is-default-class"
PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"
BIND_COMPLETED = "pv.kubernetes.io/bind-completed"
BOUND_BY_CONTROLLER = "pv.kubernetes.io/bound-by-controller"
CLAIM_FINALIZER, VOLUME_FINALIZER = "kubernetes.io/pvc-protection", "kubernetes.io/pv-protection"
DIRECTORY = "/var/lib/kubehop/volumes"  # as the volume says it; each node keeps them in its own


def default_class() -> dict[str, Any]:
    """The class of claims that name none: a directory for each."""
    return {
        "apiVersion": STORAGE_CLASSES.api_version,
        "kind": STORAGE_CLASSES.kind,
        "metadata": {"name": DEFAULT_CLASS, "annotations": {IS_DEFAULT: "true"}},
        "provisioner": PROVISIONER,
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "Immediate",
    }


def is_default(storage_class: Document) -> bool:
    """Whether claims without a class get this one."""
    return annotations_of(storage_class).get(IS_DEFAULT) == "true"


def provisioned(claim: Document, storage_class: Document) -> dict[str, Any]:
    """The volume made for a claim, bound to it from the start."""
    spec, name = spec_of(claim), f"pvc-{uid_of(claim)}"
    return {
        "apiVersion": VOLUMES.api_version,
        "kind": VOLUMES.kind,
        "metadata": {
            "name": name,
            "annotations": {PROVISIONED_BY: PROVISIONER},
            "finalizers": [VOLUME_FINALIZER],
        },
        "spec": {
            "accessModes": list(spec.get("accessModes") or ()),
            "capacity": {"storage": requested(claim)},
            "claimRef": reference(claim),
            "hostPath": {"path": f"{DIRECTORY}/{name}", "type": "DirectoryOrCreate"},
            "persistentVolumeReclaimPolicy": storage_class.get("reclaimPolicy") or "Delete",
            "storageClassName": storage_class["metadata"]["name"],
            "volumeMode": spec.get("volumeMode") or "Filesystem",
        },
    }


def reference(claim: Document) -> dict[str, Any]:
    """The claim, as its volume names it."""
    metadata = claim["metadata"]
    return {
        "apiVersion": VOLUME_CLAIMS.api_version,
        "kind": VOLUME_CLAIMS.kind,
        "namespace": metadata["namespace"],
        "name": metadata["name"],
        "uid": metadata["uid"],
        "resourceVersion": metadata.get("resourceVersion"),
    }


def requested(claim: Document) -> str:
    """How much storage the claim asks for."""
    requests = (spec_of(claim).get("resources") or {}).get("requests") or {}
    return str(requests.get("storage") or "0")
