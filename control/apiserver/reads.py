"""GET of one object and of collections, in the form that the client accepts."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from cluster.aio.clock import Clock
from cluster.client.interface import Document
from cluster.objects.resources import Resource
from control.apiserver import statuses
from control.apiserver.answer import Answer
from control.apiserver.codec import Accepted, Form, encode
from control.apiserver.options import ListOptions
from control.apiserver.pages import Page, Pages
from control.apiserver.registry import Registry, key_of
from control.apiserver.resource_versions import list_version, not_yet, number_of
from control.apiserver.selection import Selection
from control.apiserver.tables import table
from control.apiserver.versions import as_asked
from control.resources.kinds import Kind
from control.resources.scale import read_scale
from control.store.feed import Expired
from control.store.record import Record

PLAIN = Accepted()
SCALES = Kind(Resource("autoscaling", "v1", "scales", "Scale"), "scale")  # served below others only


class Reader:
    """Reads for the HTTP interface."""

    def __init__(self, registry: Registry, clock: Clock) -> None:
        self._registry = registry
        self._clock = clock
        self._pages = Pages()

    async def one(
        self, kind: Kind, record: Record, accepted: Accepted, query: Mapping[str, str]
    ) -> Answer:
        """One object, once it is durable."""
        self._reached(number_of(query.get("resourceVersion", "")))
        await self._registry.store.committed()
        return self.show(kind, record, accepted, query.get("includeObject", ""))

    def _reached(self, version: int | None) -> None:
        held = self._registry.store.version
        if version is not None and version > held:
            raise not_yet(version, held)

    def show(
        self,
        kind: Kind,
        record: Record,
        accepted: Accepted = PLAIN,
        include: str = "",
        code: int = 200,
    ) -> Answer:
        """An object in the form that is accepted."""
        if accepted == PLAIN:
            return Answer(as_asked(kind, record).body, code)
        document = self.form(kind, [record], accepted, include, single=True)
        return Answer(encode(document, accepted), code, accepted.content_type)

    def scale(
        self, kind: Kind, record: Record, accepted: Accepted = PLAIN, include: str = ""
    ) -> Answer:
        """How many replicas an object wants and has."""
        document = read_scale(kind, as_asked(kind, record).document)
        shown = Record(record.key, record.version, document, encode(document, PLAIN))
        return self.show(SCALES, shown, accepted, include)

    async def many(
        self,
        kind: Kind,
        namespace: str | None,
        query: Mapping[str, str],
        accepted: Accepted,
    ) -> Answer:
        """A page of a collection."""
        options = ListOptions.of(query)
        version, exact = list_version(query)
        self._reached(version)
        page = self._page(kind, namespace, options, version if exact else None)
        await self._registry.store.committed()
        if accepted == PLAIN:
            return Answer(_list_body(kind, page))
        metadata = _metadata(page)
        include = query.get("includeObject", "")
        if accepted.form is Form.TABLE:
            rows = self.form(kind, page.records, accepted, include)
            return Answer(encode({**rows, "metadata": metadata}, accepted))
        items = [_shown(kind, each, accepted) for each in page.records]
        document = {**_list_kind(kind, accepted), "metadata": metadata, "items": items}
        return Answer(encode(document, accepted), 200, accepted.content_type)

    def form(
        self,
        kind: Kind,
        records: Sequence[Record],
        accepted: Accepted,
        include: str,
        *,
        single: bool = False,
        with_columns: bool = True,
    ) -> dict[str, Any]:
        """A table of objects, or the one object as accepted."""
        if accepted.form is not Form.TABLE:
            return _shown(kind, records[0], accepted)
        rows = table(
            kind,
            [as_asked(kind, each).document for each in records],
            now=datetime.fromtimestamp(self._clock.now(), UTC),
            include_object=include or "Metadata",
            resource_version=str(records[0].version) if single and records else "",
            with_columns=with_columns,
        )
        return {**rows, "apiVersion": f"meta.k8s.io/{accepted.version}"}

    def _page(
        self, kind: Kind, namespace: str | None, options: ListOptions, at: int | None
    ) -> Page:
        now = self._clock.monotonic()
        # With the fields, for who may list one name only must not go on in a list of all.
        place = (*key_of(kind), namespace, options.fields)
        if options.continue_token:
            return self._pages.next(place, options.continue_token, options.limit, now)
        selection = Selection(kind, options.labels, options.fields)
        store = self._registry.store
        if at is None:
            records = self._registry.list(kind, namespace, selection)
            return self._pages.first(place, records, store.version, options.limit, now)
        try:
            then = store.list_at(key_of(kind), at, namespace)
        except Expired:
            words = f"The provided resource version is too old: {at}"
            raise statuses.expired(words) from None
        records = [each for each in then if selection.wants(each)]
        return self._pages.first(place, records, at, options.limit, now)


def _metadata(page: Page) -> dict[str, Any]:
    metadata: dict[str, Any] = {"resourceVersion": str(page.version)}
    if page.token:
        metadata |= {"continue": page.token, "remainingItemCount": page.remaining}
    return metadata


def _list_body(kind: Kind, page: Page) -> bytes:
    """The list, joined of bodies that were encoded when they were written."""
    head = encode({**_list_kind(kind, PLAIN), "metadata": _metadata(page)}, PLAIN)
    bodies = (as_asked(kind, each).body for each in page.records)
    return b'%b,"items":[%b]}' % (head[:-1], b",".join(bodies))


def _list_kind(kind: Kind, accepted: Accepted) -> dict[str, str]:
    if accepted.form is Form.METADATA:
        version = f"meta.k8s.io/{accepted.version}"
        return {"kind": "PartialObjectMetadataList", "apiVersion": version}
    resource = kind.resource
    listed = (kind.custom.list_kind if kind.custom else "") or f"{resource.kind}List"
    return {"kind": listed, "apiVersion": resource.api_version}


def _shown(kind: Kind, record: Record, accepted: Accepted) -> dict[str, Any]:
    document: Document = as_asked(kind, record).document
    if accepted.form is not Form.METADATA:
        return dict(document)
    return {
        "kind": "PartialObjectMetadata",
        "apiVersion": f"meta.k8s.io/{accepted.version}",
        "metadata": document["metadata"],
    }
