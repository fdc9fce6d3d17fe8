"""What a controller is: a name, what it looks at, and a pure function.

Pure: values and functions. To add a controller: write its file, add its row in
`control.controllers.all_controllers`, and its test.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from cluster.client.interface import Document
from cluster.dataclass import dataclass
from cluster.objects.resources import Resource
from control.controllers.view import Key, Objects, View, key_of
from control.controllers.writes import Write

WORKERS = 8

Reconcile = Callable[[View, Key], Sequence[Write]]
KeysOf = Callable[[Objects, Document | None, Document | None], Iterable[Key]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Controller:
    """One controller."""

    name: str
    reconcile: Reconcile
    watches: Mapping[Resource, KeysOf]  # which keys a change (old, new) of a resource concerns
    watches_custom: Callable[[Resource], KeysOf] | None = None  # the same, of custom resources
    workers: int = WORKERS  # 1 where two keys draw from one pool
    tells_refusals: bool = False  # looks again with `View.refusal`, to bring the status up to date
    component: str = ""  # as its Events name their source; "": the controller manager


def itself(resource: Resource) -> KeysOf:
    """The key of the changed object itself."""

    def keys(objects: Objects, old: Document | None, new: Document | None) -> Iterable[Key]:
        return (key_of(resource, present(old, new)),)

    return keys


def present(old: Document | None, new: Document | None) -> Document:
    """The newest document of a change."""
    document = new if new is not None else old
    assert document is not None, "a change with neither an old nor a new document"
    return document
