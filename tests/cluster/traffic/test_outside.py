"""Outside clients' sockets: who they are, and what the kernel tells them."""

import asyncio
import errno
import os
import socket
from typing import Any

import pytest

from cluster.errors import ConfigError
from cluster.traffic.access import Access
from cluster.traffic.attempt import Attempt
from cluster.traffic.outside import bound_socket, connect_stream, failure
from cluster.traffic.place import Place, PlaceKind
from cluster.traffic.resolve import Target
from cluster.traffic.unreached import Unreached
from cluster.wire.addresses import SocketAddress
from cluster.wire.clients import OutsideClients


class Connected(asyncio.Protocol):
    """Does nothing."""

    transport: asyncio.BaseTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport


def attempt(host: str, port: int, place: str = "internet") -> Attempt:
    return Attempt(place=Place.parse(place), host=host, port=port, started=1.0)


async def test_an_outside_client_dials_from_its_own_real_address(
    access: Access, machine: Any
) -> None:
    """203.0.113.7 is 127.66.0.7; docs/architecture.md, "Addresses"."""
    peers: asyncio.Queue[Any] = asyncio.Queue()

    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await peers.put(writer.get_extra_info("peername"))
        writer.close()

    port = await machine.serve(greet)
    tried = attempt("localhost", port, "203.0.113.7")
    protocol = await connect_stream(access, tried, Connected)
    assert tried.source is not None and tried.source.ip == "127.66.0.7"
    assert tuple(await peers.get()) == tuple(tried.source)
    protocol.transport.close()


async def test_a_closed_port_refuses_and_the_attempt_knows_its_own_address(access: Access) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        tried = attempt("127.0.0.1", port, "203.0.113.7")
        with pytest.raises(
            Unreached, match=f"refused at 127.0.0.1:{port}.*gateway does not run"
        ) as e:
            await connect_stream(access, tried, Connected)
    assert e.value.kind == "refused"
    assert tried.source is not None and tried.source.ip == "127.66.0.7"


async def test_a_full_backlog_is_silence_and_the_attempt_knows_its_own_address(
    access: Access,
) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as silent:
        address = silent.getsockname()
        with socket.create_connection(address):
            tried = attempt("127.0.0.1", address[1], "203.0.113.7")
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await connect_stream(access, tried, Connected)
    assert tried.source is not None and tried.source.ip == "127.66.0.7"


async def test_a_client_that_this_machine_has_no_address_for_cannot_be(access: Access) -> None:
    access.clients = OutsideClients.parse("192.0.2.0/24=203.0.113.0/24")
    target = Target(real=SocketAddress("127.0.0.1", 80), what="here")
    with pytest.raises(ConfigError, match=r"cannot dial as 203\.0\.113\.7.*192\.0\.2\.7"):
        bound_socket(access, attempt("x", 80, "203.0.113.7"), target, socket.SOCK_STREAM)


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ECONNRESET, "reset"),
        (errno.EPIPE, "reset"),
        (errno.ETIMEDOUT, "timeout"),
        (errno.EHOSTUNREACH, "unreachable"),
        (errno.ENETUNREACH, "unreachable"),
    ],
)
async def test_every_error_of_the_kernel_is_a_symptom(
    access: Access, number: int, kind: str
) -> None:
    tried = Attempt(
        place=Place(kind=PlaceKind.INTERNET),
        host="frontend",
        port=80,
        started=1.0,
        target=Target(real=SocketAddress("127.65.0.1", 80), what="Service shop/frontend"),
    )
    error = await failure(access, tried, OSError(number, "Connect call failed"))
    assert error.kind == kind
    words = os.strerror(number).lower()
    assert str(error) == (
        f"frontend:80 from internet: {words} at 127.65.0.1:80 (Service shop/frontend)"
    )
