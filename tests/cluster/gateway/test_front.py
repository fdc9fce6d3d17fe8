"""The real socket behind a front."""

import asyncio
import errno
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from cluster.aio.batch import BySender
from cluster.aio.socket_names import read_name
from cluster.dataplane.decision import Code
from cluster.gateway import front as front_module
from cluster.gateway.backend_nodes import BackendNode
from cluster.gateway.balancer import FrontPlan, FrontState, Place
from cluster.gateway.front import Front
from cluster.wire.addresses import Protocol, SocketAddress

IP = "127.65.211.1"


def plan_at(
    port: int, state: FrontState = FrontState.SERVING, *, protocol: str = "TCP", ip: str = IP
) -> FrontPlan:
    return FrontPlan(
        place=Place(SocketAddress(ip, port), Protocol(protocol)),
        service=("shop", "web"),
        uid="uid",
        port="http",
        node_port=30080,
        local_only=False,
        state=state,
        reason="" if state is FrontState.SERVING else "why",
        code=None if state is FrontState.SERVING else Code.NO_NODE,
        nodes=(BackendNode("node-1"),),
    )


async def until(holds: Callable[[], object]) -> None:
    """Let the loop turn until something holds."""
    async with asyncio.timeout(10):
        for _ in iter(lambda: bool(holds()), True):
            await asyncio.sleep(0)


class Opened:
    """Fronts, and what came through them."""

    def __init__(self) -> None:
        self.accepted: asyncio.Queue[tuple[socket.socket, SocketAddress]] = asyncio.Queue()
        self.received: asyncio.Queue[tuple[bytes, SocketAddress]] = asyncio.Queue()
        self.fronts: list[Front] = []
        self.socks: list[socket.socket] = []

    def open(self, plan: FrontPlan, bind: str | None = None) -> Front:
        front = Front(plan, bind, self._connection, self._datagrams)
        self.fronts.append(front)
        front.follow(plan)
        return front

    def _connection(self, _: FrontPlan, sock: socket.socket, peer: SocketAddress) -> None:
        self.socks.append(sock)
        self.accepted.put_nowait((sock, peer))

    def _datagrams(self, _: FrontPlan, came: BySender) -> None:
        for name, payloads in came.items():
            for data in payloads:
                self.received.put_nowait((data, read_name(name)))

    def client(self, kind: socket.SocketKind = socket.SOCK_STREAM) -> socket.socket:
        sock = socket.socket(socket.AF_INET, kind)
        sock.setblocking(False)
        self.socks.append(sock)
        return sock

    async def connect(self, address: Any) -> socket.socket:
        sock = self.client()
        await asyncio.wait_for(asyncio.get_running_loop().sock_connect(sock, address), 10)
        return sock


@pytest.fixture
async def opened() -> Any:
    made = Opened()
    yield made
    for front in made.fronts:
        front.close()
    for sock in made.socks:
        sock.close()


@pytest.fixture
def holder() -> Iterator[socket.socket]:
    """Somebody else who holds a port."""
    with socket.create_server((IP, 0)) as sock:
        yield sock


async def test_a_serving_front_accepts_at_its_own_address(opened: Any, port: int) -> None:
    front = opened.open(plan_at(port))
    assert (front.real, front.moved, front.problem) == (SocketAddress(IP, port), "", "")
    client = await opened.connect((IP, port))
    _, peer = await opened.accepted.get()
    assert peer == client.getsockname()


async def test_a_closed_front_refuses_and_knows_its_address_all_the_same(
    opened: Any, port: int
) -> None:
    """S-85."""
    front = opened.open(plan_at(port, FrontState.CLOSED))
    assert front.real == SocketAddress(IP, port)
    with pytest.raises(ConnectionRefusedError):
        await opened.connect((IP, port))
    front.follow(plan_at(port))
    await opened.connect((IP, port))
    front.follow(plan_at(port, FrontState.CLOSED))
    with pytest.raises(ConnectionRefusedError):
        await opened.connect((IP, port))


