"""The stand-in: runs for any image whose program nobody knows, and says so.

It answers on every declared port and every port that a probe asks: HTTP with a JSON text that says
who answers, anything else with the same bytes again (UDP too). An exec probe or hook that asks for
what the real program would have made passes, so that any manifest comes up and its network can be
tried (`commands.independent`).
"""

import asyncio
import re
from collections.abc import Sequence
from functools import partial
from typing import Any

from aiohttp import web

from node_agent.kubelet.probes import probe_ports
from node_agent.workloads import commands
from node_agent.workloads.serving import ALL_ADDRESSES, client_of, where
from node_agent.workloads.udp import Echo
from node_agent.workloads.workload import ContainerContext, ExecResult

_HTTP = re.compile(rb"[A-Z]{3,10} ")
SNIFF_BYTES_MAX = 11  # the longest method and its blank: by then it is HTTP, or it is not
HEADER = "Kubehop-Stand-In"


async def run(ctx: ContainerContext) -> int:
    """Answer on all ports until SIGTERM."""
    server = web.Server(_answerer(ctx))
    listeners = Listeners(server)
    opened = await listeners.open(ctx)
    print(
        f"stand-in for image {ctx.image}: listening on {', '.join(opened) or 'no port'}",
        file=ctx.stdout,
    )
    try:
        await ctx.until_terminated()
    finally:
        listeners.close()
        await server.shutdown(0)
    return 0


async def execute(ctx: ContainerContext, command: Sequence[str]) -> ExecResult:
    """Run what depends on nothing that the real program would have made; pass for the rest."""
    if commands.independent(command):
        return await commands.execute(ctx, command)
    return ExecResult(0, f"stand-in: {' '.join(command)} was not run")


class Listeners:
    """The ports that the stand-in listens on."""

    def __init__(self, http: web.Server) -> None:
        self._http = http
        self._servers: list[asyncio.Server | asyncio.BaseTransport] = []

    async def open(self, ctx: ContainerContext) -> list[str]:
        """Listen on every declared port and every probe's; the ports as people write them."""
        declared = [port for port in dict.fromkeys(ctx.ports) if port.protocol != "SCTP"]
        for port in declared:
            await self._listen(port.number, port.protocol)
        opened = [str(port) for port in declared]
        for number in sorted(probe_ports(ctx.container)):
            if f"{number}/TCP" in opened:
                continue
            try:
                await self._listen(number, "TCP")
            except OSError:
                continue  # another container of the pod listens there, and answers the probe
            opened.append(f"{number}/TCP")
        return opened

    async def _listen(self, number: int, protocol: str) -> None:
        loop = asyncio.get_running_loop()
        if protocol == "UDP":
            transport, _ = await loop.create_datagram_endpoint(
                Echo, local_addr=(ALL_ADDRESSES, number)
            )
            self._servers.append(transport)
            return
        sniff = partial(Sniffer, self._http)
        self._servers.append(await loop.create_server(sniff, ALL_ADDRESSES, number))

    def close(self) -> None:
        """Listen no more."""
        for server in self._servers:
            server.close()


def _answerer(ctx: ContainerContext) -> Any:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        body = {
            "standIn": True,
            "message": f"kubehop knows no program for image {ctx.image}: this stand-in answers",
            "image": ctx.image,
            "method": request.method,
            "path": request.path,
            "client": client_of(request),
            **where(ctx),
        }
        return web.json_response(body, headers={HEADER: "true"})

    return answer


class Sniffer(asyncio.Protocol):
    """HTTP if the first bytes look like it, else an echo."""

    def __init__(self, http: web.Server) -> None:
        self._http = http
        self._chosen: asyncio.Protocol | None = None
        self._seen = b""
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if self._chosen is not None:
            self._chosen.data_received(data)
            return
        self._seen += data
        if _HTTP.match(self._seen):
            self._choose(self._http())
        elif len(self._seen) >= SNIFF_BYTES_MAX or not self._seen.isalpha():
            self._choose(_Echo())

    def _choose(self, protocol: asyncio.Protocol) -> None:
        self._chosen = protocol
        protocol.connection_made(self._transport)
        protocol.data_received(self._seen)
        self._seen = b""

    def eof_received(self) -> bool | None:
        if self._chosen is None and self._seen:
            self._choose(_Echo())
        return self._chosen.eof_received() if self._chosen is not None else None

    def pause_writing(self) -> None:
        if self._chosen is not None:
            self._chosen.pause_writing()

    def resume_writing(self) -> None:
        if self._chosen is not None:
            self._chosen.resume_writing()

    def connection_lost(self, error: Exception | None) -> None:
        if self._chosen is not None:
            self._chosen.connection_lost(error)


class _Echo(asyncio.Protocol):
    def __init__(self) -> None:
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._transport.write(data)

    def pause_writing(self) -> None:
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        self._transport.resume_reading()
