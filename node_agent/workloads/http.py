"""Workload `http`: one static text for every request; also hashicorp/http-echo.

Text: -text / --text, $TEXT or $ECHO_TEXT. Port: -listen=:5678, --port, $PORT, the first declared
port; http-echo's own default is 5678.
"""

from aiohttp import web

from node_agent.workloads.images import repository
from node_agent.workloads.serving import serve_handler
from node_agent.workloads.workload import ContainerContext, option

HTTP_ECHO = "hashicorp/http-echo"
HTTP_ECHO_PORT = 5678


async def run(ctx: ContainerContext) -> int:
    """Serve until SIGTERM."""
    body = text_of(ctx)

    async def answer(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(text=body)

    return await serve_handler(ctx, answer, [port_of(ctx)])


def text_of(ctx: ContainerContext) -> str:
    """What to answer, with a line end."""
    chosen = option(ctx.words, "-text", "--text")
    text = chosen or ctx.env.get("ECHO_TEXT") or ctx.env.get("TEXT") or f"hello from {ctx.pod_name}"
    return text if text.endswith("\n") else text + "\n"


def port_of(ctx: ContainerContext) -> int:
    """Where to listen."""
    listen = option(ctx.words, "-listen", "--listen").rpartition(":")[2]
    if listen.isdecimal():
        return int(listen)
    if repository(ctx.image).endswith(HTTP_ECHO) and not option(ctx.words, "--port", "-p"):
        return HTTP_ECHO_PORT
    return ctx.port()
