"""The API server's HTTP side: one handler, which reads the path and asks the right part.

Runs on aiohttp's low-level server, without its router: paths are data (`control.apiserver.paths`).
"""

import logging
import random
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from secrets import token_bytes
from typing import Any

from aiohttp import web

from cluster.aio.clock import Clock
from cluster.errors import ApiError
from cluster.objects.resources import PODS, SERVICE_ACCOUNTS
from control.apiserver import statuses
from control.apiserver.access.gate import Gate
from control.apiserver.access.role_book import RoleBook
from control.apiserver.access.service_accounts import ServiceAccounts
from control.apiserver.access.virtual import find_virtual
from control.apiserver.answer import Answer, answer_error, answer_json, warning_headers
from control.apiserver.approvals import APPROVAL
from control.apiserver.audit import ACTOR, ASKER, readable
from control.apiserver.codec import JSON, decode_object, negotiate
from control.apiserver.deprecations import deprecations
from control.apiserver.facts import Facts
from control.apiserver.followers import PATH as FOLLOW_PATH
from control.apiserver.followers import Followers
from control.apiserver.identity import ANONYMOUS, User
from control.apiserver.paths import ResourcePath, flag, parse_path
from control.apiserver.pod_log import PodLogs
from control.apiserver.pod_parts import POD_PARTS
from control.apiserver.reads import Reader
from control.apiserver.registry import Registry
from control.apiserver.streams.pod_streams import STREAMS, PodStreams
from control.apiserver.watch import Watches, WatchRequest, error_line
from control.apiserver.writes import SCALE, STATUS, Request, Writer
from control.resources.kinds import Kind
from control.store.store import StoreFailed

log = logging.getLogger(__name__)

BODY_BYTES_MAX = 3 * 1024 * 1024  # upstream's limit
KUBECONFIG_PATH = "/kubehop/v1/kubeconfig"
NAME_BYTES_MAX = 64  # of a name in a certificate
KubeconfigOf = Callable[[str, Sequence[str]], dict[str, Any]]
TOKEN = "token"  # a service account's
# What a method asks of one object, and of a collection; "" is nothing that anything serves.
VERBS = {
    "GET": ("get", "list"),
    "POST": ("", "create"),
    "PUT": ("update", ""),
    "PATCH": ("patch", ""),
    "DELETE": ("delete", "deletecollection"),
}


