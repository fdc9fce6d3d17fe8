"""A pod's UDP sockets: named, bounded, refused and closed as the kernel's."""

import asyncio
import errno
from typing import Any

import pytest

from node_agent.cni.pod_context import SignalTable
from node_agent.cni.pod_datagrams import PodDatagramTransport

WEB, CLIENT = "10.244.1.5", "10.244.1.9"


class Inbox(asyncio.DatagramProtocol):
    """Notes what arrives."""

    def __init__(self) -> None:
        self.data: asyncio.Queue[tuple[bytes, Any]] = asyncio.Queue()
        self.errors: asyncio.Queue[Exception] = asyncio.Queue()
        self.lost = asyncio.Event()

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.data.put_nowait((data, addr))

    def error_received(self, exc: Exception) -> None:
        self.errors.put_nowait(exc)

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set()


Opened = tuple[PodDatagramTransport, Inbox]


class Field:
    def __init__(self, fabric: Any) -> None:
        self.fabric = fabric
        self.web, self.client = fabric.pod("web", WEB), fabric.pod("client", CLIENT)

    async def open(self, pod: Any, local: Any = None, remote: Any = None) -> Opened:
        loop = asyncio.get_running_loop()
        made: Opened = await self.fabric.run(
            pod, lambda: loop.create_datagram_endpoint(Inbox, local, remote)
        )
        return made


@pytest.fixture
async def field(fabric: Any) -> Field:
    return Field(fabric)


async def test_a_datagram_arrives_with_its_senders_emulated_name(field: Field) -> None:
    """P-2."""
    _, inbox = await field.open(field.web, ("0.0.0.0", 53))
    sender, _ = await field.open(field.client)
    sender.sendto(bytearray(b"hello"), (WEB, 53))
    data, peer = await inbox.data.get()
    assert (data, peer[0]) == (b"hello", CLIENT)
    assert peer[1] == sender.get_extra_info("sockname")[1]


@pytest.mark.parametrize("name", ["127.0.0.1", "0.0.0.0"])
async def test_containers_of_a_pod_meet_on_localhost(field: Field, name: str) -> None:
    """P-5."""
    _, inbox = await field.open(field.web, ("127.0.0.1", 53))
    sender, _ = await field.open(field.web)
    sender.sendto(b"inside", (name, 53))
    data, peer = await inbox.data.get()
    assert (data, peer[0]) == (b"inside", "127.0.0.1")
    assert field.fabric.datagrams == []


async def test_a_second_bind_gets_address_in_use_and_closing_frees_it(field: Field) -> None:
    """P-6."""
    first, _ = await field.open(field.web, ("0.0.0.0", 53))
    with pytest.raises(OSError) as caught:
        await field.open(field.web, (WEB, 53))
    assert caught.value.errno == errno.EADDRINUSE
    first.close()
    await field.open(field.web, (WEB, 53))
    assert field.web.listening() == {("UDP", WEB, 53)}


async def test_only_a_connected_socket_hears_of_a_refusal(field: Field) -> None:
    """S-85."""
    connected, inbox = await field.open(field.client, None, (WEB, 1))
    connected.sendto(b"anybody?")
    assert isinstance(await inbox.errors.get(), ConnectionRefusedError)
    loose, other = await field.open(field.client)
    loose.sendto(b"anybody?", (WEB, 1))
    loose.sendto(b"anybody?", ("127.0.0.1", 1))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert other.errors.empty()


async def test_a_datagram_larger_than_allowed_is_too_long_and_the_largest_passes(
    field: Field,
) -> None:
    _, inbox = await field.open(field.web, ("0.0.0.0", 53))
    sender, own = await field.open(field.client, None, (WEB, 53))
    largest = field.client.datagram_bytes_max
    assert 60_000 < largest < 65_507
    sender.sendto(bytes(largest + 1))
    error = await own.errors.get()
    assert isinstance(error, OSError) and error.errno == errno.EMSGSIZE
    sender.sendto(bytes(largest))
    assert len((await inbox.data.get())[0]) == largest and inbox.data.empty()


async def test_pods_have_no_six(field: Field) -> None:
    with pytest.raises(OSError) as caught:
        await field.open(field.client, None, ("fd00::5", 53))
    assert caught.value.errno == errno.ENETUNREACH
    sender, own = await field.open(field.client)
    sender.sendto(b"six", ("fd00::5", 53))
    error = await own.errors.get()
    assert isinstance(error, OSError) and error.errno == errno.ENETUNREACH


async def test_a_connected_socket_sends_to_and_hears_its_peer_alone(field: Field) -> None:
    sender, own = await field.open(field.client, None, (WEB, 53))
    with pytest.raises(ValueError, match="must be None or"):
        sender.sendto(b"elsewhere", (WEB, 54))
    sender.sendto(b"there", (WEB, 53))
    stranger, _ = await field.open(field.web)
    stranger.sendto(b"noise", sender.get_extra_info("sockname"))
    friend, _ = await field.open(field.web, ("0.0.0.0", 53))
    friend.sendto(b"answer", sender.get_extra_info("sockname"))
    assert (await own.data.get())[0] == b"answer" and own.data.empty()


async def test_what_names_no_address_is_told_at_once(field: Field) -> None:
    sender, _ = await field.open(field.client)
    with pytest.raises(ValueError, match="resolve the name first"):
        sender.sendto(b"x", ("web", 53))
    with pytest.raises(OSError) as caught:
        sender.sendto(b"x")
    assert caught.value.errno == errno.EDESTADDRREQ


async def test_what_a_transport_says_of_itself(field: Field) -> None:
    connected, _ = await field.open(field.client, None, (WEB, 53))
    sock = connected.get_extra_info("socket")
    assert sock.getpeername() == connected.get_extra_info("peername") == (WEB, 53)
    assert sock.getsockname() == connected.get_extra_info("sockname")
    assert connected.get_extra_info("sockname")[0] == CLIENT
    loose, inbox = await field.open(field.client)
    assert loose.get_extra_info("peername", "none") == "none"
    assert loose.get_extra_info("compression") is None
    with pytest.raises(OSError) as caught:
        loose.get_extra_info("socket").getpeername()
    assert caught.value.errno == errno.ENOTCONN
    assert loose.get_protocol() is inbox and loose.get_write_buffer_size() == 0
    other = Inbox()
    loose.set_protocol(other)
    assert loose.get_protocol() is other


async def test_a_closed_socket_neither_sends_nor_hears_and_its_program_is_told_once(
    field: Field,
) -> None:
    _, inbox = await field.open(field.web, ("0.0.0.0", 53))
    sender, own = await field.open(field.client, None, (WEB, 53))
    sender.abort()
    sender.close()
    sender.sendto(b"too late")
    await own.lost.wait()
    assert sender.is_closing() and inbox.data.empty()
    assert field.client.listening() == frozenset()


async def test_a_containers_end_closes_its_sockets(field: Field) -> None:
    """P-62."""
    loop = asyncio.get_running_loop()
    container = SignalTable()
    transport, inbox = await field.fabric.run(
        field.web, lambda: loop.create_datagram_endpoint(Inbox, ("0.0.0.0", 53)), container
    )
    field.web.release(SignalTable())
    assert not transport.is_closing()
    field.web.release(container)
    await inbox.lost.wait()
    assert field.web.listening() == frozenset()
