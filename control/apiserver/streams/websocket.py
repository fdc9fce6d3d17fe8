"""A WebSocket of a request, opened with the subprotocol that was agreed.

No compression; messages up to MESSAGE_BYTES_MAX; what is not read yet holds the client back.
"""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import WSMsgType, web

from cluster.errors import WireError
from control.apiserver import statuses

log = logging.getLogger(__name__)

MESSAGE_BYTES_MAX = 16 * 1024 * 1024
CLOSE_SECONDS = 5.0
NORMAL, PROTOCOL_ERROR = 1000, 1002


class WebSocket:
    """One open WebSocket."""

    def __init__(self, response: web.WebSocketResponse, protocol: str) -> None:
        self.response = response
        self.protocol = protocol

    @classmethod
    @asynccontextmanager
    async def opened(cls, request: web.BaseRequest, protocol: str) -> AsyncIterator["WebSocket"]:
        """Answer 101 (ApiError 400 when the handshake is none); who is at fault is let go."""
        socket = cls(await cls._answered(request, protocol), protocol)
        try:
            yield socket
        except WireError as error:
            log.info("streams ended path=%s error=%s", request.path, error)
            await socket.close(PROTOCOL_ERROR)
        except ConnectionError as error:
            log.debug("streams ended path=%s error=%s", request.path, error)

    @staticmethod
    async def _answered(request: web.BaseRequest, protocol: str) -> web.WebSocketResponse:
        response = web.WebSocketResponse(
            protocols=(protocol,) if protocol else (),
            compress=False,
            max_msg_size=MESSAGE_BYTES_MAX,
            timeout=CLOSE_SECONDS,
        )
        try:
            await response.prepare(request)
        except web.HTTPBadRequest as error:
            raise statuses.bad_request(f"no WebSocket: {error.text}") from error
        return response

    async def receive(self) -> bytes | str | None:
        """The next message; None when the client is gone or at fault."""
        message = await self.response.receive()
        if message.type in (WSMsgType.BINARY, WSMsgType.TEXT):
            data: bytes | str = message.data
            return data
        return None

    async def send(self, message: bytes | str) -> None:
        """Send, and wait while the client is slow; ConnectionError when it is gone."""
        if self.response.closed:
            raise BrokenPipeError("the WebSocket is closed")
        if isinstance(message, str):
            await self.response.send_str(message)
        else:
            await self.response.send_bytes(message)

    async def close(self, code: int = NORMAL) -> None:
        """Close, and wait a little for the client to agree."""
        await self.response.close(code=code)

    # As the bytes below SPDY (`spdy_session.Pipe`): where messages begin and end means nothing.

    async def read(self) -> bytes:
        """The next bytes; b"" at the end."""
        while (message := await self.receive()) is not None:
            if isinstance(message, bytes) and message:
                return message
        return b""

    async def write(self, data: bytes) -> None:
        """Send bytes."""
        await self.send(data)
