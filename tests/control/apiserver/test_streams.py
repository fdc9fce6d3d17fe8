"""exec, attach and port-forward over real sockets: clients that speak as kubectl does, and a
kubelet in the test that speaks channels."""

import asyncio
import base64
import contextlib
import json
import random
import struct

import aiohttp
import pytest
from aiohttp import web

from cluster.aio.channels import Channels, taken_over
from cluster.objects.resources import NODES, PODS
from cluster.wire.channels import UPGRADE, Channel
from control.apiserver.app import ApiServer
from control.apiserver.kubelets import KUBELET_ANNOTATION, Kubelets
from control.apiserver.pod_log import PodLogs
from control.apiserver.streams import front
from control.apiserver.streams.front import FrontServer
from control.apiserver.streams.spdy_frames import (
    Data,
    FrameReader,
    FrameWriter,
    GoAway,
    RstStream,
    SynReply,
    SynStream,
)

SUCCESS = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
FAILED = {**SUCCESS, "status": "Failure", "message": "exit status 3", "reason": "NonZeroExitCode"}
EXEC = "/api/v1/namespaces/shop/pods/web/exec?command=cat&container=app&stdin=1&stdout=1&stderr=1"
FORWARD = "/api/v1/namespaces/shop/pods/web/portforward"
CHANNELS = "v4.channel.k8s.io"


class Kubelet:
    """A kubelet whose commands shout, and whose ports do so too; port 81 refuses."""

    def __init__(self):
        self.asked = []
        self.gone = asyncio.Event()
        self.status = SUCCESS
        self.dies = False  # as soon as a command has begun
        self.refuses = False

    async def handle(self, request):
        self.asked.append(request.path_qs)
        if self.refuses:
            return web.Response(status=404, text='container not found ("app")')
        if request.query.get("port") == "81":
            return web.Response(status=500, text="connect: connection refused")
        greeting = b"HTTP/1.1 101 Switching Protocols\r\n\r\n"
        assert request.headers["Upgrade"] == UPGRADE
        streams = taken_over(request.transport, request.transport.get_protocol(), greeting)
        channels = Channels(*streams)
        try:
            await self._serve(channels, command="port" not in request.query)
        except ConnectionError:
            pass
        finally:
            self.gone.set()
            await channels.close()
        return web.Response()

    async def _serve(self, channels, *, command):
        if command:
            begin = await channels.receive()
            if begin is None:
                return
            assert begin.channel is Channel.STATUS
            if self.dies:
                return
        while (frame := await channels.receive()) is not None:
            if frame.channel is Channel.RESIZE:
                await channels.send(Channel.STDERR, frame.data)
            elif frame.end:
                break
            else:
                await channels.send(Channel.STDOUT, frame.data.upper())
        if command:
            await channels.send(Channel.STDERR, b"done")
            await channels.send(Channel.STATUS, json.dumps(self.status).encode())
        else:
            await channels.send(Channel.STDOUT, end=True)


def pod(name, **status):
    spec = {"nodeName": "node-1", "containers": [{"name": "app", "image": "x"}]}
    metadata = {"name": name, "namespace": "shop", "uid": f"uid-{name}"}
    return {"metadata": metadata, "spec": spec, "status": {"phase": "Running", **status}}


@pytest.fixture
async def kubelet(directory):
    made = Kubelet()
    server = web.Server(made.handle, max_line_size=1 << 18)
    runner = web.ServerRunner(server, shutdown_timeout=0)
    await runner.setup()
    await web.UnixSite(runner, str(directory / "kubelet.sock")).start()
    yield made
    await runner.cleanup()


@pytest.fixture
async def address(registry, clock, directory, kubelet):
    """The API's socket, behind fronts; one node with the kubelet, and pods on it."""
    store = registry.store
    annotations = {KUBELET_ANNOTATION: f"unix:{directory / 'kubelet.sock'}"}
    store.put(
        (NODES.group, NODES.plural), {"metadata": {"name": "node-1", "annotations": annotations}}
    )
    store.put((PODS.group, PODS.plural), pod("web"))
    store.put((PODS.group, PODS.plural), pod("over", phase="Succeeded"))
    unbound = pod("unbound")
    del unbound["spec"]["nodeName"]
    store.put((PODS.group, PODS.plural), unbound)
    server = ApiServer(registry, PodLogs(store, Kubelets(store)), clock, random.Random(7))
    runner = web.ServerRunner(
        FrontServer(server.handle, handler_cancellation=True), shutdown_timeout=0
    )
    await runner.setup()
    path = str(directory / "api.sock")
    await web.UnixSite(runner, path).start()
    yield path
    store.close()
    await runner.cleanup()


