"""A small ASGI server: lifespan and HTTP, on top of aiohttp's HTTP protocol.

Source: ASGI 3.0 specification, HTTP & WebSocket 2.3 and Lifespan 2.0. WebSockets are refused (501).
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from aiohttp import web

from node_agent.workloads.serving import serve_handler
from node_agent.workloads.workload import EXIT_FAILED, ContainerContext

Message = MutableMapping[str, Any]
Application = Callable[
    [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]],
    Awaitable[None],
]

CHUNK_BYTES_MAX = 64 * 1024
HOP_BY_HOP = (b"transfer-encoding", b"connection", b"keep-alive")


async def serve_asgi(ctx: ContainerContext, program: Application, port: int) -> int:
    """Run the application's lifespan around an HTTP server."""
    lifespan = Lifespan(program)
    failure = await lifespan.startup()
    if failure:
        print(f"application startup failed: {failure}", file=ctx.stderr)
        return EXIT_FAILED

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        return await Exchange(request, lifespan.state).run(program)

    try:
        return await serve_handler(ctx, answer, [port])
    finally:
        await lifespan.shutdown()


class Lifespan:
    """Startup and shutdown; an application without them is left alone."""

    def __init__(self, program: Application) -> None:
        self.state: dict[str, Any] = {}
        self._program = program
        self._to_program: asyncio.Queue[Message] = asyncio.Queue(1)
        self._from_program: asyncio.Queue[Message] = asyncio.Queue(1)
        self._task: asyncio.Task[None] | None = None

    async def startup(self) -> str:
        """Start it; why it failed, or ""."""
        self._task = asyncio.create_task(self._run(), name="asgi lifespan")
        await self._to_program.put({"type": "lifespan.startup"})
        answer = await self._from_program.get()
        if answer["type"] == "lifespan.startup.failed":
            return str(answer.get("message") or "no message")
        return ""

    async def shutdown(self) -> None:
        """Let it shut down, if it still runs."""
        if self._task is None or self._task.done():
            return
        await self._to_program.put({"type": "lifespan.shutdown"})
        await self._from_program.get()
        self._task.cancel()

    async def _run(self) -> None:
        scope: Message = {
            "type": "lifespan",
            "asgi": {"version": "3.0", "spec_version": "2.0"},
            "state": self.state,
        }
        try:
            await self._program(scope, self._to_program.get, self._from_program.put)
        except Exception:
            # An application that does not know lifespan may raise: the protocol says to go on.
            self._offer({"type": "lifespan.startup.complete"})
        else:
            self._offer({"type": "lifespan.shutdown.complete"})

    def _offer(self, message: Message) -> None:
        if self._from_program.empty():
            self._from_program.put_nowait(message)


class Exchange:
    """One HTTP request and its response."""

    def __init__(self, request: web.BaseRequest, state: dict[str, Any]) -> None:
        self._request = request
        self._state = state
        self._body_sent = False
        self._done = asyncio.Event()
        self._response: web.StreamResponse | None = None

    async def run(self, program: Application) -> web.StreamResponse:
        """Call the application and return the response that it sent."""
        if self._request.headers.get("Upgrade", "").lower() == "websocket":
            return web.Response(
                status=501, text="WebSockets are not served for ASGI programs yet\n"
            )
        await program(self._scope(), self._receive, self._send)
        if self._response is None:
            raise RuntimeError("the ASGI application returned without sending a response")
        return self._response

    def _scope(self) -> Message:
        request = self._request
        url = request.rel_url
        transport = request.transport
        names = [
            transport.get_extra_info(name) if transport else None
            for name in ("peername", "sockname")
        ]
        peer, own = (tuple(name[:2]) if name else None for name in names)
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": f"{request.version.major}.{request.version.minor}",
            "method": request.method,
            "scheme": request.scheme,
            "path": url.path,
            "raw_path": url.raw_path.encode("ascii"),
            "query_string": url.raw_query_string.encode("ascii"),
            "root_path": "",
            "headers": [(name.lower(), value) for name, value in request.raw_headers],
            "client": peer,
            "server": own,
            "state": dict(self._state),
        }

    async def _receive(self) -> Message:
        if self._body_sent:
            await self._done.wait()
            return {"type": "http.disconnect"}
        chunk = await self._request.content.read(CHUNK_BYTES_MAX)
        more = not self._request.content.at_eof()
        self._body_sent = not more
        return {"type": "http.request", "body": chunk, "more_body": more}

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._response = _response(message)
            return
        if message["type"] != "http.response.body" or self._response is None:
            raise RuntimeError(f"unexpected ASGI message {message['type']!r}")
        if not self._response.prepared:
            await self._response.prepare(self._request)
        if message.get("body"):
            await self._response.write(message["body"])
        if not message.get("more_body"):
            await self._response.write_eof()
            self._done.set()


def _response(message: Message) -> web.StreamResponse:
    response = web.StreamResponse(status=message["status"])
    for name, value in message.get("headers") or ():
        if bytes(name).lower() not in HOP_BY_HOP:
            response.headers.add(bytes(name).decode("latin-1"), bytes(value).decode("latin-1"))
    return response
