"""Who watches a socket is not to be seen: our epoll, or the loop after many calls or at once."""

import asyncio
import select
import socket
from collections.abc import Iterator

import pytest

from cluster.aio import watching
from cluster.aio.watching import CALLS_TO_STAY, Watch

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture(params=["epoll", "loop"])
def _where(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "loop":
        monkeypatch.delattr(watching.select, "epoll", raising=False)
    elif not hasattr(select, "epoll"):
        pytest.skip("this system has no epoll")


@pytest.fixture
def pair(_where: None) -> Iterator[Pair]:
    near, far = socket.socketpair()
    with near, far:
        near.setblocking(False)
        far.setblocking(False)
        yield near, far


class Called:
    """Counts calls, reads what there is, and can be waited for."""

    def __init__(self, sock: socket.socket) -> None:
        self.data = b""
        self.times = 0
        self._sock = sock
        self._more = asyncio.Event()

    def read(self) -> None:
        self.data += self._sock.recv(100)
        self.note()

    def note(self) -> None:
        self.times += 1
        self._more.set()

    async def until(self, times: int) -> None:
        async with asyncio.timeout(10):
            while self.times < times:
                self._more.clear()
                await self._more.wait()


async def test_what_comes_is_told_again_and_again_past_the_move_to_the_loop(pair: Pair) -> None:
    near, far = pair
    called = Called(near)
    watch = Watch(near.fileno())
    watch.read(called.read)
    for number in range(CALLS_TO_STAY * 2):
        far.send(b"x")
        await called.until(number + 1)
    assert called.data == b"x" * CALLS_TO_STAY * 2
    assert not watch.in_epoll
    watch.stop()
    assert not asyncio.get_running_loop().remove_reader(near.fileno()), "nobody watches it still"


async def test_unread_bytes_are_told_of_until_they_are_read(pair: Pair) -> None:
    near, far = pair
    called = Called(near)
    watch = Watch(near.fileno())
    watch.read(called.note)
    far.send(b"x")
    await called.until(3)
    watch.stop()


@pytest.mark.parametrize("calls_before", [0, CALLS_TO_STAY])
async def test_reading_and_writing_are_asked_for_apart(pair: Pair, calls_before: int) -> None:
    near, far = pair
    reads, writes = Called(near), Called(near)
    watch = Watch(near.fileno())
    watch.write(writes.note)
    await writes.until(calls_before + 1)
    watch.read(reads.read)
    watch.write(None)
    count = writes.times
    far.send(b"in")
    await reads.until(1)
    assert (reads.data, writes.times) == (b"in", count)
    watch.read(None)
    watch.write(writes.note)
    far.send(b"unseen")
    await writes.until(count + 2)
    assert reads.times == 1
    watch.stop()


async def test_whoever_is_stopped_hears_nothing_more(pair: Pair) -> None:
    near, far = pair
    other_near, other_far = socket.socketpair()
    with other_near, other_far:
        first, second = Watch(near.fileno()), Watch(other_near.fileno())
        heard: list[str] = []
        loop = asyncio.get_running_loop()
        both = loop.create_future()

        def stop_both(name: str) -> None:
            heard.append(name)
            first.stop()
            second.stop()
            both.set_result(None)

        first.read(lambda: stop_both("first"))
        second.read(lambda: stop_both("second"))
        far.send(b"x")
        other_far.send(b"x")
        await both
        await asyncio.sleep(0)
        assert len(heard) == 1
        first.stop()


async def test_an_end_of_file_and_a_reset_are_readable(pair: Pair) -> None:
    near, far = pair
    called = Called(near)
    watch = Watch(near.fileno())
    watch.read(called.note)
    far.close()
    await called.until(1)
    watch.stop()
