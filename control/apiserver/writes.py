"""POST, PUT, PATCH and DELETE on kinds and their subresources."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from cluster.client.interface import Document
from cluster.dataclass import dataclass
from cluster.errors import ApiError
from cluster.objects.resources import NAMESPACES, PODS
from control.apiserver import statuses
from control.apiserver.answer import Answer, answer_json
from control.apiserver.approvals import APPROVAL, SIGNING_REQUESTS, decisions_only
from control.apiserver.changes import is_apply, patch_of, replacement
from control.apiserver.codec import Accepted, decode_body, decode_object
from control.apiserver.duplicates import duplicate_fields
from control.apiserver.eviction import Evictions
from control.apiserver.field_managers import check_manager
from control.apiserver.identity import ADMIN, User
from control.apiserver.options import DeleteOptions, ListOptions, WriteOptions
from control.apiserver.paths import ResourcePath
from control.apiserver.pod_parts import POD_PARTS
from control.apiserver.reads import Reader
from control.apiserver.registry import Registry, Written
from control.apiserver.selection import Selection
from control.apiserver.versions import as_asked
from control.resources.kinds import Kind
from control.resources.scale import read_scale, write_scale
from control.resources.strategy import delete_answer
from control.store.record import Record

STATUS, SCALE, BINDING, FINALIZE = "status", "scale", "binding", "finalize"
EVICTION = "eviction"


@dataclass(frozen=True, slots=True)
class Request:
    """A write as it arrived."""

    kind: Kind
    path: ResourcePath
    query: Mapping[str, str]
    content_type: str
    body: bytes
    accepted: Accepted
    user_agent: str
    user: User = ADMIN

    @property
    def options(self) -> WriteOptions:
        """How to write."""
        options = WriteOptions.of(self.query, self.user_agent, self._options_kind)
        check_manager(options, applies=is_apply(self.content_type))
        return replace(options, user=self.user)

    def options_for(self, body: Any) -> WriteOptions:
        """How to write this, which was the body: with what it has twice."""
        return replace(self.options, duplicates=duplicate_fields(self.body, body))

    @property
    def _options_kind(self) -> str:
        """What refusals of options call them."""
        if self.path.name is None:
            return "CreateOptions"
        return "PatchOptions" if "patch" in self.content_type else "UpdateOptions"

    @property
    def name(self) -> str:
        """The object's name; a collection has none, and no such verb."""
        if self.path.name is None:
            raise statuses.method_not_allowed()
        return self.path.name


