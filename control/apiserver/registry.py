"""The verbs on stored objects, the same for every kind: a kind is data, not code.

Every verb decides in one turn of the loop on what the store holds, so that no two writes can
interleave; then it waits until the store says that the write lasts.
"""

import random
from collections.abc import Callable
from dataclasses import field, replace
from typing import Any

import orjson

from cluster.aio.clock import Clock
from cluster.client.interface import Document
from cluster.dataclass import dataclass
from cluster.errors import PoolExhausted
from cluster.objects.resources import NAMESPACES, PODS, SERVICES, Resource
from control.apiserver import statuses
from control.apiserver.approvals import SIGNING_REQUESTS, requested_by
from control.apiserver.custom_resources import CustomResources, check_creatable, is_definition
from control.apiserver.deletion import decide_deletion, may_go
from control.apiserver.field_managers import applied, check_applier, with_creator, with_updater
from control.apiserver.identity import User
from control.apiserver.options import DeleteOptions, FieldValidation, WriteOptions
from control.apiserver.owner_references import without_duplicates
from control.apiserver.pods import admitted, bound
from control.apiserver.preconditions import (
    check_identity,
    check_mortal,
    check_namespace,
    check_preconditions,
)
from control.apiserver.quotas import within_limits
from control.apiserver.selection import Selection
from control.apiserver.stamps import stamped, timestamp
from control.resources.catalogue import Catalogue
from control.resources.kinds import Kind
from control.resources.service_addresses import Rejected, ServiceAddresses
from control.resources.strategy import (
    prepare_create,
    prepare_update,
    prune,
    type_faults,
    validate_create,
    validate_update,
    write_warnings,
)
from control.store.record import ObjectKey, Record
from control.store.store import Store, StoreFailed

NAME_ATTEMPTS = 8  # for generateName: upstream tries eight times

Transform = Callable[[Document], Document]


# ApiError where a user may not write an object as it will be; old is None for a new one.
Admit = Callable[[User, Kind, Document, Document | None], None]

Warnings = list[str]  # named, for the class below has a `list` of its own


@dataclass(frozen=True, slots=True)
class Written:
    """The answer to a write: the object's new state, and what the client is to be warned of."""

    record: Record
    warnings: list[str] = field(default_factory=list)
    gone: bool = False  # after a deletion: it is out of the store
    changed: bool = True
    created: bool = False  # by an apply


