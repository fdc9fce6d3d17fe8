"""Workload `tcp`: sends back what it receives, line by line or not; half-close ends it in order.

Port: --port, $PORT, the first declared TCP port, or 8080.
"""

import asyncio

from node_agent.workloads.serving import ALL_ADDRESSES
from node_agent.workloads.workload import ContainerContext

CHUNK_BYTES_MAX = 64 * 1024


async def run(ctx: ContainerContext) -> int:
    """Serve until SIGTERM."""
    server = await asyncio.start_server(echo, ALL_ADDRESSES, ctx.port())
    print(f"listening on {ALL_ADDRESSES}:{ctx.port()}/TCP", file=ctx.stdout)
    async with server:
        await ctx.until_terminated()
    return 0


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send back everything, then close."""
    try:
        while chunk := await reader.read(CHUNK_BYTES_MAX):
            writer.write(chunk)
            await writer.drain()
    except ConnectionError:
        pass  # the client reset the connection: nobody is left to tell
    finally:
        writer.close()
