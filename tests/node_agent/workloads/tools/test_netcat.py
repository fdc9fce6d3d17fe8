"""nc in a pod: its command line, both directions of TCP and UDP, scans, servers."""

import asyncio
from typing import Any

import pytest

from node_agent.workloads.tools.netcat.options import failed, parse_nc, succeeded
from node_agent.workloads.tools.options import UsageError
from node_agent.workloads.tools.process import Captured, Pipe

WEB, CLIENT = "10.244.1.5", "10.244.1.9"


def test_the_command_line() -> None:
    wanted = parse_nc(["-zvw1", "web", "80-82"])
    assert (wanted.scan, wanted.verbose, wanted.seconds) == (True, True, 1.0)
    assert (wanted.host, wanted.ports) == ("web", (80, 81, 82))
    for words in (["-l", "8080"], ["-l", "-p", "8080"], ["-lp", "8080"]):
        assert (parse_nc(words).host, parse_nc(words).ports) == ("", (8080,))
    assert parse_nc(["-l", "127.0.0.1", "http"]).ports == (80,)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["web", "port"], "port number invalid: port"),
        (["web", "9" * 5000], "port number invalid: 9"),
        (["-w", "9" * 5000, "web", "1"], "timeout invalid: 9"),
        (["-w", "x", "web", "1"], "timeout invalid: x"),
        (["-e", "sh", "web", "1"], "-e is not served here"),
        ([], "missing destination"),
        (["-l"], "usage: nc"),
        (["-~"], "invalid option -- '~'"),
    ],
)
def test_what_makes_no_sense(words: list[str], said: str) -> None:
    with pytest.raises(UsageError, match=f"^{said}"):
        parse_nc(words)


def test_messages() -> None:
    assert succeeded("web", WEB, 80, udp=False, numeric=False) == (
        f"Connection to web ({WEB}) 80 port [tcp/http] succeeded!\n"
    )
    assert failed(WEB, WEB, 81, "Connection refused", udp=False) == (
        f"connect to {WEB} port 81 (tcp) failed: Connection refused"
    )
    assert failed(WEB, WEB, 81, None, udp=False).endswith("timed out: Operation now in progress")


@pytest.fixture
async def client(podded: Any) -> Any:
    return podded("client", CLIENT, hosts={"web": WEB})


@pytest.fixture
async def upper(fabric: Any) -> None:
    """A server that answers with capitals once it has heard everything."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write((await reader.read()).upper())
        writer.close()

    class Echo(asyncio.DatagramProtocol):
        def connection_made(self, transport: Any) -> None:
            self.transport = transport

        def datagram_received(self, data: bytes, addr: Any) -> None:
            self.transport.sendto(data.upper(), addr)

    async def work() -> None:
        await asyncio.start_server(serve, "0.0.0.0", 80)
        await asyncio.get_running_loop().create_datagram_endpoint(Echo, ("0.0.0.0", 53))

    await fabric.run(fabric.pod("web", WEB), work)


async def test_the_end_of_the_input_is_told_to_the_peer(client: Any, upper: None) -> None:
    result = await client.run("nc", "-N", "web", "80", stdin=b"hello\n")
    assert (result.code, result.out, result.err) == (0, "HELLO\n", "")


async def test_the_end_waits_for_the_beginning_of_an_answer(client: Any, fabric: Any) -> None:
    """As a program needs it that gives up at the end of its input."""
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(100))
        assert not reader.at_eof()
        writer.write(b"answer\n")
        heard.append(await reader.read())
        writer.close()

    async def work() -> None:
        await asyncio.start_server(serve, "0.0.0.0", 80)

    await fabric.run(fabric.pod("web", WEB), work)
    result = await client.run("nc", "web", "80", stdin=b"question\n")
    assert (result.code, result.out, heard) == (0, "answer\n", [b"question\n", b""])


async def test_a_scan(client: Any, upper: None) -> None:
    result = await client.run("nc", "-zv", "web", "80-81")
    assert result.code == 0
    assert f"Connection to web ({WEB}) 80 port [tcp/http] succeeded!\n" in result.err
    assert result.err.splitlines()[1].startswith(f"nc: connect to web ({WEB}) port 81 (tcp) failed")
    silent = await client.run("nc", "-z", "web", "81")
    assert (silent.code, silent.err) == (1, "")


async def test_an_unknown_host(client: Any) -> None:
    result = await client.run("nc", "nowhere", "80")
    assert result.code == 1
    assert result.err.startswith('nc: getaddrinfo for host "nowhere" port 80: ')


async def test_datagrams(client: Any, upper: None) -> None:
    result = await client.run("nc", "-u", "-w", "1", "web", "53", stdin=b"ping")
    assert (result.code, result.out) == (0, "PING")
    closed = await client.run("nc", "-u", "-w", "1", "web", "54", stdin=b"ping")
    assert closed.code == 1
    assert (await client.run("nc", "-zu", "web", "54")).code == 1


async def test_a_server_takes_one_connection(client: Any, fabric: Any) -> None:
    async def ask() -> bytes:
        reader, writer = await asyncio.open_connection(CLIENT, 7000)
        writer.write(b"to the server")
        writer.write_eof()
        answer = await reader.read()
        writer.close()
        return answer

    serving = asyncio.ensure_future(client.run("nc", "-lv", "-p", "7000", stdin=b"to the caller"))
    await fabric.until(lambda: ("TCP", "0.0.0.0", 7000) in client.pod.listening())
    assert await fabric.run(fabric.pod("other", WEB), ask) == b"to the caller"
    result = await serving
    assert (result.code, result.out) == (0, "to the server")
    assert result.err.startswith("Listening on 0.0.0.0 7000\nConnection received on 10.244.1.5 ")
    assert not client.pod.listening()


async def test_a_port_that_is_taken(client: Any, fabric: Any) -> None:
    async def work() -> None:
        await asyncio.start_server(lambda *_: None, "0.0.0.0", 7000)

    await fabric.run(client.pod, work)
    result = await client.run("nc", "-l", "7000")
    assert result.code == 1
    assert "ddress already in use" in result.err


async def test_a_server_of_datagrams_answers_its_last_peer(client: Any, fabric: Any) -> None:
    received = asyncio.get_running_loop().create_future()

    class Ask(asyncio.DatagramProtocol):
        def connection_made(self, transport: Any) -> None:
            transport.sendto(b"hello\n")

        def datagram_received(self, data: bytes, addr: Any) -> None:
            received.set_result(data)

    async def ask() -> None:
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(Ask, remote_addr=(CLIENT, 7000))

    keys, out = Pipe(), Captured()
    words = ("nc", "-lu", "7000")
    serving = asyncio.ensure_future(
        client.commands.run(words, stdin=keys, stdout=out, stderr=Captured())
    )
    await fabric.until(lambda: client.pod.listening())
    await fabric.run(fabric.pod("other", WEB), ask)
    await fabric.until(lambda: out.text)
    await keys.write(b"back\n")
    assert (await received, out.text) == (b"back\n", "hello\n")
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    await fabric.until(lambda: not client.pod.listening())  # what a command opened ends with it
