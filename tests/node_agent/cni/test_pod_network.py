"""The network as one pod sees it: ports, connections, datagrams, and the OSErrors of Linux."""

import asyncio
import errno
import socket
from typing import Any

import pytest

from cluster.wire.addresses import SocketAddress
from node_agent.cni.pod_context import POD, SignalTable
from node_agent.cni.pod_network import PodNetwork

WEB, CLIENT = "10.244.1.5", "10.244.1.9"


async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Keep a connection until its client ends it."""
    writer.write(b"hello\n")
    await reader.read()
    writer.close()


async def listen(host: Any = None, port: int = 7000) -> asyncio.Server:
    return await asyncio.start_server(hold, host, port)


async def dial(ip: str = WEB, port: int = 7000, **options: Any) -> Any:
    return await asyncio.open_connection(ip, port, **options)


async def greeting(ip: str, port: int = 7000) -> tuple[bytes, Any]:
    """The first line, and whom the client believes to be connected to."""
    reader, writer = await dial(ip, port)
    line = await reader.readline()
    writer.close()
    return line, writer.get_extra_info("peername")


# Ports


async def test_a_second_container_that_binds_the_port_gets_address_in_use(fabric: Any) -> None:
    """P-6."""
    pod = fabric.pod("web", WEB)
    await fabric.run(pod, listen, SignalTable())
    with pytest.raises(OSError) as caught:
        await fabric.run(pod, listen, SignalTable())
    assert caught.value.errno == errno.EADDRINUSE
    assert pod.listening() == {("TCP", "0.0.0.0", 7000)}


async def test_a_bind_that_fails_at_its_second_address_leaves_nothing_behind(fabric: Any) -> None:
    pod = fabric.pod("web", WEB)
    await fabric.run(pod, lambda: listen("127.0.0.1"))
    with pytest.raises(OSError, match="7000"):
        await fabric.run(pod, lambda: listen([WEB, "127.0.0.1"]))
    assert pod.listening() == {("TCP", "127.0.0.1", 7000)}


async def test_a_name_that_is_the_pods_own_can_be_bound_and_another_cannot(fabric: Any) -> None:
    pod = fabric.pod("web", WEB, {"web": WEB, "cart": "10.244.2.6"})
    await fabric.run(pod, lambda: listen("web"))
    assert pod.listening() == {("TCP", WEB, 7000)}
    with pytest.raises(OSError) as caught:
        await fabric.run(pod, lambda: listen("cart"))
    assert caught.value.errno == errno.EADDRNOTAVAIL


async def test_localhost_is_bound_once_though_it_has_two_addresses(fabric: Any) -> None:
    """A program binds "localhost" for both families; pods have one."""
    pod = fabric.pod("web", WEB)
    await fabric.run(pod, lambda: listen(["localhost", "127.0.0.1", "::1"]))
    assert pod.listening() == {("TCP", "127.0.0.1", 7000)}


async def test_neither_host_nor_port_is_a_value_error(fabric: Any) -> None:
    loop = asyncio.get_running_loop()
    pod = fabric.pod("web", WEB)
    for call in (loop.create_server, loop.create_connection):
        with pytest.raises(ValueError, match="specified"):
            await fabric.run(pod, lambda call=call: call(asyncio.Protocol))


# Connections


async def test_containers_of_a_pod_meet_on_localhost_on_different_ports(fabric: Any) -> None:
    """P-5, P-7: the guide's 90 and 95."""
    pod = fabric.pod("twin", WEB)
    first, second = SignalTable(), SignalTable()
    await fabric.run(pod, lambda: listen(None, 90), first)
    await fabric.run(pod, lambda: listen("localhost", 95), second)
    for name, port, container in (("localhost", 95, first), ("127.0.0.1", 90, second)):
        met = await fabric.run(pod, lambda n=name, p=port: greeting(n, p), container)
        assert met == (b"hello\n", ("127.0.0.1", port))
    assert fabric.connections == []  # no policy and no route is asked