class Writer:
    """Writes for the HTTP interface."""

    def __init__(self, registry: Registry, reader: Reader) -> None:
        self._registry = registry
        self._reader = reader
        self._evictions = Evictions(registry)

    async def post(self, request: Request) -> Answer:
        """Create an object, or a binding."""
        if request.path.subresource == BINDING and request.kind.resource == PODS:
            return await self._bind(request)
        if request.path.subresource == EVICTION and request.kind.resource == PODS:
            return await self._evict(request)
        if request.path.name is not None:
            raise statuses.method_not_allowed()
        sent = decode_object(request.content_type, request.body)
        document, options = _typed(request.kind, sent), request.options_for(sent)
        written = await self._registry.create(
            request.kind, request.path.namespace, document, options
        )
        return self._shown(request, written, 201)

    async def put(self, request: Request) -> Answer:
        """Replace an object or its subresource."""
        document = decode_object(request.content_type, request.body)
        if request.path.subresource == SCALE:
            return await self._scale(request, replacement(document))
        options = request.options_for(document)
        return await self._update(request, replacement(_typed(request.kind, document)), options)

    async def patch(self, request: Request) -> Answer:
        """Change parts of an object or its subresource."""
        content_type = request.content_type
        if is_apply(content_type):
            return await self._apply(request)
        patch = decode_body(content_type, request.body)
        change = patch_of(request.kind, content_type, patch)
        if request.path.subresource == SCALE:
            return await self._scale(request, change)
        return await self._update(request, change, request.options_for(patch))

    async def delete(self, request: Request) -> Answer:
        """Delete an object, or all that a collection's selectors choose."""
        if request.path.subresource is not None:
            raise statuses.method_not_allowed()
        body = decode_object(request.content_type, request.body) if request.body else None
        options = DeleteOptions.of(request.query, body)
        if request.path.name is None:
            return await self._delete_many(request, options)
        written = await self._registry.delete(
            request.kind, request.path.namespace, request.name, options
        )
        if not written.gone or delete_answer(request.kind) == "object":
            return self._shown(request, written, 200)
        metadata = written.record.document["metadata"]
        details = statuses.details_of(request.kind.resource, request.name)
        return answer_json(statuses.success({**details, "uid": metadata["uid"]}))

    # -- inside

    async def _update(
        self, request: Request, change: Callable[[Document], Document], options: WriteOptions
    ) -> Answer:
        subresource = request.path.subresource
        if subresource in POD_PARTS and request.kind.resource == PODS:
            change = POD_PARTS[subresource](change)
        elif subresource == APPROVAL and request.kind.resource == SIGNING_REQUESTS:
            change, subresource = decisions_only(change), STATUS
        elif subresource not in (None, STATUS, FINALIZE):
            raise statuses.method_not_allowed()
        if subresource == FINALIZE and request.kind.resource != NAMESPACES:
            raise statuses.no_such_path()
        written = await self._registry.update(
            request.kind,
            request.path.namespace,
            request.name,
            change,
            options,
            subresource=subresource,
        )
        return self._shown(request, written, 200)

    async def _apply(self, request: Request) -> Answer:
        """Server-side apply; the body is YAML by name, and mostly JSON."""
        if request.path.subresource not in (None, STATUS, SCALE):
            raise statuses.method_not_allowed()
        config = decode_object(request.content_type, request.body)
        if request.path.subresource == SCALE:
            return await self._apply_scale(request, config)
        written = await self._registry.apply(
            request.kind,
            request.path.namespace,
            request.name,
            config,
            request.options_for(config),
            subresource=request.path.subresource,
        )
        return self._shown(request, written, 201 if written.created else 200)

    async def _apply_scale(self, request: Request, scale: Document) -> Answer:
        """A Scale applied is its number applied to the object that is there."""
        kind, namespace, name = request.kind, request.path.namespace, request.name
        self._registry.get(kind, namespace, name)
        metadata = _checked_scale(scale).get("metadata") or {}
        config = write_scale(kind, _typed(kind, {"metadata": metadata}), scale)
        options = replace(request.options_for(scale), endpoint=SCALE)
        written = await self._registry.apply(kind, namespace, name, config, options)
        return self._reader.scale(kind, written.record, request.accepted)

    async def _scale(self, request: Request, change: Callable[[Document], Document]) -> Answer:
        kind = request.kind

        def scaled(old: Document) -> Document:
            before = read_scale(kind, old)
            after = _checked_scale(change(before))
            wanted = (after.get("metadata") or {}).get("resourceVersion")
            if wanted not in (None, "", old["metadata"]["resourceVersion"]):
                raise statuses.modified(kind.resource, request.name)
            return write_scale(kind, old, after)

        options = replace(request.options, endpoint=SCALE)
        written = await self._registry.update(
            kind, request.path.namespace, request.name, scaled, options
        )
        return self._reader.scale(kind, written.record, request.accepted)

    async def _bind(self, request: Request) -> Answer:
        body = decode_object(request.content_type, request.body)
        target = body.get("target")
        node = str(target.get("name", "")) if isinstance(target, dict) else ""
        await self._registry.bind(
            request.path.namespace or "", request.name, node, dry_run=request.options.dry_run
        )
        return answer_json(statuses.success(), 201)

    async def _evict(self, request: Request) -> Answer:
        eviction = decode_object(request.content_type, request.body)
        namespace = request.path.namespace or ""
        done = await self._evictions.evict(namespace, request.name, eviction, request.query)
        return answer_json(done, 201)

    async def _delete_many(self, request: Request, options: DeleteOptions) -> Answer:
        kind = request.kind
        if kind.resource.namespaced and request.path.namespace is None:
            raise statuses.method_not_allowed()
        chosen = ListOptions.of(request.query)
        selection = Selection(kind, chosen.labels, chosen.fields)
        records = self._registry.list(kind, request.path.namespace, selection)
        items: list[Any] = []
        for record in records:
            written = await self._deleted(kind, record, options)
            if written is not None:
                items.append(as_asked(kind, written.record).document)
        resource = kind.resource
        metadata = {"resourceVersion": str(self._registry.store.version)}
        return answer_json(
            {
                "kind": f"{resource.kind}List",
                "apiVersion": resource.api_version,
                "metadata": metadata,
                "items": items,
            }
        )

    async def _deleted(self, kind: Kind, record: Record, options: DeleteOptions) -> Written | None:
        """One of many; None where somebody else was faster."""
        namespace, name = record.key.namespace or None, record.key.name
        try:
            return await self._registry.delete(kind, namespace, name, options)
        except ApiError as error:
            if error.reason != "NotFound":
                raise
            return None

    def _shown(self, request: Request, written: Written, code: int) -> Answer:
        answer = self._reader.show(request.kind, written.record, request.accepted, "", code)
        if not written.warnings:
            return answer
        return Answer(
            answer.body, answer.code, answer.content_type, warnings=tuple(written.warnings)
        )


def _typed(kind: Kind, document: dict[str, Any]) -> dict[str, Any]:
    """With apiVersion and kind, which the path says where the body does not."""
    resource = kind.resource
    return {
        **document,
        "apiVersion": document.get("apiVersion") or resource.api_version,
        "kind": document.get("kind") or resource.kind,
    }


def _checked_scale(scale: Document) -> Document:
    """A Scale whose parts are what they are to be: it has no schema of its own."""
    for field in ("metadata", "spec"):
        if not isinstance(scale.get(field) or {}, dict):
            raise statuses.bad_request(f"Scale: {field} is not an object")
    replicas = (scale.get("spec") or {}).get("replicas")
    if replicas is not None and type(replicas) is not int:
        raise statuses.bad_request("Scale: spec.replicas is not a whole number")
    return scale
