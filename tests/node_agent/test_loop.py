"""The event loop as the pods' kernel: an unmodified asyncio program is a pod."""

import asyncio
import contextvars
import errno
import signal
import socket
import ssl
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from node_agent.cni.pod_context import POD, SIGNALS, SignalTable
from node_agent.cni.pod_network import PodNetwork
from node_agent.cni.transport import PodTransport

WEB, CART, CLIENT = "10.244.1.5", "10.244.2.6", "10.244.1.9"


async def serve(fabric: Any, pod: PodNetwork, app: web.Application, port: int) -> web.AppRunner:
    async def start() -> web.AppRunner:
        runner = web.AppRunner(app, shutdown_timeout=1)
        await runner.setup()
        await web.TCPSite(runner, None, port).start()
        return runner

    return await fabric.run(pod, start)  # type: ignore[no-any-return]


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

    await serve(fabric, fabric.pod("cart", CART), app_that(cart), 80)
    await serve(fabric, fabric.pod("web", WEB), app_that(front), 8080)
    client = fabric.pod("client", CLIENT)
    seen = await fabric.run(client, lambda: fetch(f"http://{WEB}:8080/"))
    assert seen == {"web_saw": CLIENT, "cart_saw": WEB}
    assert [str(origin) for origin, _, _ in fabric.connections] == [
        "pod/default/client",
        "pod/default/web",
    ]


async def test_both_ends_of_a_stream_see_emulated_names(fabric: Any) -> None:
    """P-2, P-4: no real address shows, at the transport or at its socket."""
    seen: list[Any] = []

    def names(writer: asyncio.StreamWriter) -> dict[str, Any]:
        sock = writer.get_extra_info("socket")
        own, peer = writer.get_extra_info("sockname"), writer.get_extra_info("peername")
        assert (sock.getsockname(), sock.getpeername()) == (own, peer)
        return {"own": own, "peer": peer}

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(names(writer))
        writer.close()

    async def listen() -> asyncio.Server:
        return await asyncio.start_server(answer, "0.0.0.0", 7000)

    async def ask() -> Any:
        reader, writer = await asyncio.open_connection(WEB, 7000)
        await reader.read()
        writer.close()
        return names(writer)

    server = await fabric.run(fabric.pod("web", WEB), listen)
    assert [each.getsockname() for each in server.sockets] == [("0.0.0.0", 7000)]
    mine = await fabric.run(fabric.pod("client", CLIENT), ask)
    assert mine["peer"] == (WEB, 7000) and mine["own"][0] == CLIENT
    assert seen == [{"own": mine["peer"], "peer": mine["own"]}]


