"""Workload `agnhost`: Kubernetes' own test image, as far as network tests need it.

    netexec [--http-port 8080] [--udp-port 8081]   /hostname /clientip /echo?msg= /exit?code=
                                                   and UDP: "hostname", "clientip", "echo TEXT"
    serve-hostname [--port 9376]                   the pod's name
    pause                                          nothing

Source: kubernetes/kubernetes, test/images/agnhost.
"""

import asyncio
from typing import Any

from aiohttp import web

from node_agent.workloads import pause
from node_agent.workloads.serving import ALL_ADDRESSES, client_of, serve_handler
from node_agent.workloads.workload import EXIT_FAILED, ContainerContext, option

SERVE_HOSTNAME_PORT = 9376


async def run(ctx: ContainerContext) -> int:
    """Run the subcommand."""
    command = next((word for word in ctx.words if word and word[0] not in "-/"), "pause")
    match command:
        case "netexec":
            return await _netexec(ctx)
        case "serve-hostname":
            return await _serve_hostname(ctx)
        case "pause":
            return await pause.run(ctx)
    print(f"agnhost: subcommand {command!r} is not built", file=ctx.stderr)
    return EXIT_FAILED


async def _netexec(ctx: ContainerContext) -> int:
    udp = int(option(ctx.words, "--udp-port") or 8081)
    port = int(option(ctx.words, "--http-port") or 8080)
    if udp < 0:  # -1 turns it off
        return await serve_handler(ctx, _answerer(ctx), [port])
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: NetexecDatagrams(ctx.pod_name), local_addr=(ALL_ADDRESSES, udp)
    )
    try:
        return await serve_handler(ctx, _answerer(ctx), [port])
    finally:
        transport.close()


def _answerer(ctx: ContainerContext) -> Any:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        match request.path.lower():
            case "/":
                return web.Response(text=f"NOW: {ctx.pod_name}")
            case "/hostname":
                return web.Response(text=ctx.pod_name)
            case "/clientip":
                return web.Response(text=client_of(request))
            case "/echo":
                code = request.query.get("code", "200")
                return web.Response(text=request.query.get("msg", ""), status=int(code))
            case "/healthz":
                return web.Response(text="ok")
            case "/exit":
                raise SystemExit(int(request.query.get("code", "0")))
        return web.Response(status=404, text=f"netexec: {request.path} is not built\n")

    return answer


async def _serve_hostname(ctx: ContainerContext) -> int:
    async def answer(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(text=ctx.pod_name)

    port = int(option(ctx.words, "--port") or SERVE_HOSTNAME_PORT)
    return await serve_handler(ctx, answer, [port])


class NetexecDatagrams(asyncio.DatagramProtocol):
    """The UDP half of netexec."""

    def __init__(self, pod_name: str) -> None:
        self._pod_name = pod_name
        self._transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        command, _, rest = data.decode("utf-8", "replace").strip().partition(" ")
        answers = {
            "hostname": self._pod_name,
            "clientip": f"{addr[0]}:{addr[1]}",
            "echo": rest,
        }
        if command.lower() in answers:
            self._transport.sendto(answers[command.lower()].encode(), addr)
