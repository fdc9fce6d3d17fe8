"""port-forward: connections to localhost inside a pod, half-closes, and ports that refuse."""

import asyncio

import pytest

from cluster.objects.resources import PODS
from cluster.wire.channels import Channel, ChannelFrame
from cluster.wire.flow import FlowKind


@pytest.fixture
async def pod(kubelet, api, field):
    kubelet.pods.pod_changed(None, api.put(PODS, field.pod()))
    await field.until(lambda: kubelet.pods.find("shop", "web").attachment)


@pytest.fixture
async def server():
    """Answers in capitals, once all has been said."""

    async def shout(reader, writer):
        writer.write((await reader.read()).upper())
        writer.close()

    made = await asyncio.start_server(shout, "127.0.0.1", 0)
    yield made.sockets[0].getsockname()[1]
    made.close()
    await made.wait_closed()


async def answered(channels):
    said = b""
    async with asyncio.timeout(5):
        while (frame := await channels.receive()) is not None and not frame.end:
            assert frame.channel is Channel.STDOUT
            said += frame.data
    assert frame == ChannelFrame(Channel.STDOUT, end=True)
    assert await channels.receive() is None
    return said


async def test_a_connection_into_the_pod_with_a_half_close(pod, streams, server, network):
    channels = await streams(f"/portForward/shop/web?port={server}")
    await channels.send(Channel.STDIN, b"hello")
    await channels.send(Channel.STDIN, end=True)
    assert await answered(channels) == b"HELLO"
    assert network.dialled[-1][1:] == (server, FlowKind.TRAFFIC, "uid-web")


async def test_several_connections_do_not_wait_for_each_other(pod, streams, server):
    first = await streams(f"/portForward/shop/web?port={server}")
    second = await streams(f"/portForward/shop/web?port={server}")
    await first.send(Channel.STDIN, b"one")
    await second.send(Channel.STDIN, b"two")
    await second.send(Channel.STDIN, end=True)
    assert await answered(second) == b"TWO"
    await first.send(Channel.STDIN, end=True)
    assert await answered(first) == b"ONE"


async def test_a_port_that_refuses_is_told_in_the_usual_words(pod, streams, free_port):
    code, text = await streams(f"/portForward/shop/web?port={free_port}")
    assert code == 500
    assert text.startswith(f"error forwarding port {free_port} to pod web_shop, uid uid-web")
    assert text.endswith("connection refused")


@pytest.mark.parametrize("port", ["", "0", "65536", "http"])
async def test_what_is_no_port_is_refused(pod, streams, port):
    assert (await streams(f"/portForward/shop/web?port={port}"))[0] == 400


async def test_a_client_that_goes_takes_its_connection_along(pod, streams):
    gone = asyncio.Event()

    async def wait(reader, writer):
        await reader.read()
        writer.close()
        gone.set()

    server = await asyncio.start_server(wait, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    channels = await streams(f"/portForward/shop/web?port={port}")
    channels.abort()
    async with asyncio.timeout(5):
        await gone.wait()
    server.close()
    await server.wait_closed()
