"""Workload `udp`: answers each datagram with the pod's name, the client's address and the datagram.

    web-1 10.244.2.7:40001 hello

Port: --port, $PORT, the first declared UDP port, or 8080.
"""

import asyncio
from typing import Any

from node_agent.workloads.serving import ALL_ADDRESSES
from node_agent.workloads.workload import ContainerContext


async def run(ctx: ContainerContext) -> int:
    """Serve until SIGTERM."""
    loop = asyncio.get_running_loop()
    port = ctx.port("UDP")
    transport, _ = await loop.create_datagram_endpoint(
        lambda: Echo(f"{ctx.pod_name} "), local_addr=(ALL_ADDRESSES, port)
    )
    print(f"listening on {ALL_ADDRESSES}:{port}/UDP", file=ctx.stdout)
    try:
        await ctx.until_terminated()
    finally:
        transport.close()
    return 0


class Echo(asyncio.DatagramProtocol):
    """Sends each datagram back, behind a prefix and the client's address if there is a prefix."""

    def __init__(self, prefix: str = "") -> None:
        self._prefix = prefix
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        head = f"{self._prefix}{addr[0]}:{addr[1]} ".encode() if self._prefix else b""
        if self._transport is not None:
            self._transport.sendto(head + data, addr)
