"""What the API server does when a CustomResourceDefinition is written: the catalogue follows.

The names are given in the same turn of the loop that stores a definition, so that its kind is
served, and in discovery, before the answer is sent. What knows schemas is imported when there is a
first definition: without any, this costs one look into the store.
"""

import logging
from collections.abc import Iterator, Mapping
from typing import Any

from cluster.client.interface import Document
from cluster.objects.resources import CUSTOM_RESOURCE_DEFINITIONS, Resource
from control.apiserver import statuses
from control.resources.catalogue import Catalogue
from control.resources.kinds import Kind
from control.store.record import ObjectKey
from control.store.store import Store

log = logging.getLogger(__name__)

KEY = CUSTOM_RESOURCE_DEFINITIONS.group, CUSTOM_RESOURCE_DEFINITIONS.plural


class CustomResources:
    """Keeps a catalogue equal to the definitions in a store."""

    def __init__(self, store: Store, catalogue: Catalogue) -> None:
        self._store = store
        self._catalogue = catalogue
        self.restore()

    def restore(self) -> None:
        """Serve what the store defines, and nothing else."""
        records = self._store.list(KEY)
        stored = {each.key.name for each in records}
        for name in self._catalogue.definitions - stored:
            self._catalogue.define(name, ())
        for record in records:
            self._define(record.key.name, record.document)

    def named(self, definition: Document, now: str) -> dict[str, Any]:
        """A definition that is about to be stored, with the names that it gets."""
        from control.resources.custom.acceptance import accepted

        return {**definition, "status": accepted(definition, self._others(definition), now)}

    def going(self, definition: Document, now: str) -> Document:
        """A definition whose deletion is asked for."""
        from control.resources.custom.acceptance import going

        return going(definition, now)

    def follow(self, name: str) -> None:
        """A definition was stored or taken out: serve what it says now."""
        record = self._store.get(KEY, ObjectKey("", name))
        if record is not None:
            self._define(name, record.document)
            return
        keys = {(kind.stored.group, kind.stored.plural) for kind in self._catalogue.of(name)}
        self._catalogue.define(name, ())
        for key in keys:
            self._store.feed(key).close()  # whoever watched lists anew, and finds nothing served

    def _define(self, name: str, definition: Mapping[str, Any]) -> None:
        from control.resources.custom.served import kinds_of

        try:
            self._catalogue.define(name, kinds_of(definition))
        except (KeyError, TypeError, ValueError) as error:
            # of a store that an older kubehop wrote: what it took, this one may not be able to read
            log.error("definition not served name=%s error=%r", name, error)
            self._catalogue.define(name, ())

    def _others(self, definition: Document) -> Iterator[Document]:
        """Every other definition, and the built-in kinds of its group as if they were defined."""
        for record in self._store.list(KEY):
            yield record.document
        group = definition["spec"]["group"]
        for kind in self._catalogue.built_in:
            if kind.resource.group == group:
                yield _as_definition(kind)


def check_creatable(kind: Kind) -> None:
    """ApiError 405 where a definition is going, and takes its objects along."""
    if kind.custom is not None and kind.custom.terminating:
        words = "create not allowed while custom resource definition is terminating"
        raise statuses.method_not_allowed(words)


def is_definition(resource: Resource) -> bool:
    """Whether writes of it change what is served."""
    return (resource.group, resource.plural) == KEY


def _as_definition(kind: Kind) -> Document:
    names = {
        "plural": kind.resource.plural,
        "singular": kind.singular,
        "kind": kind.resource.kind,
        "listKind": f"{kind.resource.kind}List",
        "shortNames": list(kind.short_names),
    }
    return {
        "metadata": {"name": ""},
        "spec": {"group": kind.resource.group},
        "status": {"acceptedNames": names},
    }
