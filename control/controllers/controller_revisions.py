"""ControllerRevisions: the templates that a StatefulSet or DaemonSet has had.

Pure: documents in, values out. Spec: P-91, P-92; kubernetes.io, "Performing a Rolling Update".

A revision holds a strategic merge patch that brings its template back: that is what
`kubectl rollout undo` sends. Its number grows with each change, also back to a former template.
"""

import hashlib
import json
from collections.abc import Collection, Mapping
from typing import Any

from cluster.client.interface import Document
from cluster.dataclass import dataclass
from cluster.objects.resources import CONTROLLER_REVISIONS, Resource
from control.controllers.claims import claim
from control.controllers.ownership import controller_reference
from control.controllers.revisions import ALPHABET, HASH_CHARACTERS, LAST_APPLIED
from control.controllers.view import Objects, annotations_of, deleting, spec_of, uid_of
from control.controllers.writes import Create, Delete, Patch, Write

HASH_LABEL = "controller-revision-hash"
OWN_HASH = "controller.kubernetes.io/hash"
HISTORY_DEFAULT = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """A set's revisions, the oldest first, and the writes that bring them up to date."""

    update: str  # the name of the present template's revision
    digest: str  # the hash in that name
    held: tuple[Document, ...]
    writes: tuple[Write, ...]

    def template(self, name: str, present: Mapping[str, Any]) -> Mapping[str, Any]:
        """The template of a revision; the present one where the revision is not known."""
        for each in self.held:
            if each["metadata"]["name"] == name:
                template = dict(each["data"]["spec"]["template"])
                template.pop("$patch", None)
                return template
        return present

    def knows(self, name: str) -> bool:
        """Whether the revision is still there."""
        return any(each["metadata"]["name"] == name for each in self.held)


def history_of(objects: Objects, owner: Document, resource: Resource) -> History:
    """The revisions as they are to be: the present template's is the newest."""
    namespace = owner["metadata"]["namespace"]
    candidates = objects.each(CONTROLLER_REVISIONS, namespace)
    adopted, held = claim(owner, resource, candidates, of=CONTROLLER_REVISIONS)
    held.sort(key=lambda each: (int(each.get("revision") or 0), each["metadata"]["name"]))
    data = revision_data(owner)
    digest = data_hash(data)
    newest = int(held[-1].get("revision") or 0) if held else 0
    same = next((each for each in reversed(held) if each.get("data") == data), None)
    writes: list[Write] = [*adopted]
    name = f"{owner['metadata']['name']}-{digest}"
    if same is not None:
        name = same["metadata"]["name"]
        digest = name.rpartition("-")[2]
        if int(same.get("revision") or 0) < newest:
            changes = {"revision": newest + 1}
            writes.append(Patch(CONTROLLER_REVISIONS, namespace, name, changes))
    elif not deleting(owner):
        made = _revision(owner, resource, name, digest, data, newest + 1)
        writes.append(Create(CONTROLLER_REVISIONS, made))
    return History(update=name, digest=digest, held=tuple(held), writes=tuple(writes))


def forgotten(history: History, owner: Document, used: Collection[str]) -> list[Write]:
    """Revisions that nothing uses and that are more than are kept, the oldest first."""
    limit = spec_of(owner).get("revisionHistoryLimit")
    kept = HISTORY_DEFAULT if limit is None else int(limit)
    live = {*used, history.update}
    idle = [each for each in history.held if each["metadata"]["name"] not in live]
    return [
        Delete(
            resource=CONTROLLER_REVISIONS,
            namespace=each["metadata"]["namespace"],
            name=each["metadata"]["name"],
            uid=uid_of(each),
        )
        for each in idle[: max(0, len(idle) - kept)]
    ]


def revision_data(owner: Document) -> dict[str, Any]:
    """The patch that brings the present template back, its keys in order."""
    template = {**(spec_of(owner).get("template") or {}), "$patch": "replace"}
    ordered: dict[str, Any] = _ordered({"spec": {"template": template}})
    return ordered


def data_hash(data: Mapping[str, Any]) -> str:
    """The hash in a revision's name, in letters that spell no word."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(text.encode()).digest()
    return "".join(ALPHABET[byte % len(ALPHABET)] for byte in digest[:HASH_CHARACTERS])


def _ordered(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _ordered(value[key]) for key in sorted(value)}
    return [_ordered(each) for each in value] if isinstance(value, list) else value


def _revision(
    owner: Document,
    resource: Resource,
    name: str,
    digest: str,
    data: Mapping[str, Any],
    number: int,
) -> dict[str, Any]:
    template = spec_of(owner).get("template") or {}
    labels = {**((template.get("metadata") or {}).get("labels") or {})}
    labels |= {HASH_LABEL: digest, OWN_HASH: digest}
    notes = {k: v for k, v in annotations_of(owner).items() if k != LAST_APPLIED}
    return {
        "apiVersion": CONTROLLER_REVISIONS.api_version,
        "kind": CONTROLLER_REVISIONS.kind,
        "metadata": {
            "name": name,
            "namespace": owner["metadata"]["namespace"],
            "labels": labels,
            **({"annotations": notes} if notes else {}),
            "ownerReferences": [controller_reference(resource, owner)],
        },
        "data": data,
        "revision": number,
    }
