"""What controllers see: every watched object, indexed, and the time.

Pure: filled by `control.controllers.caches` from informers and from the answers to our own writes,
so that a controller never acts twice because its cache lags behind what it just did.

Documents are never changed in place. A document is replaced only by a newer one: resourceVersions
of one store are numbers that grow.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from cluster.client.interface import Document
from cluster.dataclass import dataclass
from cluster.objects.resources import PODS, Resource
from control.controllers.label_index import LabelIndex
from control.controllers.selection import selects

# An object that was deleted is remembered by uid for a while: a late answer may still bring it.
GRAVES_MAX = 4096


class Key(NamedTuple):
    """The name of one object, and of the work on it."""

    resource: Resource
    namespace: str  # "" for a resource without namespaces
    name: str

    def __str__(self) -> str:
        place = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"{self.resource.plural}/{place}"


def key_of(resource: Resource, document: Document) -> Key:
    """The key of a document."""
    metadata = document["metadata"]
    return Key(resource, metadata.get("namespace") or "", metadata["name"])


def uid_of(document: Document) -> str:
    """The object's identity; a successor of the same name has another."""
    return str(document["metadata"].get("uid", ""))


def version_of(document: Document) -> int:
    """The resourceVersion as the number that our store makes it."""
    text = str(document["metadata"].get("resourceVersion", "0"))
    return int(text) if text.isdecimal() else 0


def deleting(document: Document) -> bool:
    """Whether somebody asked for the object's deletion."""
    return bool(document["metadata"].get("deletionTimestamp"))


class Objects:
    """All objects by resource, namespace and name; by owner; and pods by node and by label."""

    def __init__(self) -> None:
        self._places: dict[Resource, dict[str, dict[str, Document]]] = {}
        self._dependents: dict[str, dict[Key, None]] = {}
        self._on_node: dict[str, dict[Key, None]] = {}
        self._labelled = LabelIndex[Key]()
        self._graves: dict[str, None] = {}

    def get(self, resource: Resource, namespace: str, name: str) -> Document | None:
        """One object, or None."""
        return self._places.get(resource, {}).get(namespace, {}).get(name)

    def at(self, key: Key) -> Document | None:
        """The object that a key names, or None."""
        return self.get(*key)

    def each(self, resource: Resource, namespace: str | None = None) -> Iterator[Document]:
        """The objects of one namespace, or of all."""
        places = self._places.get(resource, {})
        if namespace is not None:
            yield from places.get(namespace, {}).values()
            return
        for names in places.values():
            yield from names.values()

    def named(self, resource: Resource, name: str) -> Iterator[Document]:
        """The objects of this name in any namespace."""
        for names in self._places.get(resource, {}).values():
            if (held := names.get(name)) is not None:
                yield held

    def resources(self) -> tuple[Resource, ...]:
        """The resources that have or had objects."""
        return tuple(self._places)

    def owned_by(self, uid: str, resource: Resource | None = None) -> list[tuple[Key, Document]]:
        """The objects that name this owner, of one resource or of all."""
        return [
            (key, document)
            for key in self._dependents.get(uid, ())
            if (resource is None or key.resource == resource)
            and (document := self.at(key)) is not None
        ]

    def pods_on(self, node: str) -> list[Document]:
        """The pods bound to a node, finished ones too."""
        return [pod for key in self._on_node.get(node, ()) if (pod := self.at(key)) is not None]

    def pods_selected(
        self, namespace: str, selector: Mapping[str, Any] | None
    ) -> Iterator[Document]:
        """The pods of a namespace that a label selector selects; none for None."""
        if selector is None:
            return
        for pod in self._pods_with(namespace, selector.get("matchLabels") or {}):
            if selects(selector, labels_of(pod)):
                yield pod

    def pods_to_claim(self, owner: Document) -> list[Document]:
        """The pods that an owner has, and those that its selector selects."""
        held = dict(self.owned_by(uid_of(owner), PODS))
        selector = spec_of(owner).get("selector")
        for pod in self.pods_selected(owner["metadata"]["namespace"], selector):
            held[key_of(PODS, pod)] = pod
        return list(held.values())

    def put(self, resource: Resource, document: Document) -> bool:
        """Take a document in unless it is older than what is here; whether it was taken."""
        key, uid = key_of(resource, document), uid_of(document)
        held = self.at(key)
        if uid in self._graves or (held is not None and _not_newer(document, held)):
            return False
        if held is not None:
            self._forget(key, held)
        self._places.setdefault(resource, {}).setdefault(key.namespace, {})[key.name] = document
        for owner in document["metadata"].get("ownerReferences") or ():
            self._dependents.setdefault(owner["uid"], {})[key] = None
        if resource == PODS:
            self._labelled.put(key, key.namespace, labels_of(document))
            if node := document.get("spec", {}).get("nodeName"):
                self._on_node.setdefault(node, {})[key] = None
        return True

    def remove(self, resource: Resource, document: Document) -> bool:
        """Take an object out, unless a successor of its name is here; whether it was here."""
        key, uid = key_of(resource, document), uid_of(document)
        self._bury(uid)
        held = self.at(key)
        if held is None or uid_of(held) != uid:
            return False
        self._forget(key, held)
        del self._places[resource][key.namespace][key.name]
        return True

    def mark_deleting(self, key: Key, uid: str, when: str) -> None:
        """Show an object as being deleted, from our own request on."""
        held = self.at(key)
        if held is None or uid_of(held) != uid or deleting(held):
            return
        metadata = {**held["metadata"], "deletionTimestamp": when}
        self._places[key.resource][key.namespace][key.name] = {**held, "metadata": metadata}

    def _forget(self, key: Key, document: Document) -> None:
        for owner in document["metadata"].get("ownerReferences") or ():
            _discard(self._dependents, owner["uid"], key)
        if key.resource == PODS:
            self._labelled.remove(key, key.namespace, labels_of(document))
            _discard(self._on_node, document.get("spec", {}).get("nodeName") or "", key)

    def _pods_with(self, namespace: str, labels: Mapping[str, str]) -> Iterator[Document]:
        """Pods with at least one of the labels: the rarest; without labels, all."""
        if not labels:
            yield from self.each(PODS, namespace)
            return
        for key in self._labelled.candidates(namespace, labels):
            if (pod := self.at(key)) is not None:
                yield pod

    def _bury(self, uid: str) -> None:
        self._graves[uid] = None
        if len(self._graves) > GRAVES_MAX:
            del self._graves[next(iter(self._graves))]


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What one `reconcile` is given."""

    objects: Objects
    now: float  # seconds since 1970, for timestamps
    monotonic: float  # for durations: does not jump, stands still while a laptop sleeps
    scale: float = 1.0  # by what Kubernetes' own periods are multiplied
    refusal: str = ""  # what the API said to the plan of the look just before: tell how it stands


def _not_newer(document: Document, held: Document) -> bool:
    return uid_of(document) == uid_of(held) and version_of(document) <= version_of(held)


def _discard(index: dict[str, dict[Key, None]], at: str, key: Key) -> None:
    keys = index.get(at)
    if keys is not None:
        keys.pop(key, None)
        if not keys:
            del index[at]


def labels_of(document: Document) -> Mapping[str, str]:
    """The object's labels."""
    return document["metadata"].get("labels") or {}


def annotations_of(document: Document) -> Mapping[str, str]:
    """The object's annotations."""
    return document["metadata"].get("annotations") or {}


def spec_of(document: Document) -> Mapping[str, Any]:
    """What is wished."""
    return document.get("spec") or {}


def status_of(document: Document) -> Mapping[str, Any]:
    """What is."""
    return document.get("status") or {}
