"""Connections from a place, through the kubelet's own routes."""

import asyncio
import errno
import socket
from pathlib import Path
from typing import Any

import pytest

from cluster.errors import ConfigError, WireError
from cluster.traffic.access import Access
from cluster.traffic.dial import open_stream
from cluster.traffic.place import Place
from cluster.traffic.unreached import Unreached

WEB = Place.parse("pod/shop/web")


async def shout(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer when the client has ended: half-close is needed."""
    writer.write((await reader.read()).upper())
    writer.close()


async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A protocol in which the server speaks first."""
    writer.write(b"220 mail\r\n")
    writer.close()


async def test_a_pods_connection_is_its_own_and_named_by_the_kubelet(
    access: Access, shop: Any, machine: Any
) -> None:
    network = await machine.kubelet("node-1")
    network.targets["10.96.0.20", 80] = ("127.0.0.1", await machine.serve(shout))
    async with await open_stream(access, WEB, "10.96.0.20", 80) as stream:
        assert stream.flow_id == "00c0ffee00c0ffee"
        stream.writer.write(b"quiet ")
        stream.writer.write(b"words")
        stream.writer.write_eof()
        assert await stream.reader.read() == b"QUIET WORDS"
    assert network.dialled == [("10.96.0.20", 80, "uid-web")]


async def test_a_server_may_speak_first(access: Access, shop: Any, machine: Any) -> None:
    network = await machine.kubelet("node-1")
    network.targets["10.96.0.20", 25] = ("127.0.0.1", await machine.serve(greet))
    async with await open_stream(access, WEB, "10.96.0.20", 25) as stream:
        assert await stream.reader.readline() == b"220 mail\r\n"


async def test_more_than_buffers_hold_arrives_whole(
    access: Access, shop: Any, machine: Any
) -> None:
    sent = bytes(range(256)) * 40_000
    network = await machine.kubelet("node-1")
    network.targets["10.96.0.20", 80] = ("127.0.0.1", await machine.serve(shout))
    async with await open_stream(access, WEB, "10.96.0.20", 80) as stream:
        stream.writer.write(sent)
        stream.writer.write_eof()
        assert await stream.reader.read() == sent.upper()


async def test_a_node_dials_outside_of_any_pod(access: Access, shop: Any, machine: Any) -> None:
    network = await machine.kubelet("node-1")
    network.targets["10.244.1.5", 8080] = ("127.0.0.1", await machine.serve(greet))
    async with await open_stream(access, Place.parse("node/node-1"), "10.244.1.5", 8080) as stream:
        assert await stream.reader.read() == b"220 mail\r\n"
    assert network.dialled == [("10.244.1.5", 8080, None)]


async def test_a_node_knows_no_cluster_names(access: Access, shop: Any, machine: Any) -> None:
    """Its resolver is the host's; the cluster DNS serves pods."""
    await machine.kubelet("node-1")
    with pytest.raises(Unreached, match="no cluster names") as caught:
        await open_stream(access, Place.parse("node/node-1"), "cart", 80)
    assert caught.value.kind == "nxdomain"


async def test_an_outside_clients_flow_is_found_by_its_source(
    access: Access, machine: Any, made: Any
) -> None:
    gateway = await machine.process("gateway")

    async def record(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        port = writer.get_extra_info("peername")[1]
        gateway.record(made.segment(f"203.0.113.1:{port}", "127.65.0.1:80", flow_id="seen"))
        await reader.read()
        writer.close()

    port = await machine.serve(record)
    async with await open_stream(access, Place.parse("internet"), "localhost", port) as stream:
        assert stream.flow_id == "seen"


def refused() -> OSError:
    error = ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
    error.flow_id = "4c1f"  # type: ignore[attr-defined]
    return error


@pytest.mark.parametrize(
    ("error", "kind", "flow_id"),
    [
        (refused(), "refused", "4c1f"),
        (TimeoutError(errno.ETIMEDOUT, "Connection timed out"), "timeout", ""),
        (OSError(errno.ENETUNREACH, "Network is unreachable"), "unreachable", ""),
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "nxdomain", ""),
    ],
)
async def test_what_a_pods_program_would_see_is_what_is_raised(
    access: Access, shop: Any, machine: Any, error: OSError, kind: str, flow_id: str
) -> None:
    """O-20: the client's symptom; the trace is the flow's."""
    network = await machine.kubelet("node-1")
    network.targets["10.96.0.20", 80] = error
    with pytest.raises(Unreached, match=f"10.96.0.20:80 from pod/shop/web.*{error.strerror}") as e:
        await open_stream(access, WEB, "10.96.0.20", 80)
    assert e.value.kind == kind and e.value.flow_id == flow_id


async def test_silence_is_a_time_out_that_names_its_flow(
    access: Access, shop: Any, machine: Any
) -> None:
    """N-: a denied connection waits; the kubelet cannot name it yet, its record can be found."""
    network = await machine.kubelet("node-1")
    network.targets["10.96.0.20", 80] = None
    with pytest.raises(Unreached, match=r"no answer within 0\.1 s") as caught:
        await open_stream(access, WEB, "10.96.0.20", 80, timeout_seconds=0.1)
    assert caught.value.kind == "timeout" and caught.value.flow_id == "4c1f9a2b7d3e6f80"


async def test_a_pod_that_has_left_its_node_is_said(
    access: Access, shop: Any, machine: Any, made: Any
) -> None:
    from cluster.objects.resources import PODS

    shop.put(PODS, made.pod("gone"))
    await machine.kubelet("node-1")
    with pytest.raises(ConfigError, match=r"pod shop/gone does not run on this node.*kubectl"):
        await open_stream(access, Place.parse("pod/shop/gone"), "10.96.0.20", 80)


async def test_a_stopped_node_is_unreachable(access: Access, shop: Any, machine: Any) -> None:
    await machine.kubelet("node-1")
    await machine.stop("node-1")
    with pytest.raises(
        Unreached, match=r"kubelet of node-1 does not answer.*is the node stopped"
    ) as e:
        await open_stream(access, WEB, "10.96.0.20", 80)
    assert e.value.kind == "unreachable"


async def answer_with(path: Path, reply: bytes) -> asyncio.Server:
    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(reply)
        writer.close()

    return await asyncio.start_unix_server(say, str(path))


@pytest.mark.parametrize(
    ("reply", "error", "words"),
    [
        (b"", Unreached, "closed before it answered"),
        (b"HTTP/1.1 101 Swit", Unreached, "closed before it answered"),
        (b"SSH-2.0\r\n\r\n", WireError, "no HTTP/1.1 reply"),
        (b"HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\nbang", WireError, "500: bang"),
        (b"HTTP/1.1 502 Bad\r\nContent-Length: 4\r\n\r\nbang", Unreached, "web: bang"),
    ],
)
async def test_a_kubelet_that_breaks_the_format_is_told_apart(
    access: Access, shop: Any, tmp_path: Path, reply: bytes, error: type[Exception], words: str
) -> None:
    server = await answer_with(tmp_path / "node-1.sock", reply)
    with pytest.raises(error, match=words):
        await open_stream(access, WEB, "10.96.0.20", 80)
    server.close()


async def test_what_comes_behind_the_reply_in_one_piece_is_the_connections(
    access: Access, shop: Any, tmp_path: Path
) -> None:
    head = b"HTTP/1.1 101 S\r\nKubehop-Flow-Id: f\r\n\r\n"
    server = await answer_with(tmp_path / "node-1.sock", head + b"220 mail\r\n")
    async with await open_stream(access, WEB, "10.96.0.20", 25) as stream:
        assert await stream.reader.read() == b"220 mail\r\n"
    server.close()
