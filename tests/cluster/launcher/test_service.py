"""Orders to a running launcher, over its socket."""

import asyncio
import json
import stat
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest

from cluster.errors import ClusterError, ConfigError
from cluster.launcher.places import Places
from cluster.launcher.service import LINE_BYTES_MAX, Service


class Cluster:
    """Takes orders as the real one does, and notes them."""

    def __init__(self, places: Places) -> None:
        self.places = places
        self.orders: list[tuple[Any, ...]] = []
        self.recorded = 0

    def described(self) -> dict[str, Any]:
        return {"name": "demo", "processes": []}

    def record(self) -> None:
        self.recorded += 1

    async def stop_node(self, name: str, how: str) -> None:
        if name == "node-9":
            raise ConfigError("'node-9' is not a node of this cluster; nodes: node-1")
        self.orders.append(("stop", name, how))

    async def start_node(self, name: str) -> None:
        self.orders.append(("start", name))

    def kill(self, name: str, number: int) -> None:
        self.orders.append(("kill", name, number))

    async def settled(self, seconds: float) -> None:
        self.orders.append(("settled", seconds))
        if seconds < 1:
            raise ClusterError("not settled after 0.5 s: node node-1 is not Ready")
        if seconds > 100:
            raise TimeoutError


@pytest.fixture
async def served(places: Places) -> AsyncIterator[SimpleNamespace]:
    cluster = Cluster(places)
    service = Service(cluster)
    await service.start()
    reader, writer = await asyncio.open_unix_connection(str(places.launcher_socket))

    async def ask(line: bytes) -> Any:
        writer.write(line + b"\n")
        return json.loads(await reader.readline())

    async def order(**words: Any) -> Any:
        return await ask(json.dumps(words).encode())

    yield SimpleNamespace(cluster=cluster, service=service, ask=ask, order=order, reader=reader)
    writer.close()
    await writer.wait_closed()
    await service.close()


async def test_the_socket_is_for_its_owner_alone(served: SimpleNamespace, places: Places):
    assert stat.S_IMODE(places.launcher_socket.stat().st_mode) == 0o600


async def test_status_is_what_the_cluster_says_of_itself(served: SimpleNamespace):
    assert await served.order(verb="status") == {"ok": {"name": "demo", "processes": []}}


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ({"verb": "stop_node", "name": "node-1"}, ("stop", "node-1", "shutdown")),
        ({"verb": "stop_node", "name": "node-1", "how": "crash"}, ("stop", "node-1", "crash")),
        ({"verb": "start_node", "name": "node-1"}, ("start", "node-1")),
        ({"verb": "kill", "name": "gateway"}, ("kill", "gateway", 9)),
        ({"verb": "kill", "name": "gateway", "signal": 15}, ("kill", "gateway", 15)),
        ({"verb": "settled"}, ("settled", 30.0)),
        ({"verb": "settled", "seconds": 5}, ("settled", 5.0)),
    ],
)
async def test_an_order_is_carried_out(served: SimpleNamespace, order, expected):
    assert await served.order(**order) == {"ok": None}
    assert served.cluster.orders == [expected]


@pytest.mark.parametrize(("words", "keep"), [({}, False), ({"keep": True}, True)])
async def test_down_is_answered_before_it_happens(served: SimpleNamespace, words, keep):
    assert await served.order(verb="down", **words) == {"ok": None}
    assert served.service.down.is_set()
    assert served.service.keep is keep


@pytest.mark.parametrize(
    "line", [b"", b"{", b"[]", b"{}", b"1", b'"down"', b'{"verb": "fly"}', b'{"verb": []}', b"\xff"]
)
async def test_what_is_no_order_is_answered_with_the_orders_there_are(
    served: SimpleNamespace, line: bytes
):
    answer = await served.ask(line)
    assert answer["error"].startswith("no such order; verbs: status, stop_node, start_node, kill")
    assert answer["misused"] is True
    assert await served.order(verb="status")  # and the connection stays


@pytest.mark.parametrize(
    ("order", "error", "misused"),
    [
        ({"verb": "stop_node", "name": "node-9"}, "'node-9' is not a node", True),
        ({"verb": "stop_node"}, "the order lacks 'name'", True),
        ({"verb": "kill", "name": "x", "signal": "hard"}, "invalid literal", True),
        ({"verb": "settled", "seconds": 0.5}, "not settled after 0.5 s", False),
        ({"verb": "settled", "seconds": 101}, "TimeoutError", False),
    ],
)
async def test_what_cannot_be_done_says_why_and_whose_fault_it_is(
    served: SimpleNamespace, order, error, misused
):
    answer = await served.order(**order)
    assert answer["error"].startswith(error)
    assert answer["misused"] is misused


async def test_orders_on_one_connection_are_answered_in_turn(served: SimpleNamespace):
    answers = [await served.order(verb=verb) for verb in ("status", "fly", "status")]
    assert ["ok" in each for each in answers] == [True, False, True]


async def test_a_line_without_end_ends_its_connection_and_no_other(
    served: SimpleNamespace, places: Places
):
    reader, writer = await asyncio.open_unix_connection(str(places.launcher_socket))
    writer.write(b"x" * (LINE_BYTES_MAX * 3))
    assert await reader.read() == b""
    writer.close()
    assert await served.order(verb="status")
