"""Serves HTTP for a workload until SIGTERM: the one way in which built-in workloads listen."""

from collections.abc import Awaitable, Callable, Sequence

from aiohttp import web

from node_agent.workloads.workload import ContainerContext

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

SHUTDOWN_SECONDS = (
    60.0  # requests in flight may take this long; the grace period usually ends first
)
ALL_ADDRESSES = "0.0.0.0"


async def serve_handler(ctx: ContainerContext, handler: Handler, ports: Sequence[int]) -> int:
    """Answer every request with one function."""
    runner = web.ServerRunner(web.Server(handler), shutdown_timeout=SHUTDOWN_SECONDS)
    return await _serve(ctx, runner, ports)


async def serve_app(ctx: ContainerContext, app: web.Application, ports: Sequence[int]) -> int:
    """Serve an aiohttp application."""
    runner = web.AppRunner(app, shutdown_timeout=SHUTDOWN_SECONDS, access_log=None)
    return await _serve(ctx, runner, ports)


async def _serve(
    ctx: ContainerContext,
    runner: web.BaseRunner,
    ports: Sequence[int],
) -> int:
    await runner.setup()
    try:
        for port in ports:
            await web.TCPSite(runner, ALL_ADDRESSES, port).start()
            print(f"listening on {ALL_ADDRESSES}:{port}", file=ctx.stdout)
        await ctx.until_terminated()
        return 0
    finally:
        await runner.cleanup()


def client_of(request: web.BaseRequest) -> str:
    """The client's address as this program sees it: "ip:port"."""
    peer = request.transport.get_extra_info("peername") if request.transport else None
    return f"{peer[0]}:{peer[1]}" if peer else ""


def where(ctx: ContainerContext) -> dict[str, str]:
    """Which pod answers, for the bodies of answers."""
    return {
        "pod": ctx.pod_name,
        "namespace": ctx.namespace,
        "node": ctx.node_name,
        "podIP": ctx.pod_ip,
    }