async def test_a_silent_front_answers_no_handshake(opened: Any, port: int) -> None:
    front = opened.open(plan_at(port, FrontState.SILENT))
    connecting = asyncio.ensure_future(opened.connect((IP, port)))
    await asyncio.sleep(0.05)  # an answering kernel needs no such time
    assert not connecting.done()
    front.follow(plan_at(port))
    await connecting  # the client's kernel asks again


async def test_a_udp_front_is_read_while_it_serves(opened: Any, udp_port: int) -> None:
    front = opened.open(plan_at(udp_port, protocol="UDP"))
    client = opened.client(socket.SOCK_DGRAM)
    client.connect((IP, udp_port))
    client.send(b"query")
    data, peer = await asyncio.wait_for(opened.received.get(), 10)
    assert (data, peer) == (b"query", client.getsockname())
    front.follow(plan_at(udp_port, FrontState.CLOSED, protocol="UDP"))
    client.send(b"anybody?")
    with pytest.raises(ConnectionRefusedError):  # ICMP port unreachable, from the kernel
        await asyncio.get_running_loop().sock_recv(client, 100)


async def test_a_silent_udp_front_takes_and_says_nothing(opened: Any, udp_port: int) -> None:
    front = opened.open(plan_at(udp_port, FrontState.SILENT, protocol="UDP"))
    client = opened.client(socket.SOCK_DGRAM)
    client.connect((IP, udp_port))
    client.send(b"lost")
    await until(lambda: front.endpoint.received)
    assert opened.received.empty()


def refuse_privileged(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the kernel treats an ordinary user, whoever runs the test."""
    real = front_module._try

    def _try(address: SocketAddress, kind: socket.SocketKind) -> SocketAddress:
        if 0 < address.port < 1024:
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(address, kind)

    monkeypatch.setattr(front_module, "_try", _try)


async def test_a_port_that_may_not_be_bound_is_served_8000_higher(
    opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_privileged(monkeypatch)
    front = opened.open(plan_at(443))
    assert front.dialable == SocketAddress(IP, 8443)
    assert "net.ipv4.ip_unprivileged_port_start=443" in front.moved
    await opened.connect((IP, 8443))


async def test_an_address_this_machine_lacks_is_served_on_localhost(opened: Any) -> None:
    front = opened.open(plan_at(80, ip="192.0.2.1"))
    assert front.dialable.ip == "127.0.0.1"
    assert front.moved == "this machine has no address 192.0.2.1"
    port = front.dialable.port
    await opened.connect(("127.0.0.1", port))
    front.follow(plan_at(80, FrontState.CLOSED, ip="192.0.2.1"))
    front.follow(plan_at(80, ip="192.0.2.1"))
    assert front.dialable.port == port, "the address stays what people were told"


async def test_bind_overrides_the_address_and_clients_dial_the_services(
    opened: Any, port: int
) -> None:
    front = opened.open(plan_at(port), bind="0.0.0.0")
    assert front.real == SocketAddress("0.0.0.0", port)
    assert front.dialable == SocketAddress(IP, port)
    await opened.connect((IP, port))


async def test_a_port_somebody_else_holds_is_a_problem_until_it_is_free(
    opened: Any, holder: socket.socket
) -> None:
    """S-108: nothing is left pending without a reason."""
    plan = plan_at(holder.getsockname()[1])
    front = opened.open(plan)
    assert front.problem == f"{plan.place.address}: Address already in use"
    assert front.dialable is None
    holder.close()
    front.follow(plan)
    assert front.problem == ""
    await opened.connect(plan.place.address)


async def test_a_bind_address_this_machine_lacks_is_a_problem(opened: Any) -> None:
    front = opened.open(plan_at(80), bind="192.0.2.1")
    assert front.problem.startswith("192.0.2.1:80: ")


async def test_new_connections_carry_the_newest_plan(opened: Any, port: int) -> None:
    plans: list[FrontPlan] = []
    front = Front(
        plan_at(port),
        None,
        lambda plan, sock, _: (plans.append(plan), sock.close()),
        lambda *_: None,
    )
    opened.fronts.append(front)
    front.follow(plan_at(port))
    newest = replace(plan_at(port), nodes=(BackendNode("node-9"),))
    front.follow(newest)
    await opened.connect((IP, port))
    await until(lambda: plans)
    assert plans == [newest]