async def test_a_raw_socket_connects_by_the_loop_and_can_become_a_transport(fabric: Any) -> None:
    """aiohttp's happy eyeballs: `sock_connect`, then `create_connection(sock=...)`."""

    async def upper(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write((await reader.readline()).upper())
        writer.close()

    async def listen() -> None:
        await asyncio.start_server(upper, None, 7000)

    async def ask() -> Any:
        loop = asyncio.get_running_loop()
        with socket.socket() as sock:
            sock.setblocking(False)
            await loop.sock_connect(sock, (WEB, 7000))
            await loop.sock_sendall(sock, b"plain\n")
            plain = await loop.sock_recv(sock, 100)
        other = socket.socket()
        other.setblocking(False)
        await loop.sock_connect(other, (WEB, 7000))
        reader, writer = await asyncio.open_connection(sock=other)
        writer.write(b"stream\n")
        answer = await reader.read()
        writer.close()
        return plain, answer, writer.get_extra_info("peername")

    await fabric.run(fabric.pod("web", WEB), listen)
    answers = await fabric.run(fabric.pod("client", CLIENT), ask)
    assert answers == (b"PLAIN\n", b"STREAM\n", (WEB, 7000))


async def test_a_socket_pair_of_the_programs_own_stays_its_own(fabric: Any) -> None:
    async def talk() -> bytes:
        ours, theirs = socket.socketpair()
        reader, writer = await asyncio.open_connection(sock=ours)
        theirs.sendall(b"inside")
        theirs.close()
        try:
            return await reader.read()
        finally:
            writer.close()

    assert await fabric.run(fabric.pod("web", WEB), talk) == b"inside"


@pytest.mark.parametrize(
    "call",
    [
        lambda loop, sock: loop.create_server(asyncio.Protocol, sock=sock),
        lambda loop, sock: loop.create_datagram_endpoint(asyncio.DatagramProtocol, sock=sock),
        lambda loop, sock: loop.sock_connect(_Udp(sock), ("10.244.1.5", 53)),
    ],
)
async def test_what_a_pod_cannot_do_says_what_to_use_instead(fabric: Any, call: Any) -> None:
    with socket.socket() as sock:
        loop = asyncio.get_running_loop()
        with pytest.raises(OSError, match=r"a pod cannot use .*: (give|use)") as caught:
            await fabric.run(fabric.pod("web", WEB), lambda: call(loop, sock))
        assert caught.value.errno == errno.EOPNOTSUPP


class _Udp:
    family, type = socket.AF_INET, socket.SOCK_DGRAM

    def __init__(self, _: socket.socket) -> None:
        """Only its kind matters."""


async def test_tls_from_the_start_and_a_certificate_that_is_checked(
    fabric: Any, tls: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    server_tls, client_tls = tls

    async def hello(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"for " + str(writer.get_extra_info("peername")[0]).encode())
        writer.close()

    async def listen() -> None:
        await asyncio.start_server(hello, None, 443, ssl=server_tls)

    async def ask() -> bytes:
        reader, writer = await asyncio.open_connection("web", 443, ssl=client_tls)
        answer = await reader.read()
        writer.close()
        return answer

    await fabric.run(fabric.pod("web", WEB), listen)
    client = fabric.pod("client", CLIENT, {"web": WEB, "impostor": WEB})
    assert await fabric.run(client, ask) == f"for {CLIENT}".encode()

    with pytest.raises(ssl.SSLCertVerificationError):
        await fabric.run(client, lambda: asyncio.open_connection("impostor", 443, ssl=client_tls))


async def test_start_tls_keeps_the_emulated_names(
    fabric: Any, tls: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    server_tls, client_tls = tls

    async def upgrade(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"go\n")
        await writer.start_tls(server_tls)
        writer.write(f"hidden {writer.get_extra_info('peername')[0]}".encode())
        writer.close()

    async def listen() -> None:
        await asyncio.start_server(upgrade, None, 7000)

    async def ask() -> Any:
        reader, writer = await asyncio.open_connection(WEB, 7000)
        writer.write(b"STARTTLS\n")
        await reader.readline()
        await writer.start_tls(client_tls, server_hostname="web")
        answer = await reader.read()
        names = writer.get_extra_info("peername"), writer.get_extra_info("cipher") is not None
        writer.close()
        return answer, names

    await fabric.run(fabric.pod("web", WEB), listen)
    answer, names = await fabric.run(fabric.pod("client", CLIENT), ask)
    assert answer == f"hidden {CLIENT}".encode()
    assert names == ((WEB, 7000), True)


async def test_a_file_is_sent_by_an_unmodified_aiohttp(fabric: Any, tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(bytes(range(256)) * 8192)

    async def send(_: web.Request) -> web.FileResponse:
        return web.FileResponse(path)

    async def ask() -> bytes:
        async with aiohttp.ClientSession() as session, session.get(f"http://{WEB}/") as answer:
            return await answer.read()

    await serve(fabric, fabric.pod("web", WEB), app_that(send), 80)
    assert await fabric.run(fabric.pod("client", CLIENT), ask) == path.read_bytes()


async def test_sendfile_of_the_loop_takes_a_pods_transport(fabric: Any, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"contents")

    async def send(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with path.open("rb") as file:
            try:
                await asyncio.get_running_loop().sendfile(writer.transport, file)
            except NotImplementedError:  # uvloop has none: it says so, and programs fall back
                writer.write(b"contents")
        writer.close()

    async def listen() -> None:
        await asyncio.start_server(send, None, 7000)

    async def ask() -> bytes:
        reader, writer = await asyncio.open_connection(WEB, 7000)
        answer = await reader.read()
        writer.close()
        return answer

    await fabric.run(fabric.pod("web", WEB), listen)
    assert await fabric.run(fabric.pod("client", CLIENT), ask) == b"contents"


async def test_names_and_addresses_are_looked_up_as_the_pod_has_them(fabric: Any) -> None:
    """D-87."""
    loop = asyncio.get_running_loop()
    pod = fabric.pod("web", WEB, {"cart": CART})
    found = await fabric.run(pod, lambda: loop.getaddrinfo("cart", 80, type=socket.SOCK_STREAM))
    assert found == [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (CART, 80))]
    flags = socket.NI_NUMERICHOST
    assert await fabric.run(pod, lambda: loop.getnameinfo((CART, 80), flags)) == (CART, "80")


async def test_datagrams_travel_between_pods_with_emulated_names(fabric: Any) -> None:
    """P-2, P-4."""
    answers: asyncio.Queue[tuple[bytes, Any]] = asyncio.Queue()

    class Echo(asyncio.DatagramProtocol):
        def connection_made(self, transport: Any) -> None:
            self.transport = transport

        def datagram_received(self, data: bytes, addr: Any) -> None:
            assert POD.get() is web_pod
            self.transport.sendto(b"echo " + data, addr)

    class Ask(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, addr: Any) -> None:
            answers.put_nowait((data, addr))

    loop = asyncio.get_running_loop()
    web_pod = fabric.pod("web", WEB)
    await fabric.run(
        web_pod, lambda: loop.create_datagram_endpoint(Echo, local_addr=("0.0.0.0", 9999))
    )
    transport, _ = await fabric.run(
        fabric.pod("client", CLIENT),
        lambda: loop.create_datagram_endpoint(Ask, remote_addr=(WEB, 9999)),
    )
    transport.sendto(b"hello")
    assert await answers.get() == (b"echo hello", (WEB, 9999))
    assert fabric.datagrams[1].destination == transport.get_extra_info("sockname")


async def test_signals_are_the_containers_own(fabric: Any) -> None:
    """P-60."""
    loop = asyncio.get_running_loop()
    table = SignalTable()
    stopped = asyncio.Event()

    async def program() -> None:
        loop.add_signal_handler(signal.SIGTERM, stopped.set)
        loop.add_signal_handler(signal.SIGUSR1, stopped.set)
        assert loop.remove_signal_handler(signal.SIGUSR1)

    await fabric.run(fabric.pod("web", WEB), program, table)
    assert table.deliver(signal.SIGTERM) and stopped.is_set()
    assert not table.deliver(signal.SIGUSR1)


@pytest.mark.parametrize(
    "start", [lambda: asyncio.create_subprocess_exec("true"), lambda: _shell("true")]
)
async def test_a_pod_cannot_start_processes(fabric: Any, start: Any) -> None:
    with pytest.raises(OSError, match="cannot start processes") as caught:
        await fabric.run(fabric.pod("web", WEB), start)
    assert caught.value.errno == errno.EPERM


async def _shell(command: str) -> Any:
    return await asyncio.create_subprocess_shell(command)


@pytest.mark.parametrize("verb", ["stop", "close"])
async def test_a_pod_cannot_end_the_nodes_loop(fabric: Any, verb: str) -> None:
    loop = asyncio.get_running_loop()

    async def end() -> None:
        getattr(loop, verb)()

    with pytest.raises(RuntimeError, match="ends by SystemExit"):
        await fabric.run(fabric.pod("web", WEB), end)
    assert loop.is_running()


async def test_an_executor_keeps_the_pods_context_and_fails_closed(
    fabric: Any, escaped: list[str]
) -> None:
    """Which network a thread may use is decided by who started it."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        address = door.getsockname()

        async def leave() -> Any:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(None, socket.create_connection, address)

        with pytest.raises(OSError, match="only asyncio's calls use the pod's network") as caught:
            await fabric.run(fabric.pod("leaver", WEB), leave)
        assert caught.value.errno == errno.ENETUNREACH
        assert escaped == [f"default/leaver: socket.connect {address}"]
        socket.create_connection(address).close()  # the agent itself may


async def test_a_thread_of_the_executor_is_nobodys_but_its_jobs_are_their_pods(
    fabric: Any,
) -> None:
    """One pod's job must not leave its network behind in a thread that all pods share."""
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(1) as shared:

        async def job() -> Any:
            return await loop.run_in_executor(shared, POD.get)

        first, second = fabric.pod("web", WEB), fabric.pod("client", CLIENT)
        assert await fabric.run(first, job) is first
        assert await fabric.run(second, job) is second
        assert await loop.run_in_executor(shared, POD.get) is None


async def test_a_containers_default_executor_is_its_own_and_ends_with_it(fabric: Any) -> None:
    loop = asyncio.get_running_loop()
    table = SignalTable()
    executor = ThreadPoolExecutor(1, thread_name_prefix="mine")

    def name() -> str:
        import threading

        return threading.current_thread().name

    async def own() -> str:
        loop.set_default_executor(executor)
        found: str = await loop.run_in_executor(None, name)
        await loop.shutdown_default_executor()
        return found

    pod = fabric.pod("web", WEB)
    assert (await fabric.run(pod, own, table)).startswith("mine")
    assert not (await loop.run_in_executor(None, name)).startswith("mine")
    with pytest.raises(RuntimeError, match="shutdown"):
        executor.submit(name)


async def test_shutting_down_a_default_executor_leaves_the_nodes_in_place(fabric: Any) -> None:
    """`asyncio.run` of a program ends with it; the other pods still resolve and read files."""
    loop = asyncio.get_running_loop()
    await fabric.run(fabric.pod("web", WEB), loop.shutdown_default_executor, SignalTable())
    assert await loop.run_in_executor(None, lambda: 7) == 7


async def test_to_thread_runs_in_the_pods_context(fabric: Any) -> None:
    word: contextvars.ContextVar[str] = contextvars.ContextVar("word")

    async def think() -> str:
        word.set("mine")
        return await asyncio.to_thread(word.get)

    assert await fabric.run(fabric.pod("web", WEB), think) == "mine"
    assert SIGNALS.get() is None


async def test_outside_a_pod_the_loop_is_the_real_one() -> None:
    async def hello(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")
        writer.close()

    async with await asyncio.start_server(hello, "127.0.0.1", 0) as server:
        name = server.sockets[0].getsockname()
        reader, writer = await asyncio.open_connection(*name)
        assert not isinstance(writer.transport, PodTransport)
        assert await reader.read() == b"hello"
        writer.close()
    loop = asyncio.get_running_loop()
    assert (await loop.getaddrinfo("127.0.0.1", 80))[0][4] == ("127.0.0.1", 80)
    process = await asyncio.create_subprocess_exec("true")
    assert await process.wait() == 0
