"""In front of aiohttp on every listener: lets a request for SPDY turn its connection into streams.

aiohttp reads whatever follows a request's head as the next request, unless the upgrade is one it
knows. So the first head of each connection is looked at here. Any other than SPDY's goes to aiohttp
as it came, and the front is gone; with SPDY's, aiohttp gets the head alone and serves it as ever
(who asks, whether he may, errors as Status), what follows waits here, and a handler that agrees
takes the connection over. Only a connection's first request can: clients open one for each.

A first head that is not there in HEAD_SECONDS (upstream's figure) ends the connection.

What is no HTTP, and that a client has gone, aiohttp logs as errors of the server; they are the
client's, and no more than a line for who looks for it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, cast

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from cluster.aio.channels import taken_over
from control.apiserver.streams.negotiation import asks_spdy

HEAD_SECONDS = 32.0
HEAD_BYTES_MAX = 128 * 1024  # a command is part of its request's first line
Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
_END = b"\r\n\r\n"

THE_CLIENTS_FAULTS = (HttpProcessingError, web.RequestPayloadError, ConnectionError)
log = logging.getLogger(__name__)


def _lower_the_clients_faults(record: logging.LogRecord) -> bool:
    """A filter: what aiohttp could not read is told as a detail, without a trace."""
    error = record.exc_info[1] if record.exc_info else None
    if not isinstance(error, THE_CLIENTS_FAULTS):
        return True
    record.levelno, record.levelname = logging.DEBUG, "DEBUG"
    record.msg, record.exc_info = f"{record.msg}: {type(error).__name__}", None
    return log.isEnabledFor(logging.DEBUG)


log.addFilter(_lower_the_clients_faults)


class FrontServer(web.Server):
    """aiohttp's low-level server, behind fronts."""

    def __init__(self, handler: Handler, **options: Any) -> None:
        limits = {"max_line_size": HEAD_BYTES_MAX, "max_field_size": HEAD_BYTES_MAX}
        super().__init__(_last_if_held(handler), **{**limits, "logger": log, **options})

    def __call__(self) -> "Front":  # type: ignore[override]
        return Front(cast(asyncio.Protocol, super().__call__()))


class Front(asyncio.Protocol):
    """One connection until its first head is read, and longer where that asks for SPDY."""

    __slots__ = ("_handed", "_handler", "_held", "_timer", "_transport")

    def __init__(self, handler: asyncio.Protocol) -> None:
        self._handler = handler
        self._held = b""
        self._handed = False  # aiohttp has the head

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's do not inherit from it
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(HEAD_SECONDS, self._transport.abort)
        self._handler.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        known = len(self._held)
        self._held = held = self._held + data if known else data
        if self._handed:
            if len(held) > HEAD_BYTES_MAX:
                self._transport.pause_reading()
            return
        end = held.find(_END, max(0, known - len(_END)))
        if end < 0 and len(held) <= HEAD_BYTES_MAX:
            return
        self._timer.cancel()
        if end >= 0 and asks_spdy(held[:end]):
            self._handed = True
            self._held = held[end + len(_END) :]
            self._handler.data_received(held[: end + len(_END)])
        else:
            self._transport.set_protocol(self._handler)
            self._handler.data_received(held)

    def take(self, greeting: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """The connection becomes its taker's."""
        return taken_over(self._transport, self._handler, greeting, self._held)

    def eof_received(self) -> bool | None:
        return self._handler.eof_received()

    def pause_writing(self) -> None:
        self._handler.pause_writing()

    def resume_writing(self) -> None:
        self._handler.resume_writing()

    def connection_lost(self, error: Exception | None) -> None:
        self._timer.cancel()
        self._handler.connection_lost(error)


def _last_if_held(handler: Handler) -> Handler:
    """The handler, whose answer is a connection's last where the front holds back what follows."""

    async def handled(request: web.BaseRequest) -> web.StreamResponse:
        response = await handler(request)
        if front_of(request) is not None:
            response.force_close()
        return response

    return handled


def front_of(request: web.BaseRequest) -> Front | None:
    """The front that holds a request's connection; None where it is aiohttp's alone."""
    protocol = request.transport.get_protocol() if request.transport is not None else None
    return protocol if isinstance(protocol, Front) else None
