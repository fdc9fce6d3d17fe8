"""What clients speak with pods: HTTP with keep-alive, WebSocket, TLS with the name they ask for."""

import asyncio
import ssl

import aiohttp
import pytest

from tests.processes.flows.certificates import trusting
from tests.processes.flows.client import WAIT_SECONDS, dialled
from tests.processes.flows.ground import WAYS, Ground

ways = pytest.mark.parametrize("way", WAYS)
BODY_BYTES = 1_000_000  # aiohttp warns of more


async def base(ground: Ground, way: str) -> str:
    """Where its URLs begin."""
    front = await ground.front(way=way, port="http")
    return f"http://{front.ip}:{front.port}"


@ways
async def test_many_requests_go_over_one_connection(ground: Ground, way: str) -> None:
    url = await base(ground, way)
    made: list[object] = []

    async def note(*_: object) -> None:
        made.append(None)

    tracing = aiohttp.TraceConfig()
    tracing.on_connection_create_end.append(note)
    async with aiohttp.ClientSession(trace_configs=[tracing]) as session:
        for _ in range(50):
            async with session.get(f"{url}/who") as answer:
                assert (await answer.json())["pod"] == "talker-2"
        body = bytes(BODY_BYTES)
        async with session.post(f"{url}/echo", data=body) as answer:
            assert await answer.read() == body
    assert len(made) == 1


@ways
async def test_a_websocket_carries_messages_both_ways(ground: Ground, way: str) -> None:
    url = await base(ground, way)
    async with (
        asyncio.timeout(WAIT_SECONDS),
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{url}/ws") as socket,
    ):
        for number in range(20):
            await socket.send_str(f"message {number}")
            assert await socket.receive_str() == f"talker-2: message {number}"
        data = bytes(100_000)
        await socket.send_bytes(data)
        assert await socket.receive_bytes() == data
    assert socket.close_code == 1000


@ways
@pytest.mark.parametrize("name", ["one.example", "two.example"])
async def test_tls_ends_in_the_pod_by_the_name_that_was_asked_for(
    ground: Ground, way: str, name: str
) -> None:
    front = await ground.front(way=way, port="tls")
    async with dialled(front, tls=trusting(ground.certificates), name=name) as client:
        shown = client.writer.get_extra_info("peercert")
        assert shown["subjectAltName"] == (("DNS", name),)
        assert (await client.ask("who a")).startswith("talker-2 ")
        assert await client.ask("by TLS") == "by TLS"


@ways
async def test_tls_that_cannot_be_trusted_is_the_clients_to_refuse(
    ground: Ground, way: str
) -> None:
    """Its alert passes, and the pod goes on."""
    front = await ground.front(way=way, port="tls")
    with pytest.raises(ssl.SSLCertVerificationError):
        async with dialled(front, tls=ssl.create_default_context(), name="one.example"):
            raise AssertionError("it is not to be trusted")
    async with dialled(front, tls=trusting(ground.certificates), name="one.example") as client:
        assert (await client.ask("who a")).startswith("talker-2 ")
