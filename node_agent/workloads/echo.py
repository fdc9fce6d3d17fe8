"""Workload `echo`: answers each HTTP request with what it saw, as JSON.

Port: --port, $PORT, the first declared port, or 8080. `?status=503` chooses the status code.
"""

from aiohttp import web

from node_agent.workloads.serving import client_of, serve_handler, where
from node_agent.workloads.workload import ContainerContext

BODY_BYTES_MAX = 64 * 1024


async def run(ctx: ContainerContext) -> int:
    """Serve until SIGTERM."""

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        body = await request.content.read(BODY_BYTES_MAX)
        status = request.query.get("status", "")
        return web.json_response(
            {
                "method": request.method,
                "path": request.path,
                "query": dict(request.query),
                "headers": dict(request.headers),
                "body": body.decode("utf-8", "replace"),
                "client": client_of(request),
                **where(ctx),
            },
            status=int(status) if status.isdecimal() and 200 <= int(status) < 600 else 200,
        )

    return await serve_handler(ctx, answer, [ctx.port()])
