"""Datagrams from places in the cluster network."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from cluster.errors import ConfigError
from cluster.objects.resources import SERVICES
from cluster.traffic.access import Access
from cluster.traffic.datagram import DATAGRAM_BYTES_MAX, exchange, send_datagram
from cluster.traffic.place import Place
from cluster.traffic.unreached import Unreached

WEB = Place.parse("pod/shop/web")


class Echo(asyncio.DatagramProtocol):
    """Shouts back, or stays silent."""

    def __init__(self) -> None:
        self.seen: list[tuple[bytes, Any]] = []
        self.heard: Callable[[Any], None] = lambda _: None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.seen.append((data, addr))
        self.heard(addr)
        if data != b"hush":
            self.transport.sendto(data.upper(), addr)


@pytest.fixture
async def echo() -> AsyncIterator[tuple[Echo, int]]:
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_datagram_endpoint(Echo, ("127.0.0.1", 0))
    yield protocol, transport.get_extra_info("sockname")[1]
    transport.close()


async def test_an_outside_client_sends_from_its_own_real_address(
    access: Access, machine: Any, made: Any, echo: Any
) -> None:
    """S-75 and on: UDP has flows too, found by their source."""
    server, port = echo
    gateway = await machine.process("gateway")
    server.heard = lambda peer: gateway.record(
        made.segment(f"203.0.113.7:{peer[1]}", "127.65.0.1:53", flow_id="udp", protocol="UDP")
    )
    place = Place.parse("203.0.113.7")
    reply = await send_datagram(access, place, "localhost", port, b"hello")
    assert reply.payload == b"HELLO" and reply.flow_id == "udp" and reply.seconds > 0
    assert server.seen[0][1][0] == "127.66.0.7"


async def test_an_outside_client_finds_a_moved_port_by_protocol(
    access: Access, api: Any, made: Any, echo: Any
) -> None:
    service = made.service("names", ip="127.65.0.1")
    moved = f'{{"53/UDP": "127.0.0.1:{echo[1]}"}}'
    service["metadata"]["annotations"] = {"kubehop.dev/real-addresses": moved}
    api.put(SERVICES, service)
    assert await exchange(access, Place.parse("internet"), "names.shop", 53, b"a") == b"A"


async def test_a_pod_sends_through_its_kubelet(
    access: Access, shop: Any, machine: Any, echo: Any
) -> None:
    await machine.kubelet("node-1")
    assert await exchange(access, WEB, "127.0.0.1", echo[1], b"hello") == b"HELLO"
    assert echo[0].seen[0][0] == b"hello"


@pytest.mark.parametrize("place", ["internet", "pod/shop/web"])
async def test_without_a_reply_it_is_a_time_out(
    access: Access, shop: Any, machine: Any, echo: Any, place: str
) -> None:
    await machine.kubelet("node-1")
    with pytest.raises(Unreached, match=r"no answer within 0\.1 s") as caught:
        await exchange(access, Place.parse(place), "127.0.0.1", echo[1], b"hush", 0.1)
    assert caught.value.kind == "timeout"


@pytest.mark.parametrize("place", ["internet", "pod/shop/web"])
async def test_a_closed_port_refuses(
    access: Access, shop: Any, machine: Any, echo: Any, place: str
) -> None:
    """ICMP port unreachable, as a connected UDP socket tells it."""
    await machine.kubelet("node-1")
    echo[0].transport.abort()
    with pytest.raises(Unreached, match="refused") as caught:
        await exchange(access, Place.parse(place), "127.0.0.1", echo[1], b"hello")
    assert caught.value.kind == "refused"


async def test_a_stopped_node_is_unreachable(access: Access, shop: Any, machine: Any) -> None:
    await machine.kubelet("node-1")
    await machine.stop("node-1")
    with pytest.raises(Unreached, match="kubelet of node-1 does not answer") as caught:
        await exchange(access, WEB, "10.96.0.20", 53, b"hello")
    assert caught.value.kind == "unreachable"


async def test_what_does_not_fit_a_datagram_is_not_sent(access: Access) -> None:
    with pytest.raises(ConfigError, match="65508 bytes do not fit a datagram: 65507 do"):
        await exchange(access, WEB, "x", 53, bytes(DATAGRAM_BYTES_MAX + 1))
