"""The audit log: one line of JSON for each request, as Kubernetes writes at the level Metadata.

Source: kubernetes.io, "Auditing". The file is bounded: when it is full it becomes `FILE.1`, and the
one before is gone. What cannot be written is said in control's own log; no request waits for it.
"""

import logging
import os
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

import orjson
from aiohttp import web

from cluster.aio.clock import Clock
from control.apiserver.access.attributes import verb_of
from control.apiserver.identity import User
from control.apiserver.paths import ResourcePath, parse_path

log = logging.getLogger(__name__)

FILE_BYTES_MAX = 64 * 1024 * 1024
CLIENT_LEFT = 499  # as upstream counts a request whose client did not wait for the answer
# Who asks, and as whom; the application finds out. A request runs in one task, head to end.
ASKER: ContextVar[User | None] = ContextVar("asker", default=None)
ACTOR: ContextVar[User | None] = ContextVar("actor", default=None)

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class AuditLog:
    """One file of requests and how they ended."""

    def __init__(self, path: Path, clock: Clock, bytes_max: int = FILE_BYTES_MAX) -> None:
        self._path = path
        self._clock = clock
        self._bytes_max = bytes_max
        self._file: BinaryIO | None = None
        self._failed = False

    def around(self, handler: Handler) -> Handler:
        """The handler, each of whose answers is written down; a watch when it has ended."""

        async def audited(request: web.BaseRequest) -> web.StreamResponse:
            received = self._clock.now()
            ASKER.set(None)  # of the connection's request before
            ACTOR.set(None)
            code = CLIENT_LEFT  # what it asked may have been done all the same
            try:
                response = await handler(request)
                code = response.status
            finally:
                self.write(entry(request, code, received, self._clock.now()))
            return response

        return audited

    def write(self, line: dict[str, Any]) -> None:
        """Add a line; the first failure is logged, and those after it until one succeeds not."""
        data = orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)
        try:
            self._room_for(len(data)).write(data)
        except OSError as error:
            if not self._failed:
                log.error("the audit log cannot be written path=%s error=%s", self._path, error)
            self._failed = True
            self.close()
        else:
            self._failed = False

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _room_for(self, size: int) -> BinaryIO:
        if self._file is not None and self._file.tell() + size > self._bytes_max:
            self.close()
            self._path.replace(self._path.with_name(f"{self._path.name}.1"))
        if self._file is None:
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            self._file = os.fdopen(descriptor, "ab", buffering=0)
        return self._file


def entry(request: web.BaseRequest, code: int, received: float, done: float) -> dict[str, Any]:
    """The line about one request."""
    path = parse_path(request.path)
    user, actor = ASKER.get(), ACTOR.get()
    return {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "Metadata",
        "auditID": str(UUID(bytes=os.urandom(16), version=4)),
        "stage": "ResponseComplete",
        "requestURI": request.path_qs,
        "verb": verb_of(request.method, path, request.query),
        "user": user.document() if user else {},
        **({"impersonatedUser": actor.document()} if actor and actor != user else {}),
        "userAgent": readable(request.headers.get("User-Agent", "")),
        **({"objectRef": _object(path)} if path else {}),
        "responseStatus": {"code": code},
        "requestReceivedTimestamp": _micro_time(received),
        "stageTimestamp": _micro_time(done),
        "annotations": _media_types(request),
    }


def readable(header: str) -> str:
    """A header's value without the bytes that are no UTF-8, which aiohttp keeps as surrogates."""
    return header.encode("utf-8", "replace").decode()


def _object(path: ResourcePath) -> dict[str, str]:
    named = {
        "resource": path.plural,
        "namespace": path.namespace,
        "name": path.name,
        "apiGroup": path.group,
        "apiVersion": path.version,
        "subresource": path.subresource,
    }
    return {key: value for key, value in named.items() if value}


def _media_types(request: web.BaseRequest) -> dict[str, str]:
    """What clients of different versions differ by: how they wrote and what they would read."""
    told = {
        "kubehop.dev/accept": readable(request.headers.get("Accept", "")),
        "kubehop.dev/content-type": readable(request.headers.get("Content-Type", "")),
    }
    return {key: value for key, value in told.items() if value}


def _micro_time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
