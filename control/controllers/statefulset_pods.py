"""The pods of a StatefulSet: their names, their claims on storage, and what each is made of.

Pure: documents in, documents and writes out. Spec: P-88, P-90, P-92; kubernetes.io, "StatefulSets".
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cluster.client.interface import Document
from cluster.objects.resources import PODS, STATEFUL_SETS, VOLUME_CLAIMS, Resource
from control.controllers.controller_revisions import HASH_LABEL
from control.controllers.ownership import owners_of
from control.controllers.pod_template import pod_from, with_labels
from control.controllers.view import Objects, labels_of, spec_of, uid_of
from control.controllers.writes import WARNING, Announce, Create, Delete, EmitEvent, Write, patch_of

NAME_LABEL = "statefulset.kubernetes.io/pod-name"
INDEX_LABEL = "apps.kubernetes.io/pod-index"
_NUMBERED = re.compile(r"(.+)-(\d+)")


def ordinal_of(name: str, pod: Document) -> int | None:
    """The pod's number in the set of this name; None for one that is no member."""
    match = _NUMBERED.fullmatch(pod["metadata"]["name"])
    return int(match[2]) if match and match[1] == name else None


def revision_name(pod: Document) -> str:
    """The revision that the pod was made of."""
    return labels_of(pod).get(HASH_LABEL, "")


def creation(
    objects: Objects, owner: Document, ordinal: int, revision: str, template: Mapping[str, Any]
) -> list[Write]:
    """A member, and the claims that it has not got yet (P-88, P-90)."""
    pod = member(owner, ordinal, revision, template)
    announce = Announce(
        about=owner,
        done=("SuccessfulCreate", f"create Pod {{name}} in StatefulSet {_name(owner)} successful"),
        refused=(
            "FailedCreate",
            f"create Pod {pod['metadata']['name']} in StatefulSet {_name(owner)} failed "
            "error: {error}",
        ),
    )
    return [*claims(objects, owner, ordinal), Create(PODS, pod, announce)]


def member(
    owner: Document, ordinal: int, revision: str, template: Mapping[str, Any]
) -> dict[str, Any]:
    """The pod with this number."""
    name = f"{_name(owner)}-{ordinal}"
    pod = pod_from(template, STATEFUL_SETS, owner, name=name)
    labels = {NAME_LABEL: name, INDEX_LABEL: str(ordinal), HASH_LABEL: revision}
    spec = {**pod["spec"], "hostname": name}
    if spec_of(owner).get("serviceName"):
        spec["subdomain"] = spec_of(owner)["serviceName"]
    own = [
        {
            "name": each["metadata"]["name"],
            "persistentVolumeClaim": {"claimName": _claim_name(each, name)},
        }
        for each in _claim_templates(owner)
    ]
    if own:
        names = {each["name"] for each in own}
        kept = [each for each in spec.get("volumes") or () if each["name"] not in names]
        spec["volumes"] = [*own, *kept]
    return with_labels({**pod, "spec": spec}, labels)


def claims(objects: Objects, owner: Document, ordinal: int) -> list[Write]:
    """The claims of a member that are missing; those that are there are what it finds again."""
    pod = f"{_name(owner)}-{ordinal}"
    namespace = owner["metadata"]["namespace"]
    writes: list[Write] = []
    for template in _claim_templates(owner):
        name = _claim_name(template, pod)
        held = objects.get(VOLUME_CLAIMS, namespace, name)
        if held is None:
            claim = f"Claim {name} Pod {pod} in StatefulSet {_name(owner)}"
            announce = Announce(
                about=owner,
                done=("SuccessfulCreate", f"create {claim} success"),
                refused=("FailedCreate", f"create {claim} failed error: {{error}}"),
            )
            writes.append(Create(VOLUME_CLAIMS, _claim(owner, template, name), announce))
    return writes


def retention(objects: Objects, owner: Document, ordinals: Iterable[int]) -> list[Write]:
    """Claims go with the set, or stay when it goes, as its retention policy says."""
    with_set = _policy(owner).get("whenDeleted") == "Delete"
    writes: list[Write] = []
    for claim in _held(objects, owner, ordinals):
        owned = any(each.get("uid") == uid_of(owner) for each in owners_of(claim))
        if owned != with_set:
            writes.append(_owned(claim, STATEFUL_SETS, owner, owned=with_set))
    return writes