@pytest.fixture
async def session(address):
    connector = aiohttp.UnixConnector(address)
    async with aiohttp.ClientSession("http://api", connector=connector) as made:
        yield made


# -- SPDY


class SpdyClient:
    """As kubectl's: waits for the 101, then speaks."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer
        self._frames, self._packer = FrameReader(), FrameWriter()
        self._ready = []
        self.head = ""

    @classmethod
    async def connect(cls, address, path, protocol="v4.channel.k8s.io", early=()):
        reader, writer = await asyncio.open_unix_connection(address)
        client = cls(reader, writer)
        lines = [
            f"POST {path} HTTP/1.1",
            "Host: api",
            "Content-Length: 0",
            "Connection: Upgrade",
            "Upgrade: SPDY/3.1",
            f"X-Stream-Protocol-Version: {protocol}",
        ]
        head = "\r\n".join([*lines, "", ""]).encode()
        writer.write(head + b"".join(map(client._packer.write, early)))
        client.head = (await reader.readuntil(b"\r\n\r\n")).decode()
        return client

    def send(self, *frames):
        self.writer.write(b"".join(map(self._packer.write, frames)))

    async def next(self):
        async with asyncio.timeout(5):
            while not self._ready:
                data = await self.reader.read(65536)
                if not data:
                    return None
                self._ready += self._frames.feed(data)
        return self._ready.pop(0)

    async def until_gone(self):
        """What each stream carried, and which have ended, until the server says goodbye."""
        carried, ended = {}, set()
        while not isinstance(frame := await self.next(), GoAway | None):
            if isinstance(frame, Data):
                carried[frame.stream] = carried.get(frame.stream, b"") + frame.data
                if frame.fin:
                    ended.add(frame.stream)
        return carried, ended

    async def close(self):
        self.writer.close()
        await self.writer.wait_closed()


OPEN = (
    SynStream(1, {"streamtype": "error"}),
    SynStream(3, {"streamtype": "stdin"}),
    SynStream(5, {"streamtype": "stdout"}),
    SynStream(7, {"streamtype": "stderr"}),
)


async def test_a_command_over_spdy(address, kubelet):
    client = await SpdyClient.connect(address, EXEC)
    assert client.head.startswith("HTTP/1.1 101 ")
    assert "X-Stream-Protocol-Version: v4.channel.k8s.io\r\n" in client.head
    client.send(*OPEN, Data(3, b"hello", fin=True))
    carried, ended = await client.until_gone()
    assert (carried[5], carried[7], json.loads(carried[1])) == (b"HELLO", b"done", SUCCESS)
    assert ended == {1, 3, 5, 7}
    where = "/exec/shop/web/app?stdin=true&stdout=true&stderr=true&command=cat"
    assert kubelet.asked == [where]
    await client.close()


async def test_a_command_may_be_long_and_of_any_text(address, kubelet):
    words = "%2Fbin%2Fsh" + "x" * 60_000 + "&command=%C3%BC%00%ff%0d%0a"
    client = await SpdyClient.connect(address, f"{EXEC}&command={words}")
    client.send(*OPEN, Data(3, b"", fin=True))
    carried, _ = await client.until_gone()
    assert json.loads(carried[1]) == SUCCESS
    assert len(kubelet.asked[0]) > 60_000
    await client.close()


async def test_what_a_client_sends_with_its_request_is_not_lost(address, kubelet):
    early = (*OPEN, Data(3, b"early", fin=True))
    client = await SpdyClient.connect(address, EXEC, early=early)
    carried, _ = await client.until_gone()
    assert carried[5] == b"EARLY"
    await client.close()


async def test_a_command_starts_when_all_its_streams_are_open(address, kubelet):
    client = await SpdyClient.connect(address, EXEC)
    client.send(*OPEN[:3])
    assert [await client.next() for _ in range(3)] == [SynReply(1), SynReply(3), SynReply(5)]
    client.send(Data(3, b"x", fin=True), OPEN[3])
    carried, _ = await client.until_gone()
    assert carried[5] == b"X"
    await client.close()


@pytest.mark.parametrize(
    ("protocol", "said"),
    [
        ("v4.channel.k8s.io", None),
        ("v2.channel.k8s.io", b"exit status 3"),
        ("channel.k8s.io", b"exit status 3"),
    ],
)
async def test_old_protocols_tell_a_failure_as_text(address, kubelet, protocol, said):
    kubelet.status = FAILED
    client = await SpdyClient.connect(address, EXEC, protocol)
    client.send(*OPEN, Data(3, b"", fin=True))
    carried, _ = await client.until_gone()
    assert carried[1] == (said or json.dumps(FAILED).encode())
    await client.close()


async def test_a_terminal_has_a_stream_for_its_size(address, kubelet):
    client = await SpdyClient.connect(address, EXEC + "&tty=1")
    resize = SynStream(7, {"streamtype": "resize"})
    client.send(*OPEN[:3], resize, Data(7, b'{"Width":80,"Height":24}'), Data(3, b"x"))
    frames = [await client.next() for _ in range(5)]
    assert frames[-1] == Data(5, b"X")
    client.send(Data(3, b"", fin=True))
    carried, _ = await client.until_gone()
    assert 7 not in carried or carried[7] == b""
    await client.close()


async def test_the_clients_going_ends_the_kubelets_connection(address, kubelet):
    client = await SpdyClient.connect(address, EXEC)
    client.send(*OPEN, Data(3, b"x"))
    while not isinstance(await client.next(), Data):
        pass
    await client.close()
    async with asyncio.timeout(5):
        await kubelet.gone.wait()


async def test_a_kubelet_that_dies_is_told_as_a_failure(address, kubelet):
    kubelet.dies = True
    client = await SpdyClient.connect(address, EXEC)
    client.send(*OPEN)
    carried, ended = await client.until_gone()
    status = json.loads(carried[1])
    assert (status["status"], status["reason"]) == ("Failure", "InternalError")
    assert "the connection to the kubelet was lost" in status["message"]
    assert ended == {1, 3, 5, 7}
    await client.close()


async def test_a_client_at_fault_gets_goaway_and_the_server_lives(address, session, kubelet):
    client = await SpdyClient.connect(address, EXEC)
    client.writer.write(b"\xff" * 100)
    assert (await client.next()).status == 1
    assert await client.next() is None
    await client.close()
    async with session.get("/api/v1/namespaces/shop/pods/web") as answer:
        assert answer.status == 200


@pytest.mark.parametrize(
    ("path", "protocol", "code", "words"),
    [
        (EXEC.replace("web", "nobody"), CHANNELS, 404, 'pods "nobody" not found'),
        (EXEC.replace("web", "over"), CHANNELS, 400, "current phase is Succeeded"),
        (EXEC.replace("web", "unbound"), CHANNELS, 400, "does not have a host assigned"),
        (EXEC.replace("=app", "=x"), CHANNELS, 400, "container x is not valid for pod web"),
        (EXEC.replace("=1", "=0"), CHANNELS, 400, "at least 1 of stdin"),
        (EXEC, "v9", 403, "unable to negotiate protocol"),
        (FORWARD.replace("web", "nobody"), "portforward.k8s.io", 404, "not found"),
    ],
)
async def test_what_is_refused_is_refused_before_the_upgrade(address, path, protocol, code, words):
    client = await SpdyClient.connect(address, path, protocol)
    assert client.head.startswith(f"HTTP/1.1 {code} ")
    length = int(client.head.lower().partition("content-length: ")[2].partition("\r")[0])
    status = json.loads(await client.reader.readexactly(length))
    assert (status["kind"], status["code"]) == ("Status", code)
    assert words in status["message"]
    async with asyncio.timeout(5):  # nothing more is read from it, so it is closed
        assert await client.reader.read() == b""
    await client.close()


async def test_a_kubelets_refusal_is_text_to_which_clients_add_their_words(address, kubelet):
    """`kubectl exec`: unable to upgrade connection: container not found ("app")."""
    kubelet.refuses = True
    client = await SpdyClient.connect(address, EXEC)
    assert client.head.startswith("HTTP/1.1 404 ")
    assert "text/plain" in client.head
    said = b'container not found ("app")'
    assert await client.reader.readexactly(len(said)) == said
    await client.close()


async def test_a_kubelet_that_is_not_there_is_503(address, registry):
    record = {"metadata": {"name": "node-1", "annotations": {}}}
    registry.store.put((NODES.group, NODES.plural), record)
    client = await SpdyClient.connect(address, EXEC)
    assert client.head.startswith("HTTP/1.1 503 ")
    await client.close()


# -- port-forward over SPDY


def pair(number, request_id, port="80"):
    told = {"port": port, "requestid": request_id}
    return (
        SynStream(number, {"streamtype": "error", **told}, fin=True),
        SynStream(number + 2, {"streamtype": "data", **told}),
    )


async def test_connections_are_forwarded_over_spdy(address, kubelet):
    client = await SpdyClient.connect(address, FORWARD, "portforward.k8s.io")
    assert client.head.startswith("HTTP/1.1 101 ")
    client.send(*pair(1, "0"), *pair(5, "1"), Data(3, b"one", fin=True), Data(7, b"two", fin=True))
    carried, ended = {}, set()
    while ended != {1, 3, 5, 7}:
        frame = await client.next()
        if isinstance(frame, Data):
            carried[frame.stream] = carried.get(frame.stream, b"") + frame.data
            ended |= {frame.stream} if frame.fin else set()
    assert (carried[3], carried[7], carried[1], carried[5]) == (b"ONE", b"TWO", b"", b"")
    assert kubelet.asked == ["/portForward/shop/web?port=80"] * 2
    await client.close()


async def test_nothing_waits_on_for_a_pair_that_is_there(address, kubelet):
    client = await SpdyClient.connect(address, FORWARD, "portforward.k8s.io")
    client.send(*pair(1, "0"), SynStream(5, {"streamtype": "error", "requestid": "1"}))
    client.send(Data(3, b"x"))
    while await client.next() != Data(3, b"X"):
        pass
    waiting = [each for each in asyncio.all_tasks() if each.get_name() == "port-forward pair"]
    assert len(waiting) == 1  # for the half of the second
    await client.close()


async def test_a_port_that_refuses_is_told_on_its_error_stream(address, kubelet):
    client = await SpdyClient.connect(address, FORWARD, "portforward.k8s.io")
    client.send(*pair(1, "0", port="81"))
    while not isinstance(frame := await client.next(), Data):
        pass
    assert frame == Data(1, b"connect: connection refused")
    await client.close()


async def test_a_reset_of_one_connection_ends_it_alone(address, kubelet):
    client = await SpdyClient.connect(address, FORWARD, "portforward.k8s.io")
    client.send(*pair(1, "0"), Data(3, b"x"))
    while not isinstance(await client.next(), Data):
        pass
    client.send(RstStream(3, 5))
    async with asyncio.timeout(5):
        await kubelet.gone.wait()
    client.send(*pair(5, "1"), Data(7, b"still here"))
    while (frame := await client.next()) != Data(7, b"STILL HERE"):
        assert isinstance(frame, SynReply | Data)
    await client.close()


# -- WebSockets


async def messages(socket):
    return [message.data async for message in socket]


@pytest.mark.parametrize("offered", [["v5.channel.k8s.io", CHANNELS], ["v5.channel.k8s.io"]])
async def test_a_command_over_a_websocket_that_can_end_its_input(session, kubelet, offered):
    async with session.ws_connect(EXEC, protocols=offered) as socket:
        assert socket.protocol == "v5.channel.k8s.io"
        await socket.send_bytes(b"\x00hello")
        await socket.send_bytes(b"\xff\x00")
        told = await messages(socket)
        assert socket.close_code == 1000
    assert told[:2] == [b"\x01HELLO", b"\x02done"]
    assert told[2][0] == 3
    assert json.loads(told[2][1:]) == SUCCESS


async def test_a_command_over_base64(session, kubelet):
    kubelet.status = FAILED
    protocol = "v4.base64.channel.k8s.io"
    async with session.ws_connect(EXEC, protocols=[protocol]) as socket:
        await socket.send_str("0" + base64.b64encode(b"hi").decode())
        assert await socket.receive_str() == "1"
        assert await socket.receive_str() == "1" + base64.b64encode(b"HI").decode()


async def test_a_websocket_that_closes_ends_the_kubelets_connection(session, kubelet):
    async with session.ws_connect(EXEC, protocols=[CHANNELS]) as socket:
        await socket.send_bytes(b"\x00x")
        await socket.receive()
    async with asyncio.timeout(5):
        await kubelet.gone.wait()


async def test_a_message_that_is_none_ends_the_websocket_and_nothing_else(session, kubelet):
    async with session.ws_connect(EXEC, protocols=["v5.channel.k8s.io"]) as socket:
        await socket.send_bytes(b"\xff")
        async with asyncio.timeout(5):
            assert (await socket.receive()).type in (
                aiohttp.WSMsgType.CLOSE,
                aiohttp.WSMsgType.CLOSED,
            )
    async with session.get("/api/v1/namespaces/shop/pods/web") as answer:
        assert answer.status == 200


async def test_a_get_without_an_upgrade_says_that_it_needs_one(session, kubelet):
    async with session.get(EXEC) as answer:
        status = await answer.json()
    assert (answer.status, status["code"]) == (400, 400)
    assert "Upgrade request required" in status["message"]


@pytest.mark.parametrize("protocols", [[CHANNELS], []])
async def test_ports_are_forwarded_by_channels(session, kubelet, protocols):
    """Python's clients: kr8s names no protocol."""
    async with session.ws_connect(f"{FORWARD}?ports=80&ports=81", protocols=protocols) as socket:
        first = [await socket.receive_bytes() for _ in range(4)]
        ports = [80, 80, 81, 81]
        assert first == [bytes([i]) + struct.pack("<H", port) for i, port in enumerate(ports)]
        assert await socket.receive_bytes() == b"\x03connect: connection refused"
        await socket.send_bytes(b"\x02to nobody")
        await socket.send_bytes(b"\x00hello")
        assert await socket.receive_bytes() == b"\x00HELLO"


