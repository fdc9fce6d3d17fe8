"""GET /connections: what lives is told, however long ago its trace was forgotten."""

import asyncio
import json
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from node_agent.connections_route import ConnectionsRoute


async def stay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"hello\n")
    await reader.read()
    writer.close()


async def test_a_connection_is_told_while_it_lives(world: Any) -> None:
    web_pod, client = await world.pod("web"), await world.pod("client")
    node = world.nodes[1]

    async def listen() -> None:
        await asyncio.start_server(stay, None, 8080)

    await world.run(web_pod, listen)
    route = ConnectionsRoute(node.established, lambda ip: node.network.pod_with(ip).origin.name)
    app = web.Application()
    route.add_to(app)
    async with TestClient(TestServer(app)) as asking:

        async def told() -> list[dict[str, Any]]:
            async with asking.get("/connections") as answer:
                return [json.loads(line) for line in (await answer.text()).splitlines()]

        assert await told() == []
        reader, writer = await world.run(client, lambda: asyncio.open_connection(web_pod.ip, 8080))
        assert await reader.readline() == b"hello\n"
        (line,) = await told()
        assert line["flowId"] == node.segments()[-1].flow_id
        assert (line["pod"], line["local"]) == ("default/web", f"{web_pod.ip}:8080")
        assert line["peer"].startswith(f"{client.ip}:") and line["passed"] == []
        writer.close()
        await world.until(lambda: not node.established.live())
        assert await told() == []
