"""The event loop as the pods' kernel: an unmodified asyncio program is a pod."""

import asyncio
import errno
import signal
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from node_agent.cni.pod_context import SIGNALS, SignalTable
from node_agent.cni.pod_network import PodNetwork
from node_agent.cni.transport import PodTransport
from node_agent.loop import Escapes

WEB, CART, CLIENT = "10.244.1.5", "10.244.2.6", "10.244.1.9"


async def run_in(pod: PodNetwork, work: Callable[[], Awaitable[Any]]) -> Any:
    """Run a coroutine function as a pod's program."""
    return await asyncio.get_running_loop().create_task(work(), context=pod.context())  # type: ignore[arg-type]


async def serve(pod: PodNetwork, app: web.Application, port: int) -> None:
    async def start() -> None:
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, None, port).start()

    await run_in(pod, start)


def app_that(handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> web.Application:
    app = web.Application()
    app.router.add_get("/", handler)
    return app


async def fetch(url: str) -> Any:
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return await answer.json()


async def test_what_a_handler_dials_onward_is_the_pods_connection_too(fabric: Any) -> None:
    """The first contract: the chain client -> web -> cart shows each pod its neighbour (P-2)."""

    async def cart(request: web.Request) -> web.Response:
        return web.json_response({"cart_saw": request.remote})

    async def front(request: web.Request) -> web.Response:
        return web.json_response({"web_saw": request.remote, **await fetch(f"http://{CART}:80/")})

    await serve(fabric.pod("cart", CART), app_that(cart), 80)
    await serve(fabric.pod("web", WEB), app_that(front), 8080)
    client = fabric.pod("client", CLIENT)
    seen = await run_in(client, lambda: fetch(f"http://{WEB}:8080/"))
    assert seen == {"web_saw": CLIENT, "cart_saw": WEB}
    assert [str(origin) for origin, _, _ in fabric.connections] == [
        "pod/default/client",
        "pod/default/web",
    ]


async def test_both_ends_see_emulated_names(fabric: Any) -> None:
    """P-2, P-4: no real address shows."""
    server_names: dict[str, Any] = {}

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_names["peer"] = writer.get_extra_info("peername")
        server_names["own"] = writer.get_extra_info("sockname")
        writer.close()

    async def listen() -> asyncio.Server:
        return await asyncio.start_server(answer, "0.0.0.0", 7000)

    async def ask() -> Any:
        reader, writer = await asyncio.open_connection(WEB, 7000)
        await reader.read()
        names = writer.get_extra_info("sockname"), writer.get_extra_info("peername")
        writer.close()
        return names

    server = await run_in(fabric.pod("web", WEB), listen)
    assert [each.getsockname() for each in server.sockets] == [("0.0.0.0", 7000)]
    own, peer = await run_in(fabric.pod("client", CLIENT), ask)
    assert peer == (WEB, 7000) and own[0] == CLIENT
    assert server_names == {"peer": own, "own": peer}


async def test_a_second_container_that_binds_the_port_gets_address_in_use(fabric: Any) -> None:
    """P-6."""
    pod = fabric.pod("web", WEB)

    async def listen() -> asyncio.Server:
        return await asyncio.start_server(lambda r, w: None, None, 90)

    await run_in(pod, listen)
    with pytest.raises(OSError) as caught:
        await run_in(pod, listen)
    assert caught.value.errno == errno.EADDRINUSE


async def test_containers_of_a_pod_meet_on_localhost(fabric: Any) -> None:
    """P-5."""

    async def hello(request: web.Request) -> web.Response:
        return web.json_response({"saw": request.remote})

    pod = fabric.pod("twin", WEB)
    await serve(pod, app_that(hello), 95)
    assert await run_in(pod, lambda: fetch("http://localhost:95/")) == {"saw": "127.0.0.1"}


async def test_a_closed_port_refuses_a_pods_connection(fabric: Any) -> None:
    """P-9."""
    fabric.pod("web", WEB)
    with pytest.raises(ConnectionRefusedError):
        await run_in(
            fabric.pod("client", CLIENT), lambda: asyncio.open_connection(WEB, 1)
        )


async def test_half_close_reaches_the_peer_and_its_answer_still_comes(fabric: Any) -> None:
    async def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        data = await reader.read()
        writer.write(str(len(data)).encode())
        writer.write_eof()

    async def listen() -> None:
        await asyncio.start_server(count, None, 7000)

    async def ask() -> bytes:
        reader, writer = await asyncio.open_connection(WEB, 7000)
        writer.write(b"x" * 3_000_000)
        writer.write_eof()
        try:
            return await reader.read()
        finally:
            writer.close()

    await run_in(fabric.pod("web", WEB), listen)
    assert await run_in(fabric.pod("client", CLIENT), ask) == b"3000000"


async def test_datagrams_travel_between_pods_with_emulated_names(fabric: Any) -> None:
    answers: asyncio.Queue[tuple[bytes, Any]] = asyncio.Queue()

    class Echo(asyncio.DatagramProtocol):
        def connection_made(self, transport: Any) -> None:
            self.transport = transport

        def datagram_received(self, data: bytes, addr: Any) -> None:
            self.transport.sendto(b"echo " + data, addr)

    class Ask(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, addr: Any) -> None:
            answers.put_nowait((data, addr))

    loop = asyncio.get_running_loop()
    await run_in(
        fabric.pod("web", WEB),
        lambda: loop.create_datagram_endpoint(Echo, local_addr=("0.0.0.0", 9999)),
    )
    transport, _ = await run_in(
        fabric.pod("client", CLIENT),
        lambda: loop.create_datagram_endpoint(Ask, remote_addr=(WEB, 9999)),
    )
    transport.sendto(b"hello")
    assert await answers.get() == (b"echo hello", (WEB, 9999))
    assert fabric.datagrams[1].destination == transport.get_extra_info("sockname")


async def test_a_connected_datagram_socket_hears_of_a_refusal(fabric: Any) -> None:
    """S-85."""
    refused: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()

    class Ask(asyncio.DatagramProtocol):
        def error_received(self, exc: Exception) -> None:
            refused.set_result(exc)

    loop = asyncio.get_running_loop()
    transport, _ = await run_in(
        fabric.pod("client", CLIENT),
        lambda: loop.create_datagram_endpoint(Ask, remote_addr=(WEB, 1)),
    )
    transport.sendto(b"anybody?")
    assert isinstance(await refused, ConnectionRefusedError)


async def test_signals_are_the_containers_own(fabric: Any) -> None:
    loop = asyncio.get_running_loop()
    table = SignalTable()
    stopped = asyncio.Event()

    async def program() -> None:
        SIGNALS.set(table)
        loop.add_signal_handler(signal.SIGTERM, stopped.set)

    await run_in(fabric.pod("web", WEB), program)
    assert table.deliver(signal.SIGTERM) and stopped.is_set()
    assert not table.deliver(signal.SIGUSR1)


async def test_a_pod_cannot_start_processes(fabric: Any) -> None:
    with pytest.raises(OSError, match="cannot start processes"):
        await run_in(
            fabric.pod("web", WEB), lambda: asyncio.create_subprocess_exec("true")
        )


async def test_an_executor_keeps_the_pods_context_and_cannot_reach_the_real_network(
    fabric: Any,
) -> None:
    reports: list[str] = []
    escapes = Escapes(lambda pod, what: reports.append(f"{pod.origin.name}: {what}"))
    escapes.install()
    with socket.create_server(("127.0.0.1", 0)) as door:
        address = door.getsockname()

        async def leave() -> Any:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(None, socket.create_connection, address)

        with pytest.raises(OSError) as caught:
            await run_in(fabric.pod("web", WEB), leave)
        assert caught.value.errno == errno.ENETUNREACH
        assert reports == [f"default/web: socket.connect {address}"]
        socket.create_connection(address).close()  # the agent itself may


async def test_outside_a_pod_the_loop_is_the_real_one() -> None:
    async def hello(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")
        writer.close()

    async with await asyncio.start_server(hello, "127.0.0.1", 0) as server:
        name = server.sockets[0].getsockname()
        reader, writer = await asyncio.open_connection(*name)
        assert not isinstance(writer.transport, PodTransport)
        assert await reader.read() == b"hello"
        writer.close()


async def test_deleting_a_pod_ends_its_connections_and_listeners(fabric: Any) -> None:
    """P-60, P-62."""
    met = asyncio.Event()

    async def stay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        met.set()
        await reader.read()

    async def listen() -> None:
        await asyncio.start_server(stay, None, 7000)

    web_pod, client = fabric.pod("web", WEB), fabric.pod("client", CLIENT)
    await run_in(web_pod, listen)
    reader, writer = await run_in(client, lambda: asyncio.open_connection(WEB, 7000))
    await met.wait()
    web_pod.close()
    assert await reader.read() == b""
    assert web_pod.listening() == frozenset()
    writer.close()