async def test_spdy_in_a_websocket(session, kubelet):
    """kubectl from 1.31 on; where messages begin and end means nothing."""
    packer, reader = FrameWriter(), FrameReader()
    frames = [*pair(1, "0"), Data(3, b"hello", fin=True)]
    data = b"".join(map(packer.write, frames))
    async with session.ws_connect(FORWARD, protocols=["SPDY/3.1+portforward.k8s.io"]) as socket:
        for at in range(0, len(data), 7):
            await socket.send_bytes(data[at : at + 7])
        received = []
        while Data(1, b"", fin=True) not in received:
            received += reader.feed(await socket.receive_bytes())
    said = [each.data for each in received if isinstance(each, Data) and each.stream == 3]
    assert b"".join(said) == b"HELLO"


# -- the front


async def test_the_front_hands_on_what_comes_in_parts(address):
    reader, writer = await asyncio.open_unix_connection(address)
    for part in (b"GET /readyz HTT", b"P/1.1\r\nHost: api\r\n", b"Connection: close\r\n\r", b"\n"):
        writer.write(part)
        await asyncio.sleep(0)
    assert (await reader.read()).startswith(b"HTTP/1.1 200 ")
    writer.close()


async def test_spdy_elsewhere_is_served_as_if_it_had_not_been_asked_for(address):
    client = await SpdyClient.connect(address, "/api/v1/namespaces/shop/pods?x=1")
    assert client.head.startswith("HTTP/1.1 ")
    assert " 101 " not in client.head.partition("\r\n")[0]
    await client.close()


async def test_a_head_that_never_ends_is_aiohttps_to_refuse(address):
    reader, writer = await asyncio.open_unix_connection(address)
    writer.write(b"GET /readyz HTTP/1.1\r\nX: " + bytes(front.HEAD_BYTES_MAX).replace(b"\0", b"x"))
    assert (await reader.readline()).endswith(b" 400 Bad Request\r\n")
    writer.close()


async def test_a_first_head_that_does_not_come_ends_the_connection(address, monkeypatch):
    monkeypatch.setattr(front, "HEAD_SECONDS", 0.0)
    reader, writer = await asyncio.open_unix_connection(address)
    writer.write(b"GET /readyz")
    with_nothing = b""
    with contextlib.suppress(ConnectionResetError):
        assert await reader.read() == with_nothing
    writer.close()
