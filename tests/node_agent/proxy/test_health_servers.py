"""The servers behind healthCheckNodePort."""

import logging
import socket
from collections.abc import AsyncIterator

import aiohttp
import pytest

from cluster.aio.clock import SystemClock
from cluster.objects.meta import Key
from node_agent.proxy.health_checks import Change, HealthCheck
from node_agent.proxy.health_servers import HealthServers

BIND = "127.0.0.1"
WEB = ("shop", "web")


class Field:
    """Health servers, and what the view says."""

    def __init__(self) -> None:
        self.said: dict[int, HealthCheck] = {}
        self.servers = HealthServers(bind=BIND, clock=SystemClock())

    def say(self, checks: dict[int, HealthCheck]) -> None:
        changes: dict[Key, Change] = {each.service: None for each in self.said.values()}
        changes |= {each.service: (port, each) for port, each in checks.items()}
        self.said = checks
        self.servers.apply(changes)


@pytest.fixture
async def field() -> AsyncIterator[Field]:
    made = Field()
    yield made
    await made.servers.close()


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind((BIND, 0))
        return int(free.getsockname()[1])


async def ask(port: int, path: str = "/") -> tuple[int, dict[str, str], str]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://{BIND}:{port}{path}") as answer,
    ):
        return answer.status, dict(answer.headers), await answer.text()


async def test_any_path_is_answered_by_what_the_view_says_now(field: Field, port: int) -> None:
    """S-118, S-119."""
    field.say({port: HealthCheck(WEB, 1)})
    status, headers, body = await ask(port, "/any/path")
    assert status == 200
    assert headers["Content-Type"].startswith("application/json")
    assert headers["X-Load-Balancing-Endpoint-Weight"] == "1"
    assert body.startswith('{\n\t"service": {\n\t\t"namespace": "shop"')
    field.say({port: HealthCheck(WEB, 0)})
    assert (await ask(port))[0] == 503


async def test_a_port_closes_with_its_service(field: Field, port: int) -> None:
    field.say({port: HealthCheck(WEB, 1)})
    assert (await ask(port))[0] == 200
    field.say({})
    with pytest.raises(aiohttp.ClientConnectorError):
        await ask(port)


async def test_a_connection_that_outlives_the_service_is_told(field: Field, port: int) -> None:
    field.say({port: HealthCheck(WEB, 1)})
    async with aiohttp.ClientSession() as session:
        async with session.get(f"http://{BIND}:{port}/") as answer:
            assert answer.status == 200
            await answer.read()
        field.say({})
        async with session.get(f"http://{BIND}:{port}/") as answer:
            assert answer.status == 404


async def test_a_port_that_is_taken_is_told_once_and_had_when_it_is_free(
    field: Field, port: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    with socket.socket() as taken:
        taken.bind((BIND, port))
        taken.listen()
        field.say({port: HealthCheck(WEB, 1)})
        field.say({port: HealthCheck(WEB, 2)})
    assert [each.message.split(" error=")[0] for each in caplog.records] == [
        f"health check port not open port={port} service=shop/web"
    ]
    field.say({port: HealthCheck(WEB, 2)})
    assert (await ask(port))[0] == 200


async def test_after_the_end_nothing_is_opened(field: Field, port: int) -> None:
    await field.servers.close()
    field.say({port: HealthCheck(WEB, 1)})
    with pytest.raises(aiohttp.ClientConnectorError):
        await ask(port)
