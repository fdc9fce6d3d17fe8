"""What runs in the pods of the soak: `python://tests.benchmarks.soak.pods:server` and `:caller`.

Every answer carries the pod's name, the address that it saw, and the token that it was asked with.
"""

import asyncio
import contextlib
from typing import Any

from aiohttp import web

from tests.benchmarks.soak.connection import connect

HTTP, UDP, CALLER = 8080, 9000, 8090
EVERYWHERE = "0.0.0.0"
BACKLOG = 4096
GRACE_SECONDS = 1.5  # for clients to ask once more, and hear that the connection ends
SERVICE = "server"


class Serving(asyncio.Protocol):
    """Answers each request from its bytes; clients wait for an answer before they ask again."""

    live: set["Serving"]
    drained: asyncio.Event  # no connection is left of a pod that ends
    pod: str
    ending = False  # of the whole pod

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]
        self.live.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        self.live.discard(self)
        if self.ending and not self.live:
            self.drained.set()

    def data_received(self, data: bytes) -> None:
        token = data.split(b" ", 2)[1][1:]
        peer = self.transport.get_extra_info("peername")[0]
        body = b"%b %b %b" % (self.pod.encode(), peer.encode(), token)
        close = type(self).ending or b"onnection: close" in data
        last = b"Connection: close\r\n" if close else b""
        head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n%b\r\n" % (len(body), last)
        self.transport.write(head + body)
        if close:
            self.transport.close()


class Echoing(asyncio.DatagramProtocol):
    """Answers a token as the others do."""

    def __init__(self, pod: str) -> None:
        self._pod = pod.encode()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.DatagramTransport = transport  # type: ignore[assignment]

    def datagram_received(self, data: bytes, address: Any) -> None:
        self._transport.sendto(b"%b %b %b" % (self._pod, address[0].encode(), data), address)


async def server(ctx: Any) -> int:
    """Serve until SIGTERM; then say so to whoever asks, before the connections are closed."""
    loop = asyncio.get_running_loop()
    Serving.pod, Serving.live, Serving.drained = ctx.pod_name, set(), asyncio.Event()
    listener = await loop.create_server(Serving, EVERYWHERE, HTTP, backlog=BACKLOG)
    await loop.create_datagram_endpoint(lambda: Echoing(ctx.pod_name), local_addr=(EVERYWHERE, UDP))
    await ctx.until_terminated()
    Serving.ending = True
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(GRACE_SECONDS if Serving.live else 0):
            await Serving.drained.wait()
    listener.close()
    for connection in list(Serving.live):
        connection.transport.close()
    return 0


async def caller() -> web.Application:
    """Calls the Service by its name, as often as it is told, and says what came of it."""

    async def call(request: web.Request) -> web.Response:
        asked = [await _call(token) for token in request.query["tokens"].split(",")]
        return web.json_response(asked)

    async def ready(_: web.Request) -> web.Response:
        return web.Response(text="ready\n")

    app = web.Application()
    app.add_routes([web.get("/call", call), web.get("/", ready)])
    return app


async def _call(token: str) -> dict[str, str]:
    """One call on a connection of its own: who answered, or what went wrong."""
    try:
        connection = await connect(SERVICE, 80)
        try:
            answer = await connection.ask(token, close=True)
        finally:
            connection.close()
    except (OSError, TimeoutError) as error:
        return {"failed": f"{type(error).__name__}: {error}"}
    return answer._asdict()