class Registry:
    """Create, read, replace, delete."""

    def __init__(
        self,
        store: Store,
        addresses: ServiceAddresses,
        clock: Clock,
        dice: random.Random,
        catalogue: Catalogue | None = None,
    ) -> None:
        self.store = store
        self.catalogue = catalogue or Catalogue()
        self._custom = CustomResources(store, self.catalogue)
        self._addresses = addresses
        self._clock = clock
        self._dice = dice
        pods = self.catalogue.find(PODS.group, PODS.version, PODS.plural)
        assert pods is not None, "the kinds lack pods"
        self._pods = pods
        self.admit: Admit = _anything

    def now(self) -> str:
        """The time, as objects carry it."""
        return timestamp(self._clock.now())

    # -- reading

    def get(self, kind: Kind, namespace: str | None, name: str) -> Record:
        """One object; ApiError 404."""
        record = self.store.get(key_of(kind), ObjectKey(namespace or "", name))
        if record is None:
            raise statuses.not_found(kind.resource, name)
        return record

    def list(self, kind: Kind, namespace: str | None, selection: Selection) -> list[Record]:
        """The objects that are selected, by namespace and name."""
        records = self.store.list(key_of(kind), namespace)
        if selection.everything:
            return records
        return [record for record in records if selection.wants(record)]

    # -- writing

    async def create(
        self, kind: Kind, namespace: str | None, document: Document, options: WriteOptions
    ) -> Written:
        """A new object."""
        resource, rules = kind.resource, kind.rules
        if resource.namespaced and not namespace:
            raise statuses.bad_request("an empty namespace may not be set during creation")
        check_creatable(kind)
        _check_kind(resource, document)
        pruned, warnings = _pruned(kind, document, options)
        check_namespace(resource, pruned, namespace)
        if resource == SIGNING_REQUESTS:
            pruned = requested_by(pruned, options.user)
        now = timestamp(self._clock.now())
        named = _by_rules(kind, self._named(kind, pruned, namespace, now))
        made = prepare_create(rules, named)
        name = str(made["metadata"].get("name", ""))
        _reject(resource, name, validate_create(rules, made))
        self._check_place(kind, namespace, name)
        if (pruned.get("metadata") or {}).get("resourceVersion"):
            raise statuses.modified(resource, name)  # what is new has none (S-169)
        warnings += write_warnings(rules, made)
        self.admit(options.user, kind, made, None)
        made = dict(rules.to_stored(with_creator(kind, made, options, now)))
        if is_definition(resource):
            made = self._custom.named(made, now)
        if resource == PODS:
            made = admitted(made, self.store)
        made = within_limits(self.store, kind.stored, made)
        if resource == SERVICES:
            made = self._with_addresses(
                name, lambda: self._addresses.admit_create(made, dry_run=options.dry_run)
            )
        if options.dry_run:
            return Written(_unsaved(made, self.store.version), warnings)
        record = self._put(kind, made)
        await self._lasting(kind)
        return Written(record, warnings)

    async def update(
        self,
        kind: Kind,
        namespace: str | None,
        name: str,
        transform: Transform,
        options: WriteOptions,
        *,
        subresource: str | None = None,
    ) -> Written:
        """Replace an object by what `transform` makes of it; nothing changed is nothing written."""
        resource, rules = kind.resource, kind.rules
        old = self.get(kind, namespace, name)
        given = transform(kind.from_stored(old.document))
        _check_kind(resource, given)
        pruned, warnings = _pruned(kind, given, options)
        check_identity(resource, pruned, old)
        before = rules.from_stored(old.document)
        new = prepare_update(rules, _by_rules(kind, pruned), before, subresource=subresource)
        checked = subresource is None or kind.custom is not None
        if checked and not _same(new, before):
            _reject(resource, name, validate_update(rules, new, before))
            warnings += write_warnings(rules, new)
            if resource == SERVICES:
                new = self._with_addresses(
                    name,
                    lambda: self._addresses.admit_update(
                        new, old.document, dry_run=options.dry_run
                    ),
                )
        now = self.now()
        if is_definition(resource):
            new = self._custom.named(new, now)
        self.admit(options.user, kind, new, before)
        kept = with_updater(kind, before, new, pruned, options, now, subresource or "")
        return await self._replace(kind, old, rules.to_stored(kept), options, warnings)

    async def apply(
        self,
        kind: Kind,
        namespace: str | None,
        name: str,
        document: Document,
        options: WriteOptions,
        *,
        subresource: str | None = None,
    ) -> Written:
        """Apply a configuration: to the object, or as a new one."""
        resource = kind.resource
        check_applier(options, document)
        _check_kind(resource, document)
        config, warnings = _pruned(kind, document, options)
        metadata = config.get("metadata") or {}
        if metadata.get("name", name) != name:
            words = f"the name of the object ({metadata['name']}) does not match the name on the "
            raise statuses.bad_request(f"{words}URL ({name})")
        told = replace(options, applied=config, duplicates=())
        if subresource is None and not self._exists(kind, namespace, name):
            if uid := metadata.get("uid"):
                words = f"uid mismatch: the provided object specified uid {uid}, and no existing "
                raise statuses.conflict(resource, name, words + "object was found")
            named = {**config, "metadata": {**metadata, "name": name}}
            written = await self.create(kind, namespace, named, told)
            return replace(written, created=True, warnings=[*warnings, *written.warnings])

        def transform(old: Document) -> Document:
            return applied(kind, old, config, options, self.now(), subresource or "")

        written = await self.update(kind, namespace, name, transform, told, subresource=subresource)
        return replace(written, warnings=[*warnings, *written.warnings])

    async def bind(self, namespace: str, name: str, node: str, *, dry_run: bool = False) -> Written:
        """Put a pod on a node, once (P-45)."""
        kind = self._pods
        old = self.get(kind, namespace, name)
        new = bound(old.document, node, timestamp(self._clock.now()))
        return await self._replace(kind, old, new, WriteOptions(dry_run=dry_run), [])

    async def delete(
        self, kind: Kind, namespace: str | None, name: str, options: DeleteOptions
    ) -> Written:
        """Take an object out, or mark it as going."""
        resource = kind.resource
        check_mortal(resource, name)
        old = self.get(kind, namespace, name)
        check_preconditions(resource, old, options)
        now = timestamp(self._clock.now())
        held = self._custom.going(old.document, now) if is_definition(resource) else old.document
        deletion = decide_deletion(resource, held, options, now)
        if options.dry_run:
            return Written(_unsaved(deletion.document, old.version), gone=deletion.gone)
        if not deletion.gone and deletion.document == old.document:
            await self.store.committed()
            return Written(old, changed=False)
        record = self._store(kind, old, deletion.document, gone=deletion.gone)
        await self._lasting(kind)
        return Written(record, gone=deletion.gone)

    # -- inside

    async def _replace(
        self, kind: Kind, old: Record, new: Document, options: WriteOptions, warnings: Warnings
    ) -> Written:
        if _same(new, old.document):
            await self.store.committed()
            return Written(old, warnings, changed=False)
        gone = may_go(kind.resource, new)
        if options.dry_run:
            return Written(_unsaved(new, old.version), warnings)
        record = self._store(kind, old, new, gone=gone)
        await self._lasting(kind)
        return Written(record, warnings, gone=gone)

    async def _lasting(self, kind: Kind) -> None:
        """Wait for the commit; what it takes back is taken from what follows the store too."""
        try:
            await self.store.committed()
        except StoreFailed:
            if kind.resource == SERVICES:
                stored = self.store.list(key_of(kind))
                self._addresses.restore([each.document for each in stored])
            if is_definition(kind.resource):
                self._custom.restore()
            raise

    def _store(self, kind: Kind, old: Record, new: Document, *, gone: bool) -> Record:
        if not gone:
            return self._put(kind, new)
        if kind.resource == SERVICES:
            self._addresses.release(old.document)
        record = self.store.remove(key_of(kind), old.key, new)
        if is_definition(kind.resource):
            self._custom.follow(old.key.name)
        return record

    def _put(self, kind: Kind, document: Document) -> Record:
        record = self.store.put(key_of(kind), document)
        if is_definition(kind.resource):
            self._custom.follow(record.key.name)
        return record

    def _named(self, kind: Kind, document: Document, namespace: str | None, now: str) -> Document:
        """With metadata; a generated name that is taken is drawn again."""
        for _ in range(NAME_ATTEMPTS):
            made = stamped(document, namespace=namespace, now=now, dice=self._dice)
            name = made["metadata"].get("name", "")
            if (document.get("metadata") or {}).get("name") or not self._exists(
                kind, namespace, name
            ):
                break
        return made

    def _exists(self, kind: Kind, namespace: str | None, name: str) -> bool:
        return self.store.get(key_of(kind), ObjectKey(namespace or "", name)) is not None

    def _check_place(self, kind: Kind, namespace: str | None, name: str) -> None:
        """The namespace is there and not going; the name is free."""
        if namespace is not None:
            holder = self.store.get(("", NAMESPACES.plural), ObjectKey("", namespace))
            if holder is None:
                raise statuses.not_found(NAMESPACES, namespace)
            if "deletionTimestamp" in holder.document["metadata"]:
                why = (
                    f"unable to create new content in namespace {namespace} "
                    "because it is being terminated"
                )
                raise statuses.forbidden(kind.resource, name, why, "NamespaceTerminating")
        if self._exists(kind, namespace, name):
            raise statuses.already_exists(kind.resource, name)

    def _with_addresses(self, name: str, admit: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        try:
            return admit()
        except Rejected as error:
            raise statuses.invalid(SERVICES, name, error.causes) from error
        except PoolExhausted as error:
            raise statuses.internal(str(error)) from error


def _anything(user: User, kind: Kind, new: Document, old: Document | None) -> None:
    """No objection: nobody looks at what users write."""


def key_of(kind: Kind) -> tuple[str, str]:
    """The store's key of a kind: its versions share their objects."""
    return kind.stored.group, kind.stored.plural


def _by_rules(kind: Kind, document: Document) -> Document:
    """A document in the version by whose rules it is completed and checked."""
    return document if kind.rules is kind else kind.to_stored(document)


def _pruned(kind: Kind, document: Document, options: WriteOptions) -> tuple[Document, list[str]]:
    """Without unknown fields, which are refused, told, or ignored; a wrong type is refused."""
    resource = kind.resource
    unreadable = f'{resource.kind} in version "{resource.version}" cannot be handled as a '
    unreadable += f"{resource.kind}: "
    pruned, paths = prune(kind, document)
    faults = type_faults(kind, pruned)
    if faults:
        said = ", ".join(f"{each.field}: {each.message}" for each in faults)
        raise statuses.bad_request(unreadable + said)
    unknown = options.odd_fields(paths)
    if unknown and options.field_validation is FieldValidation.STRICT:
        words = f"strict decoding error: {', '.join(unknown)}"
        raise statuses.bad_request(unreadable + words)
    told = unknown if options.field_validation is FieldValidation.WARN else []
    once, warnings = without_duplicates(pruned)
    return once, [*told, *warnings]


def _reject(resource: Resource, name: str, causes: list[Any]) -> None:
    if causes:
        raise statuses.invalid(resource, name, causes)


def _check_kind(resource: Resource, document: Document) -> None:
    given = document.get("apiVersion"), document.get("kind")
    if given != (resource.api_version, resource.kind):
        words = f"the API version in the data ({given[0]}, Kind={given[1]}) does not match the "
        words += f"expected API version ({resource.api_version}, Kind={resource.kind})"
        raise statuses.bad_request(words)


def _same(new: Document, old: Document) -> bool:
    """Whether nothing but perhaps the resourceVersion differs."""
    ours, theirs = dict(new["metadata"]), dict(old["metadata"])
    ours.pop("resourceVersion", None)
    theirs.pop("resourceVersion", None)
    return ours == theirs and {**new, "metadata": 0} == {**old, "metadata": 0}


def _unsaved(document: Document, version: int) -> Record:
    """What a dry run shows."""
    metadata = document["metadata"]
    key = ObjectKey(metadata.get("namespace", ""), metadata["name"])
    return Record(key, version, document, orjson.dumps(document))