def removal(objects: Objects, owner: Document, pod: Document, ordinal: int) -> list[Write]:
    """A member that is no longer wished; its claims go with it if the retention policy says so."""
    writes: list[Write] = []
    if _policy(owner).get("whenScaled") == "Delete":
        for claim in _held(objects, owner, [ordinal]):
            if all(each.get("uid") != uid_of(pod) for each in owners_of(claim)):
                writes.append(_owned(claim, PODS, pod, owned=True))
    return [*writes, deletion(owner, pod)]


def deletion(owner: Document, pod: Document) -> Delete:
    """Delete a member, and say so."""
    metadata = pod["metadata"]
    words = f"in StatefulSet {_name(owner)}"
    announce = Announce(
        about=owner,
        done=("SuccessfulDelete", f"delete Pod {{name}} {words} successful"),
        refused=(
            "FailedDelete",
            f"delete Pod {metadata['name']} {words} failed error: {{error}}",
        ),
    )
    return Delete(
        resource=PODS,
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=uid_of(pod),
        announce=announce,
    )


def replacement(owner: Document, pod: Document) -> list[Write]:
    """A member that ended is made anew: first it goes."""
    metadata = owner["metadata"]
    failed = (pod.get("status") or {}).get("phase") == "Failed"
    word = "failed" if failed else "terminated"
    text = f"StatefulSet {metadata['namespace']}/{metadata['name']} is recreating {word} Pod "
    reason = "RecreatingFailedPod" if failed else "RecreatingTerminatedPod"
    event = EmitEvent(owner, reason, text + pod["metadata"]["name"], WARNING)
    return [event, deletion(owner, pod)]


def _name(owner: Document) -> str:
    return str(owner["metadata"]["name"])


def _claim_templates(owner: Document) -> Sequence[Mapping[str, Any]]:
    return list(spec_of(owner).get("volumeClaimTemplates") or ())


def _claim_name(template: Mapping[str, Any], pod: str) -> str:
    return f"{template['metadata']['name']}-{pod}"


def _claim(owner: Document, template: Mapping[str, Any], name: str) -> dict[str, Any]:
    given = template["metadata"]
    labels = (spec_of(owner).get("selector") or {}).get("matchLabels") or {}
    metadata: dict[str, Any] = {
        "name": name,
        "namespace": owner["metadata"]["namespace"],
        "labels": {**(given.get("labels") or {}), **labels},
    }
    if given.get("annotations"):
        metadata["annotations"] = given["annotations"]
    if _policy(owner).get("whenDeleted") == "Delete":
        metadata["ownerReferences"] = [_reference(STATEFUL_SETS, owner)]
    return {
        "apiVersion": VOLUME_CLAIMS.api_version,
        "kind": VOLUME_CLAIMS.kind,
        "metadata": metadata,
        "spec": template.get("spec") or {},
    }


def _policy(owner: Document) -> Mapping[str, Any]:
    return spec_of(owner).get("persistentVolumeClaimRetentionPolicy") or {}


def _held(objects: Objects, owner: Document, ordinals: Iterable[int]) -> list[Document]:
    namespace = owner["metadata"]["namespace"]
    names = [
        _claim_name(template, f"{_name(owner)}-{ordinal}")
        for ordinal in ordinals
        for template in _claim_templates(owner)
    ]
    found = (objects.get(VOLUME_CLAIMS, namespace, name) for name in names)
    return [claim for claim in found if claim is not None]


def _reference(resource: Resource, owner: Document) -> dict[str, Any]:
    return {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "name": owner["metadata"]["name"],
        "uid": uid_of(owner),
    }


def _owned(claim: Document, resource: Resource, owner: Document, *, owned: bool) -> Write:
    others = [each for each in owners_of(claim) if each.get("uid") != uid_of(owner)]
    references = [*others, _reference(resource, owner)] if owned else others
    return patch_of(VOLUME_CLAIMS, claim, {"metadata": {"ownerReferences": references or None}})
