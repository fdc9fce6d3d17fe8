"""Bytes between an outside client and a pod, by each way in: all of them, once, in order."""

import asyncio
import hashlib
import socket

import pytest

from tests.processes.flows.client import WAIT_SECONDS, dialled
from tests.processes.flows.ground import WAYS, Ground
from tests.processes.flows.programs.talker import PATTERN

LARGE_BYTES = 24_000_001  # more than all buffers on the way together
HELD_BYTES_MAX = 64 * 2**20  # by those buffers
PATIENCE_SECONDS = 0.25  # no room for so long: the way is full
SMALL = 2000  # writes
PIECE = b"x" * 65536

ways = pytest.mark.parametrize("way", WAYS)


def pattern(count: int) -> bytes:
    """The bytes that a talker sends."""
    whole, rest = divmod(count, len(PATTERN))
    return PATTERN * whole + PATTERN[:rest]


@ways
async def test_much_from_the_client_arrives_and_is_answered_after_its_end(
    ground: Ground, way: str
) -> None:
    """The client ends its side and still hears what the pod says then."""
    data = pattern(LARGE_BYTES)
    async with ground.connected(way=way) as client:
        client.send("sink\n")
        client.send(data)
        client.finish()
        assert await client.rest() == f"{len(data)} {hashlib.sha256(data).hexdigest()}\n".encode()


@ways
async def test_much_from_the_pod_arrives_to_its_end(ground: Ground, way: str) -> None:
    async with ground.connected(way=way) as client:
        client.send(f"source {LARGE_BYTES}\n")
        assert await client.rest() == pattern(LARGE_BYTES)


@ways
async def test_much_goes_both_ways_at_once(ground: Ground, way: str) -> None:
    data = pattern(LARGE_BYTES // 4)
    async with ground.connected(way=way) as client:
        client.send("echo\n")
        client.send(data)
        client.finish()
        assert await client.rest() == data


@ways
async def test_small_writes_are_neither_lost_nor_out_of_order(ground: Ground, way: str) -> None:
    lines = [f"line {number}\n" for number in range(SMALL)]
    async with ground.connected(way=way) as client:
        client.writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.send("echo\n")
        for line in lines:
            client.send(line)  # the kernel takes each by itself, as long as it has room
        for line in lines:
            assert await client.line() + "\n" == line


@ways
async def test_what_is_sent_at_once_is_there_when_the_pod_gets_the_connection(
    ground: Ground, way: str
) -> None:
    """Sent while the pod's node does nothing at all: nobody has taken the connection yet."""
    async with ground.stopped("node-2"):
        target = await ground.front(way=way)
        async with dialled(target) as client:
            client.send("sink\nearly")
            client.finish()
            await client.sent()
            await ground.go_on("node-2")
            assert (await client.rest()).startswith(b"5 ")


@ways
async def test_a_pod_that_speaks_first_is_heard(ground: Ground, way: str) -> None:
    async with ground.connected(way=way, port="greet") as client:
        assert await client.line() == "hello from talker-2"
        assert (await client.ask("who a")).startswith("talker-2 ")


@ways
async def test_a_pod_that_does_not_read_holds_its_client_back(ground: Ground, way: str) -> None:
    """The buffers on the way fill up and the client cannot send; then all that it sent arrives."""
    name = f"slow-{ground.path}-{way}"
    async with ground.connected(way=way) as client:
        assert await client.ask(f"{name}: pause") == "paused"
        sock = client.writer.get_extra_info("socket")
        count = await full(sock)
        assert 0 < count < HELD_BYTES_MAX
        assert await ground.ask(f"resume {name}") == "resumed"
        client.finish()
        digest = hashlib.sha256()
        digest.update(PIECE * (count // len(PIECE)) + PIECE[: count % len(PIECE)])
        assert await client.line() == f"{count} {digest.hexdigest()}"


async def full(sock: socket.socket) -> int:
    """Send until there is no room any more, and for a while no new; how much that was."""
    loop = asyncio.get_running_loop()
    count = 0
    own = sock.dup()
    with socket.socket(fileno=own.detach()) as raw:
        raw.setblocking(False)
        while count < HELD_BYTES_MAX:
            room = loop.create_future()
            loop.add_writer(raw, room.set_result, None)
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await room
            except TimeoutError:
                return count
            finally:
                loop.remove_writer(raw)
            count += raw.send(PIECE)
    return count


@ways
async def test_a_client_that_does_not_read_holds_its_pod_back(ground: Ground, way: str) -> None:
    """It reads when it likes; all of it is there."""
    async with ground.connected(way=way) as client:
        client.writer.transport.pause_reading()
        client.send(f"source {LARGE_BYTES}\n")
        async with ground.connected(way=way) as other:  # the pod is not kept from others
            assert (await other.ask("who a")).startswith("talker-2 ")
        client.writer.transport.resume_reading()
        assert await client.rest() == pattern(LARGE_BYTES)


@ways
async def test_a_connection_may_be_idle_and_goes_on(ground: Ground, way: str) -> None:
    """Many others come and go meanwhile."""
    async with ground.connected(way=way) as client:
        assert await client.ask("who before") != ""
        async with asyncio.timeout(WAIT_SECONDS):
            await asyncio.gather(*(ground.ask("who other", way=way) for _ in range(50)))
        assert await client.ask("still there") == "still there"