@pytest.mark.parametrize("wildcard", ["0.0.0.0", "::1"])
async def test_a_wildcard_and_six_ones_reach_this_host(fabric: Any, wildcard: str) -> None:
    pod = fabric.pod("web", WEB)
    await fabric.run(pod, listen)
    line, peer = await fabric.run(pod, lambda: greeting(wildcard))
    assert (line, peer) == (b"hello\n", ("127.0.0.1", 7000))


async def test_a_pod_reaches_itself_by_its_own_address_through_the_router(fabric: Any) -> None:
    pod = fabric.pod("web", WEB)
    await fabric.run(pod, listen)
    assert (await fabric.run(pod, lambda: greeting(WEB)))[1] == (WEB, 7000)
    assert len(fabric.connections) == 1


async def test_a_closed_port_refuses(fabric: Any) -> None:
    """P-9."""
    fabric.pod("web", WEB)
    client = fabric.pod("client", CLIENT)
    with pytest.raises(ConnectionRefusedError):
        await fabric.run(client, dial)
    with pytest.raises(ConnectionRefusedError):
        await fabric.run(client, lambda: dial("127.0.0.1"))


async def test_pods_have_no_six(fabric: Any) -> None:
    with pytest.raises(OSError) as caught:
        await fabric.run(fabric.pod("client", CLIENT), lambda: dial("fd00::5"))
    assert caught.value.errno == errno.ENETUNREACH


async def test_each_address_of_a_name_is_tried_until_one_answers(fabric: Any) -> None:
    web = fabric.pod("web", WEB)
    await fabric.run(web, listen)
    client = fabric.pod("client", CLIENT)
    addresses = [SocketAddress("10.244.2.6", 7000), SocketAddress(WEB, 7000)]

    async def lookup(*_: Any) -> list[SocketAddress]:
        return addresses

    client._lookup = lookup
    assert (await fabric.run(client, lambda: greeting("two")))[1] == (WEB, 7000)
    addresses.pop()
    addresses.append(SocketAddress("10.244.3.7", 7000))
    with pytest.raises(ConnectionRefusedError):  # all for the same reason
        await fabric.run(client, lambda: greeting("two"))
    addresses.append(SocketAddress("fd00::5", 7000))
    with pytest.raises(OSError, match=r"Multiple exceptions: .*unreachable"):
        await fabric.run(client, lambda: greeting("two"))


async def test_a_client_may_choose_its_own_port(fabric: Any) -> None:
    await fabric.run(fabric.pod("web", WEB), listen)
    client = fabric.pod("client", CLIENT)

    async def ask() -> Any:
        _, writer = await dial(local_addr=(CLIENT, 5555))
        writer.close()
        return writer.get_extra_info("sockname")

    assert await fabric.run(client, ask) == (CLIENT, 5555)
    with pytest.raises(OSError) as caught:
        await fabric.run(client, lambda: dial(local_addr=(WEB, 5555)))
    assert caught.value.errno == errno.EADDRNOTAVAIL


async def test_the_name_that_led_to_a_destination_is_told_to_the_router(fabric: Any) -> None:
    """O-13: nothing was asked for a number, or for a name of the hosts file."""
    await fabric.run(fabric.pod("web", WEB), listen)
    client = fabric.pod("client", CLIENT, {"web": WEB})
    await fabric.run(client, lambda: greeting(WEB))
    await fabric.run(client, lambda: greeting("web"))
    assert fabric.resolved == [None, None]


async def test_a_protocol_factory_that_fails_closes_its_connection(fabric: Any) -> None:
    await fabric.run(fabric.pod("web", WEB), listen)
    client = fabric.pod("client", CLIENT)

    def broken() -> asyncio.Protocol:
        raise LookupError("no protocol today")

    loop = asyncio.get_running_loop()
    with pytest.raises(LookupError, match="no protocol today"):
        await fabric.run(client, lambda: loop.create_connection(broken, WEB, 7000))
    assert len(client.connections) == 0


# Ends


