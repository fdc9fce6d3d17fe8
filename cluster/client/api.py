"""The Kubernetes API over HTTP: a Unix socket on one machine, TLS between machines.

    async with ApiClient.of("unix:RUN/control.sock") as api:
        pods = await api.list(PODS, namespace="shop")

A refusal is an `ApiError`; a server that does not answer is a `ConnectionError` or `TimeoutError`.
"""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, Self

import aiohttp
import orjson

from cluster.client.errors import error_of, event_error
from cluster.client.interface import Document, EventType, Listing, PatchType, WatchEvent
from cluster.client.kubeconfig import read_kubeconfig
from cluster.errors import ConfigError
from cluster.objects.resources import Resource
from cluster.wire.changes import Batch, BatchReader

REQUEST_SECONDS_MAX = 30.0
CONNECT_SECONDS_MAX = 5.0
CONNECTIONS_MAX = 64
EVENT_BYTES_MAX = 16 * 1024 * 1024  # one line of a watch
USER_AGENT = "kubehop/1"
FOLLOW_PATH = "/kubehop/v1/follow"


class ApiClient:
    """An `Api` over aiohttp; one session, closed at the end of `async with`."""

    def __init__(
        self, connector: aiohttp.BaseConnector, base: str, headers: Mapping[str, str] | None = None
    ) -> None:
        self._connector = connector
        self._base = base
        # Answers are read as they come: a server must not pack them.
        self._headers = {
            "User-Agent": USER_AGENT,
            "Accept-Encoding": "identity",
            **(headers or {}),
        }
        self._session: aiohttp.ClientSession | None = None

    @classmethod
    def of(cls, address: str, *, kubeconfig: Path | None = None) -> "ApiClient":
        """A client of `unix:PATH`, or of `https://IP:PORT` with a kubeconfig's credentials."""
        if address.startswith("unix:"):
            path = address.removeprefix("unix:")
            return cls(aiohttp.UnixConnector(path, limit=CONNECTIONS_MAX), "http://control")
        if not address.startswith("https://"):
            raise ConfigError(f"--api {address!r} is neither unix:PATH nor https://IP:PORT")
        if kubeconfig is None:
            raise ConfigError(f"--api {address} needs --kubeconfig: TLS wants credentials")
        credentials = read_kubeconfig(kubeconfig)
        headers = {"Authorization": f"Bearer {credentials.token}"} if credentials.token else {}
        connector = aiohttp.TCPConnector(ssl=credentials.tls(), limit=CONNECTIONS_MAX)
        return cls(connector, address.rstrip("/"), headers)

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=self._connector,
            headers=self._headers,
            timeout=aiohttp.ClientTimeout(
                total=REQUEST_SECONDS_MAX, sock_connect=CONNECT_SECONDS_MAX
            ),
            auto_decompress=False,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._session is not None
        await self._session.close()

    async def get(self, resource: Resource, name: str, *, namespace: str | None = None) -> Document:
        """One object."""
        return await self._document("GET", resource.path(namespace, name))

    async def list(
        self,
        resource: Resource,
        *,
        namespace: str | None = None,
        label_selector: str | None = None,
        field_selector: str | None = None,
    ) -> Listing:
        """All objects that match, and the version from which a watch goes on."""
        query = _query(labelSelector=label_selector, fieldSelector=field_selector)
        answer = await self.call("GET", resource.path(namespace), query=query)
        kind = {"apiVersion": resource.api_version, "kind": resource.kind}
        items = [each if "kind" in each else {**kind, **each} for each in answer["items"] or ()]
        return Listing(items, answer["metadata"]["resourceVersion"])

    async def create(self, resource: Resource, document: Document) -> Document:
        """Create in the document's own namespace."""
        namespace = document["metadata"].get("namespace")
        return await self._document("POST", resource.path(namespace), body=document)

    async def update(
        self, resource: Resource, document: Document, *, subresource: str | None = None
    ) -> Document:
        """Replace."""
        metadata = document["metadata"]
        path = _sub(resource.path(metadata.get("namespace"), metadata["name"]), subresource)
        return await self._document("PUT", path, body=document)

    async def patch(
        self,
        resource: Resource,
        name: str,
        patch: Any,
        *,
        namespace: str | None = None,
        patch_type: PatchType = PatchType.MERGE,
        subresource: str | None = None,
        field_manager: str | None = None,
        force: bool | None = None,
    ) -> Document:
        """Change parts."""
        path = _sub(resource.path(namespace, name), subresource)
        forced = None if force is None else str(force).lower()
        query = _query(fieldManager=field_manager, force=forced)
        return await self._document("PATCH", path, body=patch, query=query, content_type=patch_type)

    async def delete(
        self,
        resource: Resource,
        name: str,
        *,
        namespace: str | None = None,
        grace_seconds: int | None = None,
        uid: str | None = None,
        propagation: str | None = None,
    ) -> Document:
        """Ask for the end of an object."""
        options: dict[str, Any] = {"kind": "DeleteOptions", "apiVersion": "v1"}
        if grace_seconds is not None:
            options["gracePeriodSeconds"] = grace_seconds
        if uid is not None:
            options["preconditions"] = {"uid": uid}
        if propagation is not None:
            options["propagationPolicy"] = propagation
        return await self._document("DELETE", resource.path(namespace, name), body=options)

    async def call(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        query: Mapping[str, str] | None = None,
        content_type: str = "application/json",
    ) -> Any:
        """Any request with a JSON answer; for paths that no verb above names."""
        assert self._session is not None, "an ApiClient is used inside `async with`"
        data = None if body is None else orjson.dumps(body)
        headers = {"Accept": "application/json"}
        if data is not None:
            headers["Content-Type"] = str(content_type)
        try:
            async with self._session.request(
                method, self._base + path, params=query, data=data, headers=headers
            ) as response:
                answer = await response.read()
        except aiohttp.ClientError as error:
            raise self._unreached(error) from error
        if response.status >= 400:
            raise error_of(response.status, response.reason or "", answer)
        try:
            return orjson.loads(answer)
        except orjson.JSONDecodeError as error:
            where = f"{method} {path} with what is no JSON: {answer[:200]!r}"
            raise ConnectionError(f"the API server answers {where}") from error

    async def _document(self, method: str, path: str, **options: Any) -> Document:
        answer: Document = await self.call(method, path, **options)
        return answer

    async def watch(
        self,
        resource: Resource,
        *,
        resource_version: str,
        namespace: str | None = None,
        label_selector: str | None = None,
        field_selector: str | None = None,
    ) -> AsyncIterator[WatchEvent]:
        """Events after `resource_version` until the link ends; ApiError 410 when it is too old."""
        query = _query(
            watch="true",
            resourceVersion=resource_version,
            allowWatchBookmarks="true",
            labelSelector=label_selector,
            fieldSelector=field_selector,
        )
        async for line in _lines(self._stream(resource.path(namespace), query)):
            yield _event(line)

    async def follow(self, node: str) -> AsyncIterator[Batch]:
        """What control tells its nodes instead of watches (control.apiserver.followers)."""
        batches = BatchReader()
        async for chunk in self._stream(FOLLOW_PATH, {"node": node}):
            try:
                for batch in batches.read(chunk):
                    yield batch
            except ValueError as error:
                raise ConnectionError(str(error)) from error

    async def _stream(self, path: str, query: Mapping[str, str]) -> AsyncIterator[bytes]:
        """The body of an answer without end, as it comes."""
        assert self._session is not None, "an ApiClient is used inside `async with`"
        forever = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS_MAX)
        try:
            async with self._session.get(
                self._base + path, params=query, timeout=forever
            ) as response:
                if response.status >= 400:
                    body = await response.read()
                    raise error_of(response.status, response.reason or "", body)
                async for chunk in response.content.iter_any():
                    yield chunk
        except aiohttp.ClientError as error:
            raise self._unreached(error) from error

    def _unreached(self, error: aiohttp.ClientError) -> ConnectionError:
        where = getattr(self._connector, "path", self._base)
        return ConnectionError(f"the API server at {where} does not answer: {error!r}")


async def _lines(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    rest = b""
    async for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n") if rest else chunk.split(b"\n")
        for line in lines:
            if line:
                yield line
        if len(rest) > EVENT_BYTES_MAX:
            raise ConnectionError(f"an event of the watch is longer than {EVENT_BYTES_MAX} bytes")


def _event(line: bytes) -> WatchEvent:
    try:
        event = orjson.loads(line)
        if event["type"] == "ERROR":
            raise event_error(event["object"])
        return WatchEvent(EventType(event["type"]), event["object"])
    except (ValueError, KeyError, TypeError) as error:
        raise ConnectionError(f"the watch sent what is no event: {line[:200]!r}") from error


def _query(**parameters: str | None) -> dict[str, str]:
    return {name: value for name, value in parameters.items() if value is not None}


def _sub(path: str, subresource: str | None) -> str:
    return f"{path}/{subresource}" if subresource else path
