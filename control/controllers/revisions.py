"""Which ReplicaSet is a Deployment's new one: template hashes, revisions and their annotations.

Pure: no I/O. Spec: P-80, P-85; kubernetes.io, "Deployments", rolling back.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cluster.client.interface import Document
from cluster.objects.resources import DEPLOYMENTS
from control.controllers.ownership import controller_reference
from control.controllers.view import annotations_of, spec_of

HASH_LABEL = "pod-template-hash"
REVISION = "deployment.kubernetes.io/revision"
REVISION_HISTORY = "deployment.kubernetes.io/revision-history"
DESIRED = "deployment.kubernetes.io/desired-replicas"
MAX = "deployment.kubernetes.io/max-replicas"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
OWN_ANNOTATIONS = frozenset({REVISION, REVISION_HISTORY, DESIRED, MAX, LAST_APPLIED})

# No vowels and no look-alikes, so that no suffix spells a word (P-80).
ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
HASH_CHARACTERS = 10


def template_hash(template: Mapping[str, Any], collisions: int) -> str:
    """The pod-template-hash; a collision count gives another one for the same template."""
    text = json.dumps(template, sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(f"{collisions}\0{text}".encode()).digest()
    return "".join(ALPHABET[byte % len(ALPHABET)] for byte in digest[:HASH_CHARACTERS])


def new_set(deployment: Document, sets: Iterable[Document]) -> Document | None:
    """The oldest ReplicaSet that has the Deployment's template, but for the hash label."""
    template = plain_template(spec_of(deployment).get("template") or {})
    same = [
        each for each in sets if plain_template(spec_of(each).get("template") or {}) == template
    ]
    return min(same, key=age_order, default=None)


def plain_template(template: Mapping[str, Any]) -> dict[str, Any]:
    """The template without the hash label and without empty parts."""
    metadata = {**(template.get("metadata") or {})}
    metadata.pop("creationTimestamp", None)
    labels = {k: v for k, v in (metadata.get("labels") or {}).items() if k != HASH_LABEL}
    metadata["labels"] = labels
    return {"metadata": metadata, "spec": template.get("spec") or {}}


def age_order(document: Document) -> tuple[str, str]:
    """Oldest first, by name within one second."""
    metadata = document["metadata"]
    return metadata.get("creationTimestamp") or "", metadata["name"]


def revision_of(document: Document) -> int:
    """The revision number in the annotation; 0 without one."""
    text = annotations_of(document).get(REVISION, "0")
    return int(text) if text.isdecimal() else 0


def next_revision(old: Sequence[Document]) -> int:
    """The revision of the newest ReplicaSet."""
    return 1 + max((revision_of(each) for each in old), default=0)


def set_annotations(
    deployment: Document, existing: Document | None, revision: int, sizes: Mapping[str, str]
) -> dict[str, str]:
    """The annotations of the new ReplicaSet; a revision it had before is remembered."""
    held = dict(annotations_of(existing)) if existing is not None else {}
    copied = {k: v for k, v in annotations_of(deployment).items() if k not in OWN_ANNOTATIONS}
    result = {**held, **copied, **sizes}
    before = revision_of(existing) if existing is not None else 0
    if before < revision:
        result[REVISION] = str(revision)
        if before:
            history = [text for text in held.get(REVISION_HISTORY, "").split(",") if text]
            result[REVISION_HISTORY] = ",".join([*history, str(before)])
    return result


def set_from_template(
    deployment: Document, *, collisions: int, replicas: int, annotations: Mapping[str, str]
) -> dict[str, Any]:
    """The ReplicaSet for the Deployment's present template (P-80)."""
    metadata, spec = deployment["metadata"], spec_of(deployment)
    template = spec.get("template") or {}
    given = template.get("metadata") or {}
    digest = template_hash(plain_template(template), collisions)
    labels = {**(given.get("labels") or {}), HASH_LABEL: digest}
    selector = spec.get("selector") or {}
    matched = {**(selector.get("matchLabels") or {}), HASH_LABEL: digest}
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": f"{metadata['name']}-{digest}",
            "namespace": metadata["namespace"],
            "labels": labels,
            "annotations": dict(annotations),
            "ownerReferences": [controller_reference(DEPLOYMENTS, deployment)],
        },
        "spec": {
            "replicas": replicas,
            **({"minReadySeconds": spec["minReadySeconds"]} if spec.get("minReadySeconds") else {}),
            "selector": {**selector, "matchLabels": matched},
            "template": {**template, "metadata": {**given, "labels": labels}},
        },
    }