async def test_release_closes_what_one_container_opened_and_nothing_else(fabric: Any) -> None:
    """P-62: as a kernel closes a dead process's descriptors."""
    pod, client = fabric.pod("twin", WEB), fabric.pod("client", CLIENT)
    dead, alive = SignalTable(), SignalTable()

    async def datagrams(port: int) -> Any:
        loop = asyncio.get_running_loop()
        return await loop.create_datagram_endpoint(
            asyncio.DatagramProtocol, local_addr=("0.0.0.0", port)
        )

    for container, port in ((dead, 90), (alive, 95)):
        await fabric.run(pod, lambda p=port: listen(None, p), container)
        await fabric.run(pod, lambda p=port: datagrams(p), container)
    ended = await fabric.run(client, lambda: dial(WEB, 90))
    lives = await fabric.run(client, lambda: dial(WEB, 95))
    for reader, _ in (ended, lives):
        assert await reader.readline() == b"hello\n"

    pod.release(dead)
    assert pod.listening() == {("TCP", "0.0.0.0", 95), ("UDP", "0.0.0.0", 95)}
    assert await asyncio.wait_for(ended[0].read(), 10) == b""
    lives[1].write_eof()
    assert await asyncio.wait_for(lives[0].read(), 10) == b""  # answered by its own close
    with pytest.raises(ConnectionRefusedError):
        await fabric.run(client, lambda: dial(WEB, 90))
    await fabric.run(pod, lambda: listen(None, 90), SignalTable())  # it can start again
    for _, writer in (ended, lives):
        writer.close()


async def test_release_ends_the_connections_a_container_had_dialed(fabric: Any) -> None:
    """P-62: transports and plain sockets alike."""
    ends: asyncio.Queue[bytes] = asyncio.Queue()

    async def until_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends.put_nowait(await reader.read())
        writer.close()

    async def serve() -> None:
        await asyncio.start_server(until_end, None, 7000)

    async def plain() -> socket.socket:
        sock = socket.socket()
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, (WEB, 7000))
        return sock

    await fabric.run(fabric.pod("web", WEB), serve)
    client, container, other = fabric.pod("client", CLIENT), SignalTable(), SignalTable()
    held = await fabric.run(client, dial, container)
    sock = await fabric.run(client, plain, container)
    kept = await fabric.run(client, dial, other)
    assert len(client.connections) == 3
    client.release(container)
    assert [await asyncio.wait_for(ends.get(), 10) for _ in range(2)] == [b"", b""]
    assert held[1].is_closing() and sock.fileno() == -1
    assert len(client.connections) == 1 and not kept[1].is_closing()
    kept[1].close()


async def test_the_end_of_a_pod_closes_everything_at_once(fabric: Any) -> None:
    """P-60, P-62."""
    web_pod, client = fabric.pod("web", WEB), fabric.pod("client", CLIENT)
    await fabric.run(web_pod, listen)
    reader, writer = await fabric.run(client, dial)
    assert await reader.readline() == b"hello\n"
    web_pod.close()
    assert web_pod.listening() == frozenset()
    with pytest.raises(ConnectionRefusedError):
        await fabric.run(client, dial)
    assert await asyncio.wait_for(reader.read(), 10) == b""
    writer.close()
    web_pod.close()  # twice does no harm


async def test_what_a_connection_starts_runs_in_the_pod_that_listened(fabric: Any) -> None:
    seen: asyncio.Queue[PodNetwork | None] = asyncio.Queue()

    async def look(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.put_nowait(POD.get())
        writer.close()

    async def serve() -> None:
        await asyncio.start_server(look, None, 7000)

    web_pod = fabric.pod("web", WEB)
    await fabric.run(web_pod, serve)
    _, writer = await fabric.run(fabric.pod("client", CLIENT), dial)
    assert await seen.get() is web_pod
    writer.close()


async def test_files_of_the_pod_are_what_its_names_are(fabric: Any) -> None:
    """D-68, D-87."""
    pod = fabric.pod("web", WEB)
    assert pod.resolv_conf().startswith("nameserver 10.96.0.10\nsearch default.svc.cluster.local")
    assert pod.hosts_file() == f"{WEB} web\n"
    assert pod.ip == WEB
