"""Channels over real sockets: frames, back-pressure, the end; and a peer that has hung up."""

import asyncio
import socket

import pytest

from cluster.aio.channels import BUFFER_BYTES_MAX, Channels, taken_over, until_hung_up
from cluster.errors import WireError
from cluster.wire.channels import Channel, ChannelFrame, encode


async def pair():
    ours, theirs = socket.socketpair()
    made = [await asyncio.open_connection(sock=each) for each in (ours, theirs)]
    return [Channels(*each) for each in made]


async def closed(*channels):
    for each in channels:
        each.abort()
        await each.close()


async def test_frames_pass_both_ways_and_the_end_is_none():
    near, far = await pair()
    await near.send(Channel.STDIN, b"in")
    await far.send(Channel.STDOUT, b"out", end=True)
    assert await far.receive() == ChannelFrame(Channel.STDIN, b"in")
    assert await near.receive() == ChannelFrame(Channel.STDOUT, b"out")
    assert await near.receive() == ChannelFrame(Channel.STDOUT, end=True)
    await near.close()
    assert await far.receive() is None
    await closed(near, far)


async def test_what_was_said_last_is_read_though_input_was_left_unread():
    """A socket that is closed with unread input resets, and takes its last words with it."""
    near, far = await pair()
    for _ in range(4):
        await near.send(Channel.STDIN, bytes(1000))
    await far.send(Channel.STATUS, b"bye")
    finishing = asyncio.create_task(far.finish())
    assert await near.receive() == ChannelFrame(Channel.STATUS, b"bye")
    assert await near.receive() is None
    near.abort()
    await finishing
    await closed(near, far)


async def test_what_came_with_the_answer_comes_first():
    ours, theirs = socket.socketpair()
    reader, writer = await asyncio.open_connection(sock=ours)
    channels = Channels(reader, writer, encode(ChannelFrame(Channel.STATUS, b"early")))
    assert await channels.receive() == ChannelFrame(Channel.STATUS, b"early")
    theirs.close()
    assert await channels.receive() is None
    await closed(channels)


async def test_a_peer_that_speaks_something_else_is_a_wire_error():
    ours, theirs = socket.socketpair()
    channels = Channels(*await asyncio.open_connection(sock=ours))
    theirs.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    with pytest.raises(WireError):
        await channels.receive()
    theirs.close()
    await closed(channels)


async def test_who_sends_waits_for_a_peer_that_does_not_read():
    near, far = await pair()

    async def flood():
        for _ in range(64):
            await near.send(Channel.STDIN, bytes(BUFFER_BYTES_MAX))

    sending = asyncio.create_task(flood())
    for _ in range(20):
        await asyncio.sleep(0)
    assert near.transport.get_write_buffer_size() > 0
    assert near.transport.get_write_buffer_size() < 3 * BUFFER_BYTES_MAX
    assert not sending.done()
    far.abort()
    with pytest.raises(ConnectionError):
        await sending
    await closed(near, far)


async def test_sending_on_a_closed_connection_is_a_broken_pipe():
    near, far = await pair()
    near.abort()
    with pytest.raises(BrokenPipeError):
        await near.send(Channel.STDIN, b"late")
    await closed(near, far)


class Former(asyncio.Protocol):
    """A protocol whose transport is taken over."""

    def __init__(self):
        self.received = []
        self.lost = asyncio.Event()

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.received.append(data)

    def connection_lost(self, error):
        self.lost.set()


async def test_a_connection_that_is_taken_over_leaves_nothing_to_its_former_protocol():
    ours, theirs = socket.socketpair()
    loop = asyncio.get_running_loop()
    _, former = await loop.create_connection(Former, sock=ours)
    reader, writer = taken_over(former.transport, former, b"welcome", b"early ")
    other_reader, other_writer = await asyncio.open_connection(sock=theirs)
    assert await other_reader.readexactly(7) == b"welcome"
    other_writer.write(b"and late")
    assert await reader.readexactly(14) == b"early and late"
    other_writer.close()
    assert await reader.read() == b""
    writer.close()
    await former.lost.wait()
    assert former.received == []


class Turns:
    """A clock whose sleeps are turns of the loop."""

    async def sleep(self, seconds):
        await asyncio.sleep(0)


async def test_a_peer_that_hangs_up_is_noticed_though_nobody_reads():
    ours, theirs = socket.socketpair()
    _, former = await asyncio.get_running_loop().create_connection(Former, sock=ours)
    former.transport.pause_reading()
    theirs.sendall(b"unread")
    waiting = asyncio.create_task(until_hung_up(former.transport, Turns()))
    for _ in range(20):
        await asyncio.sleep(0)
    assert not waiting.done()
    theirs.close()
    async with asyncio.timeout(10):
        await waiting
    former.transport.abort()
    await former.lost.wait()