class ApiServer:
    """Answers every request of the API."""

    def __init__(
        self,
        registry: Registry,
        logs: PodLogs,
        clock: Clock,
        dice: random.Random,
        *,
        tokens: Mapping[str, User] | None = None,
        account_key: bytes = b"",
    ) -> None:
        self._reader = Reader(registry, clock)
        self._writer = Writer(registry, self._reader)
        self._watches = Watches(registry, self._reader, clock)
        self._facts = Facts(registry.store, registry.catalogue)
        self._followers = Followers(registry.store, clock)
        self._registry = registry
        self._logs = logs
        self._streams = PodStreams(registry.store, logs.kubelets, clock)
        self._dice = dice
        accounts = ServiceAccounts(registry.store, account_key or token_bytes(), clock)
        self._gate = Gate(RoleBook(registry.store), accounts, tokens or {})
        self.kubeconfig_of: KubeconfigOf | None = None  # where certificates can be made
        registry.admit = self._gate.check_written

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """One request."""
        try:
            return await self._handle(request)
        except ApiError as error:
            return _response(answer_error(error))
        except StoreFailed as error:
            log.error("write failed path=%s error=%s", request.path, error)
            return _response(answer_error(statuses.internal(str(error))))
        except (ConnectionError, web.RequestPayloadError):
            raise  # the client is gone
        except Exception:
            log.exception("request failed method=%s path=%s", request.method, request.path)
            return _response(answer_error(_our_fault()))

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        _check_headers(request)
        path = parse_path(request.path)
        asker = self._gate.user_of(request)
        ASKER.set(asker)
        user = self._gate.acting_as(asker, request)
        ACTOR.set(user)
        self._gate.check(user, request, path)
        find = self._registry.catalogue.find
        kind = find(path.group, path.version, path.plural) if path else None
        if path is not None and kind is None and (virtual := find_virtual(path)) is not None:
            return _response(await self._review(request, virtual, path, user))
        if path is None or kind is None:
            if request.path == FOLLOW_PATH and request.method == "GET":
                return await self._follow(request)
            if path is None and request.method in ("GET", "HEAD"):
                return _response(self._fact(request))
            raise statuses.no_such_path()
        _check_scope(kind, path)
        _check_verb(kind, path, request.method)
        if kind.resource == SERVICE_ACCOUNTS and path.subresource == TOKEN:
            return _response(await self._token(request, path))
        if kind.resource == PODS and path.subresource in STREAMS:
            return await self._streams.serve(request, path)
        if request.method == "GET":
            response = await self._read(request, kind, path)
        else:
            response = _response(await self._write(request, kind, path))
        if not response.prepared:
            _warn(response, deprecations(kind))
        return response

    def _fact(self, request: web.BaseRequest) -> Answer:
        if request.path == KUBECONFIG_PATH and self.kubeconfig_of is not None:
            return self._kubeconfig(request)
        accept = request.headers.get("Accept", "")
        known = request.headers.get("If-None-Match", "")
        return self._facts.answer(request.path, accept, request.query, known)

    def _kubeconfig(self, request: web.BaseRequest) -> Answer:
        """A kubeconfig with a certificate for a named user, for who may act as that user."""
        user, groups = request.query.get("user", ""), request.query.getall("group", [])
        if not all(0 < len(each.encode()) <= NAME_BYTES_MAX for each in (user, *groups)):
            words = f"?user=NAME&group=GROUP...: each has 1 to {NAME_BYTES_MAX} bytes"
            raise statuses.bad_request(words)
        assert self.kubeconfig_of is not None
        self._gate.check_becomes(ACTOR.get() or ANONYMOUS, User(user), groups)
        return answer_json(self.kubeconfig_of(user, groups))

    async def _review(
        self, request: web.BaseRequest, kind: Kind, path: ResourcePath, user: User
    ) -> Answer:
        """A question that is asked by creating an object."""
        _check_scope(kind, path)
        _check_verb(kind, path, request.method)
        document = await _object(request)
        named = {"apiVersion": kind.resource.api_version, "kind": kind.resource.kind}
        return answer_json(self._gate.review(kind, path, {**document, **named}, user), 201)

    async def _token(self, request: web.BaseRequest, path: ResourcePath) -> Answer:
        """A token for a service account: TokenRequest."""
        if request.method != "POST":
            raise statuses.method_not_allowed()
        document = await _object(request)
        account = path.namespace or "", path.name or ""
        return answer_json(self._gate.accounts.request(*account, document), 201)

    # -- reads

    async def _read(
        self, request: web.BaseRequest, kind: Kind, path: ResourcePath
    ) -> web.StreamResponse:
        if path.subresource == "log":
            return await self._logs.serve(request, path)
        accepted = negotiate(request.headers.get("Accept", ""))
        if path.subresource not in (None, STATUS, SCALE, APPROVAL, *POD_PARTS):
            raise statuses.method_not_allowed()
        if path.subresource is None and flag(request.query, "watch"):
            watch = WatchRequest.of(
                kind, path.namespace, path.name, request.query, accepted, self._dice
            )
            return await self._watch(request, watch)
        if path.name is None:
            answer = await self._reader.many(kind, path.namespace, request.query, accepted)
            return _response(answer)
        record = self._registry.get(kind, path.namespace, path.name)
        if path.subresource == SCALE:
            include = request.query.get("includeObject", "")
            await self._registry.store.committed()
            return _response(self._reader.scale(kind, record, accepted, include))
        return _response(await self._reader.one(kind, record, accepted, request.query))

    async def _watch(self, request: web.BaseRequest, watch: WatchRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": JSON})
        response.enable_chunked_encoding()
        _warn(response, deprecations(watch.kind))
        await response.prepare(request)
        try:
            await self._watches.serve(watch, response.write, partial(_cut, request))
            await response.write_eof()
        except ConnectionError:
            log.debug("watcher gone path=%s", request.path)
        except Exception:
            log.exception("watch failed path=%s", request.path)
            await response.write(error_line(_our_fault()))  # the answer has begun
        return response

    async def _follow(self, request: web.BaseRequest) -> web.StreamResponse:
        """What one of our nodes follows instead of watches."""
        response = web.StreamResponse(headers={"Content-Type": "application/msgpack"})
        response.enable_chunked_encoding()
        await response.prepare(request)
        try:
            node = request.query.get("node", "")
            await self._followers.serve(node, response.write, partial(_cut, request))
            await response.write_eof()
        except ConnectionError:
            log.debug("follower gone node=%s", request.query.get("node", ""))
        return response

    # -- writes

    async def _write(self, request: web.BaseRequest, kind: Kind, path: ResourcePath) -> Answer:
        body = await _body(request)
        write = Request(
            kind=kind,
            path=path,
            query=request.query,
            content_type=request.headers.get("Content-Type", JSON),
            body=body,
            accepted=negotiate(request.headers.get("Accept", "")),
            user_agent=request.headers.get("User-Agent", ""),
            user=ACTOR.get() or ANONYMOUS,
        )
        verbs = {
            "POST": self._writer.post,
            "PUT": self._writer.put,
            "PATCH": self._writer.patch,
            "DELETE": self._writer.delete,
        }
        return await verbs[request.method](write)


async def _body(request: web.BaseRequest) -> bytes:
    """The body, read up to the limit."""
    if (request.content_length or 0) > BODY_BYTES_MAX:
        raise statuses.too_large(BODY_BYTES_MAX)
    parts: list[bytes] = []
    size = 0
    async for part in request.content.iter_any():
        size += len(part)
        if size > BODY_BYTES_MAX:
            raise statuses.too_large(BODY_BYTES_MAX)
        parts.append(part)
    return b"".join(parts)


async def _object(request: web.BaseRequest) -> dict[str, Any]:
    """The body as one object."""
    return decode_object(request.headers.get("Content-Type", JSON), await _body(request))


def _check_headers(request: web.BaseRequest) -> None:
    """Headers are text: what is none can be neither stored nor quoted."""
    for name, value in request.headers.items():
        if not value.isascii() and readable(value) != value:
            raise statuses.bad_request(f"the header {name} is not UTF-8")


def _our_fault() -> ApiError:
    message = "this is a fault of kubehop; control's log has the traceback"
    return statuses.internal(message)


def _cut(request: web.BaseRequest) -> None:
    """End a connection whose client takes nothing from it."""
    if request.transport is not None:
        request.transport.abort()


def _check_scope(kind: Kind, path: ResourcePath) -> None:
    """A path fits its kind: scope, and a subresource that the kind has."""
    resource = kind.resource
    if path.namespace is not None and not resource.namespaced:
        raise statuses.no_such_path()
    if path.name is not None and resource.namespaced and path.namespace is None:
        raise statuses.no_such_path()
    if path.rest or (path.subresource and path.subresource not in kind.subresources):
        raise statuses.no_such_path()


def _check_verb(kind: Kind, path: ResourcePath, method: str) -> None:
    """A kind serves what is asked of it; of subresources, each handler knows."""
    if method not in VERBS:
        raise statuses.method_not_allowed()
    verb = VERBS[method][path.name is None]
    if path.subresource is None and verb not in kind.verbs:
        raise statuses.method_not_allowed()


def _response(answer: Answer) -> web.Response:
    headers = {**answer.headers, "Content-Type": answer.content_type}
    response = web.Response(body=answer.body, status=answer.code, headers=headers)
    _warn(response, answer.warnings)
    return response


def _warn(response: web.StreamResponse, warnings: Sequence[str]) -> None:
    """kubectl prints these; an answer may have several."""
    for value in warning_headers(warnings):
        response.headers.add("Warning", value)
