"""/dial and /echo-datagram over a real HTTP connection, on a Unix socket as agents have it."""

import asyncio
import errno
import json
import socket

import aiohttp
import pytest
from aiohttp import web

from cluster.objects.resources import PODS
from cluster.wire.flow import FlowKind
from node_agent.kubelet.dial import kind_of


@pytest.fixture
async def address(kubelet, api, field, tmp_path):
    """The kubelet API on a Unix socket, with the pod shop/web running."""
    kubelet.pods.pod_changed(None, api.put(PODS, field.pod()))
    await field.until(lambda: kubelet.pods.find("shop", "web").attachment)
    runner = web.AppRunner(kubelet.app(), shutdown_timeout=0)
    await runner.setup()
    path = str(tmp_path / "kubelet.sock")
    await web.UnixSite(runner, path).start()
    yield path
    await runner.cleanup()


@pytest.fixture
async def server():
    async def shout(reader, writer):
        writer.write((await reader.read()).upper())
        writer.close()

    made = await asyncio.start_server(shout, "127.0.0.1", 0)
    yield made.sockets[0].getsockname()[1]
    made.close()
    await made.wait_closed()


async def dial(path, query, upgrade="kubehop-dial"):
    """Send the request; reader, writer, status line and headers of the answer."""
    reader, writer = await asyncio.open_unix_connection(path)
    lines = [f"GET /dial?{query} HTTP/1.1", "Host: kubelet", "Connection: Upgrade"]
    if upgrade:
        lines.append(f"Upgrade: {upgrade}")
    writer.write("\r\n".join([*lines, "", ""]).encode())
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    status, *fields = head.strip().split("\r\n")
    headers = dict(field.split(": ", 1) for field in fields)
    return reader, writer, status, headers


async def test_after_101_the_connection_is_the_pods(address, server, network):
    query = f"from=pod/shop/web&host=127.0.0.1&port={server}"
    reader, writer, status, headers = await dial(address, query)
    assert status == "HTTP/1.1 101 Switching Protocols"
    assert headers["Kubehop-Flow-Id"] == "00c0ffee00c0ffee"
    assert network.dialled[-1] == ("127.0.0.1", server, FlowKind.TRAFFIC, "uid-web")
    writer.write(b"quiet ")
    writer.write(b"words")
    writer.write_eof()
    assert await reader.read() == b"QUIET WORDS"
    writer.close()


async def test_the_node_dials_too(address, server, network):
    reader, writer, status, _ = await dial(address, f"from=node&host=10.96.0.20&port={server}")
    assert "101" in status
    assert network.dialled[-1] == ("10.96.0.20", server, FlowKind.TRAFFIC, None)
    writer.write_eof()
    assert await reader.read() == b""
    writer.close()


async def test_names_are_resolved_in_the_pods_own_context(address, server, network, monkeypatch):
    """The lookup must run where the pod's resolv.conf counts."""
    from node_agent.kubelet import dial as module

    asked = []

    async def awaited(lookup):
        asked.append(asyncio.current_task().get_name())
        return await lookup

    monkeypatch.setattr(module, "_awaited", awaited)
    _, writer, status, _ = await dial(address, f"from=pod/shop/web&host=localhost&port={server}")
    assert "101" in status
    assert asked == ["resolve localhost"]
    assert network.dialled[-1][0] == "127.0.0.1"
    writer.transport.abort()


class Refused(ConnectionRefusedError):
    flow_id = "0123456789abcdef"


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (Refused(errno.ECONNREFUSED, "Connection refused"), "refused"),
        (TimeoutError(errno.ETIMEDOUT, "Connection timed out"), "timeout"),
        (OSError(errno.EHOSTUNREACH, "No route to host"), "unreachable"),
    ],
)
async def test_what_a_flow_died_of_is_told(address, network, error, word):
    network.dial_failure = error
    reader, writer, status, headers = await dial(
        address, "from=pod/shop/web&host=10.96.0.20&port=80"
    )
    assert "502" in status
    body = json.loads(await reader.readexactly(int(headers["Content-Length"])))
    assert body["error"] == word
    assert body["message"].startswith("10.96.0.20:80: ")
    assert body["flowId"] == getattr(error, "flow_id", "")
    writer.close()


def test_an_unknown_name_is_nxdomain():
    assert kind_of(socket.gaierror(socket.EAI_NONAME, "Name or service not known")) == "nxdomain"


async def test_a_node_resolves_no_names(address):
    reader, writer, status, headers = await dial(address, "from=node&host=cart&port=80")
    assert "502" in status
    body = json.loads(await reader.readexactly(int(headers["Content-Length"])))
    assert body["error"] == "nxdomain"
    writer.close()


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("from=pod/shop/web&host=&port=80", 400),
        ("from=pod/shop/web&host=10.0.0.1&port=http", 400),
        ("from=pod/shop/web&host=10.0.0.1&port=65536", 400),
        ("from=moon&host=10.0.0.1&port=80", 400),
        ("from=pod/shop/other&host=10.0.0.1&port=80", 404),
    ],
)
async def test_requests_that_make_no_sense(address, query, code):
    _, writer, status, _ = await dial(address, query)
    assert status.split()[1] == str(code)
    writer.close()


async def test_without_the_upgrade_the_path_says_what_it_wants(address):
    _, writer, status, headers = await dial(address, "from=node&host=10.0.0.1&port=80", upgrade="")
    assert status.split()[1] == "426"
    assert headers["Upgrade"] == "kubehop-dial"
    writer.close()


@pytest.fixture
async def udp_server():
    class Echo(asyncio.DatagramProtocol):
        def connection_made(self, transport):
            self.transport = transport

        def datagram_received(self, data, addr):
            if data != b"silence":
                self.transport.sendto(b"got " + data, addr)

    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(Echo, local_addr=("127.0.0.1", 0))
    yield transport.get_extra_info("sockname")[1]
    transport.close()


async def post(path, query, data):
    connector = aiohttp.UnixConnector(path)
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        session.post(f"http://kubelet/echo-datagram?{query}", data=data) as answer,
    ):
        return answer.status, await answer.read()


async def test_a_datagram_goes_out_and_its_reply_comes_back(address, udp_server):
    query = f"from=pod/shop/web&host=127.0.0.1&port={udp_server}"
    assert await post(address, query, b"hi") == (200, b"got hi")


async def test_no_reply_is_504(address, udp_server):
    query = f"from=pod/shop/web&host=127.0.0.1&port={udp_server}&timeout=0.01"
    status, body = await post(address, query, b"silence")
    assert (status, body) == (504, b"no reply within 0.01 s")


async def test_datagrams_of_the_node_itself_are_not_built(address):
    status, _ = await post(address, "from=node&host=10.0.0.1&port=53", b"x")
    assert status == 501
