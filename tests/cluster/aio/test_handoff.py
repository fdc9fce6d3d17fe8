"""Sockets change hands between processes: each arrives whole, once, or comes back."""

import asyncio
import errno
import os
import resource
import socket
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from cluster.aio import handoff, handoff_server
from cluster.aio.handoff import Handoff, new_instance, place
from cluster.aio.handoff_server import HandoffServer
from cluster.aio.streams import close
from cluster.wire.addresses import Protocol, SocketAddress
from cluster.wire.flow import Flow, FlowContext, Origin, OriginKind
from cluster.wire.handover import Ended, Handed

PATIENCE_SECONDS = 10
TURNS_MAX = 10_000


@pytest.fixture
def run_dir() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="kh-") as path:  # short, as a socket's path is
        yield Path(path)


class Process:
    """One end: what it took, what was lost, what came back."""

    def __init__(self, run_dir: Path, name: str, **bounds: Any) -> None:
        self.name = name
        self.taken: list[tuple[socket.socket, Handed]] = []
        self.lost: list[str] = []
        self.back: list[tuple[str, Handed]] = []
        self.ended: list[Ended] = []
        self.relieved = 0
        self.changed = asyncio.Event()
        self.handoff = Handoff(
            run_dir,
            new_instance(name),
            undelivered=self._given_back,
            ended=self._told(self.ended),
            relieved=self._relieved,
            **bounds,
        )
        self.server = HandoffServer(
            place(run_dir, name), taken=self._taken, lost=self._told(self.lost, many=True)
        )
        self.server.start()

    def _taken(self, sock: socket.socket, handed: Handed) -> None:
        self.taken.append((sock, handed))
        self.changed.set()

    def _given_back(self, name: str, left: list[tuple[socket.socket, Handed]]) -> None:
        for sock, handed in left:
            sock.close()
            self.back.append((name, handed))
        self.changed.set()

    def _relieved(self) -> None:
        self.relieved += 1
        self.changed.set()

    def _told(self, where: list[Any], *, many: bool = False) -> Any:
        def told(news: Any) -> None:
            where.extend(news if many else [news])
            self.changed.set()

        return told

    async def until(self, holds: Any) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not holds():
                self.changed.clear()
                await self.changed.wait()

    def close(self) -> None:
        self.handoff.close()
        self.server.close()
        for sock, _ in self.taken:
            close(sock)


class Field:
    """Two processes, and connections to hand over."""

    def __init__(self, run_dir: Path) -> None:
        self.run_dir = run_dir
        self.near, self.far = Process(run_dir, "gateway"), Process(run_dir, "node-1")
        self._kept: list[socket.socket] = []

    def connection(self, number: int = 0) -> tuple[socket.socket, socket.socket, Handed]:
        """The client's end, the accepted one, and the flow it is."""
        client, accepted = socket.socketpair()
        self._kept += [client, accepted]
        return client, accepted, flow(number)

    def give(self, count: int) -> list[socket.socket]:
        """Hand over so many, together."""
        clients = []
        self.near.handoff.gather()
        for number in range(count):
            client, accepted, handed = self.connection(number)
            assert self.near.handoff.give("node-1", accepted, handed)
            clients.append(client)
        self.near.handoff.flush()
        return clients

    def close(self) -> None:
        self.near.close()
        self.far.close()
        for sock in self._kept:
            sock.close()


def flow(number: int, passed: tuple[str, ...] = ("gateway#1",)) -> Handed:
    address = SocketAddress("203.0.113.7", 1024 + number)
    seen = Flow(Protocol.TCP, address, SocketAddress("127.65.0.1", 80))
    context = FlowContext(
        flow_id=f"{number:016x}",
        flow=seen,
        original=seen,
        origin=Origin(OriginKind.OUTSIDE, "203.0.113.7"),
    )
    return Handed(context, passed)


@pytest.fixture
async def field(run_dir: Path) -> AsyncIterator[Field]:
    made = Field(run_dir)
    yield made
    made.close()


def descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


@pytest.fixture
def small_buffer(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a few sockets fill a peer's queue."""
    monkeypatch.setattr(handoff, "SEND_BUFFER_BYTES", 1)  # the system's own least


async def test_a_socket_arrives_with_its_flow_and_is_closed_where_it_was(field: Field) -> None:
    client, accepted, handed = field.connection(7)
    assert field.near.handoff.give("node-1", accepted, handed)
    await field.far.until(lambda: field.far.taken)
    ((sock, said),) = field.far.taken
    assert said == handed
    assert accepted.fileno() == -1
    client.send(b"word")
    assert sock.recv(10) == b"word"
    sock.close()
    assert client.recv(10) == b""  # no copy was kept


async def test_many_arrive_in_order_each_with_its_own_socket(field: Field) -> None:
    clients = field.give(150)
    for number, client in enumerate(clients):
        client.send(str(number).encode())
    await field.far.until(lambda: len(field.far.taken) == 150)
    for number, (sock, handed) in enumerate(field.far.taken):
        assert handed == flow(number)
        assert sock.recv(10) == str(number).encode()
    assert field.near.handoff.given == 150 and field.near.handoff.waiting == 0


async def test_nobody_there_takes_nothing(field: Field, run_dir: Path) -> None:
    _, accepted, handed = field.connection()
    assert not field.near.handoff.give("node-9", accepted, handed)
    assert accepted.fileno() >= 0
    field.far.server.close()
    assert not field.near.handoff.reachable("node-1")
    assert not place(run_dir, "node-1").exists()


async def test_a_process_that_appears_is_found_after_a_while(
    run_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not at once: on another machine it would be looked for in vain for each connection."""
    near = Process(run_dir, "gateway")
    assert not near.handoff.reachable("node-1")
    far = Process(run_dir, "node-1")
    assert not near.handoff.reachable("node-1")
    monkeypatch.setattr(near.handoff, "_absent", {"node-1": 0.0})  # it is later
    assert near.handoff.reachable("node-1")
    near.close()
    far.close()


@pytest.mark.usefixtures("small_buffer")
async def test_a_peer_that_does_not_read_holds_up_and_loses_nothing(run_dir: Path) -> None:
    """Back-pressure: a full queue makes the giver congested, and relieves it in the end."""
    field = Field(run_dir)
    field.near.handoff.queue_max = 20
    field.far.server.pause()
    field.give(1)
    count = 1
    while not field.near.handoff.congested("node-1"):
        field.give(8)
        count += 8
        await asyncio.sleep(0)
        assert count < 400
    assert field.near.handoff.any_congested
    field.far.server.resume()
    await field.far.until(lambda: len(field.far.taken) == count)
    assert [handed.context.flow_id for _, handed in field.far.taken][:3] == [
        f"{number:016x}" for number in (0, 0, 1)
    ]
    assert field.near.relieved >= 1 and not field.near.handoff.any_congested
    field.close()


async def test_far_more_than_congested_is_refused(run_dir: Path) -> None:
    field = Field(run_dir)
    field.near.handoff.queue_max = 10
    field.near.handoff.gather()
    given = 0
    while field.near.handoff.reachable("node-1"):
        _, accepted, handed = field.connection()
        assert field.near.handoff.give("node-1", accepted, handed)
        given += 1
    _, accepted, handed = field.connection()
    assert not field.near.handoff.give("node-1", accepted, handed)
    assert given == handoff.QUEUES_FULL * 10
    field.near.handoff.flush()
    await field.far.until(lambda: len(field.far.taken) == given)
    field.close()


@pytest.mark.usefixtures("small_buffer")
async def test_what_a_peer_never_takes_comes_back(run_dir: Path) -> None:
    field = Field(run_dir)
    field.near.handoff.stuck_seconds = 0.01
    field.far.server.pause()
    while not field.near.handoff.waiting:
        field.give(8)
        await asyncio.sleep(0)
    await field.near.until(lambda: field.near.back)
    assert field.near.handoff.waiting == 0
    assert {name for name, _ in field.near.back} == {"node-1"}
    field.close()


@pytest.mark.usefixtures("small_buffer")
async def test_a_peer_that_stood_still_has_not_lost_whoever_waited_for_it(run_dir: Path) -> None:
    """The connection stays: its end would say that the giver is dead, and reset what it gave."""
    field = Field(run_dir)
    field.near.handoff.stuck_seconds = 0.01
    field.near.handoff.queue_max = 8
    field.far.server.pause()
    count = 0
    while not field.near.handoff.congested("node-1"):
        field.give(8)
        count += 8
        await asyncio.sleep(0)
    await field.near.until(lambda: field.near.back)
    assert not field.near.handoff.reachable("node-1")
    assert field.near.relieved == 1 and not field.near.handoff.any_congested
    field.near.handoff.tell_died(["elsewhere#1"])
    field.far.server.resume()
    await field.far.until(lambda: field.far.lost)
    assert field.far.lost == ["elsewhere#1"]
    assert len(field.far.taken) == count - len(field.near.back)
    for _ in range(TURNS_MAX):
        await asyncio.sleep(0)
        if field.near.handoff.reachable("node-1"):
            break
    field.give(1)
    await field.far.until(lambda: len(field.far.taken) == count - len(field.near.back) + 1)
    field.close()


@pytest.mark.usefixtures("small_buffer")
async def test_a_peer_that_hears_no_news_is_left(
    run_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handoff, "NEWS_MAX", 3)
    field = Field(run_dir)
    field.far.server.pause()
    while not field.near.handoff.waiting:
        field.give(8)
        await asyncio.sleep(0)
    for number in range(4):
        assert field.near.handoff._ways
        field.near.handoff.tell_died([f"elsewhere#{number}"])
    assert not field.near.handoff._ways and field.near.back
    field.close()


@pytest.mark.usefixtures("small_buffer")
async def test_the_end_of_a_peer_gives_back_and_leaks_nothing(run_dir: Path) -> None:
    before = descriptors()
    field = Field(run_dir)
    field.far.server.pause()
    clients: list[socket.socket] = []
    while not field.near.handoff.waiting:
        clients += field.give(8)
        await asyncio.sleep(0)
    waiting = field.near.handoff.waiting
    field.far.server.close()
    await field.near.until(lambda: field.near.back)
    assert len(field.near.back) == waiting
    for client in clients:  # those the kernel held are closed by it
        client.setblocking(False)
        assert client.recv(1) == b""
    field.close()
    assert descriptors() == before


async def test_too_many_descriptors_in_flight_are_waited_for(
    field: Field, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ETOOMANYREFS has no event of its own: it is tried again."""
    field.give(1)
    await field.far.until(lambda: field.far.taken)
    (way,) = field.near.handoff._ways.values()
    real = way._sock

    class Full:
        refusals = 3

        def sendmsg(self, *arguments: Any) -> int:
            if self.refusals:
                self.refusals -= 1
                raise OSError(errno.ETOOMANYREFS, os.strerror(errno.ETOOMANYREFS))
            return real.sendmsg(*arguments)

        def __getattr__(self, name: str) -> Any:
            return getattr(real, name)

    monkeypatch.setattr(way, "_sock", Full())
    field.give(3)
    await field.far.until(lambda: len(field.far.taken) == 4)


async def test_descriptors_that_stay_in_flight_are_not_waited_for_without_end(
    field: Field, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each new attempt that fails is no reason to be patient anew."""
    field.near.handoff.stuck_seconds = 3 * handoff.IN_FLIGHT_PAUSE_SECONDS
    field.give(1)
    await field.far.until(lambda: field.far.taken)
    (way,) = field.near.handoff._ways.values()
    real = way._sock

    class Full:
        def sendmsg(self, *_: Any) -> int:
            raise OSError(errno.ETOOMANYREFS, os.strerror(errno.ETOOMANYREFS))

        def __getattr__(self, name: str) -> Any:
            return getattr(real, name)

    monkeypatch.setattr(way, "_sock", Full())
    field.give(3)
    await field.near.until(lambda: len(field.near.back) == 3)


async def test_a_death_is_told_to_those_who_had_sockets_from_it(field: Field) -> None:
    field.give(1)
    await field.far.until(lambda: field.far.taken)
    field.near.handoff.tell_died(["elsewhere#1"])
    await field.far.until(lambda: field.far.lost)
    field.near.handoff.close()
    await field.far.until(lambda: len(field.far.lost) == 2)
    assert field.far.lost == ["elsewhere#1", field.near.handoff.instance]


async def test_of_two_that_die_together_the_others_hear(field: Field, run_dir: Path) -> None:
    """Whoever tells of a death may find that the first to be told is dead as well."""
    other = Process(run_dir, "node-2")
    field.give(1)
    await field.far.until(lambda: field.far.taken)
    assert field.near.handoff.reachable("node-2")
    field.far.server.close()
    field.near.handoff.tell_died(["elsewhere#1"])
    await other.until(lambda: other.lost)
    assert other.lost == ["elsewhere#1"]
    other.close()


async def test_a_peer_that_is_there_is_not_dead_whoever_says_so(
    field: Field, run_dir: Path
) -> None:
    other = Process(run_dir, "node-2")
    field.give(1)
    await field.far.until(lambda: field.far.taken)
    assert other.handoff.reachable("node-1")
    other.handoff.tell_died([field.near.handoff.instance, "elsewhere#1"])
    await field.far.until(lambda: field.far.lost)
    assert field.far.lost == ["elsewhere#1"]
    other.close()


async def test_a_flow_that_cannot_be_taken_harms_no_other(
    field: Field, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    take = field.far.server.taken

    def taken(sock: socket.socket, handed: Handed) -> None:
        assert handed != flow(1)
        take(sock, handed)

    monkeypatch.setattr(field.far.server, "taken", taken)
    clients = field.give(3)
    await field.far.until(lambda: len(field.far.taken) == 2)
    assert clients[1].recv(1) == b""
    assert "flow lost" in caplog.text
    caplog.clear()


async def test_the_ends_of_flows_come_back_in_portions(field: Field) -> None:
    field.give(1)
    await field.far.until(lambda: field.far.taken)
    names = [f"{number:016x}" for number in range(2500)]
    passed = ("first#1", field.near.handoff.instance)
    field.far.server.tell_ended(12.5, passed, names)
    await field.near.until(lambda: len(field.near.ended) == 3)
    assert [name for each in field.near.ended for name in each.flow_ids] == names
    assert field.near.ended[0].passed == passed and field.near.ended[0].at == 12.5
    field.far.server.tell_ended(1.0, ("nobody#1",), names[:5])
    assert field.far.server.unsaid == 5


async def test_a_peer_that_breaks_the_format_is_left_alone(
    field: Field, caplog: pytest.LogCaptureFixture
) -> None:
    field.give(1)
    await field.far.until(lambda: field.far.taken)
    field.far.server._by_instance[field.near.handoff.instance].tell(b"what?")
    await field.far.until(lambda: field.far.lost)
    assert field.near.handoff._ways == {}


# The taking side


async def stranger(field: Field, *messages: bytes, descriptors: list[int] | None = None) -> bytes:
    """Speak to a server as anybody may; how it answers: with the end."""
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as sock:
        sock.setblocking(False)
        sock.connect(str(place(field.run_dir, "node-1")))
        for message in messages[:-1]:
            sock.send(message)
        socket.send_fds(sock, [messages[-1]], descriptors or [])
        try:
            return await asyncio.wait_for(loop.sock_recv(sock, 100), PATIENCE_SECONDS)
        except ConnectionResetError:  # it closed with something of ours unread
            return b""


@pytest.mark.parametrize(
    "messages",
    [
        (b"\xc1",),
        (handoff.encode_flows([flow(1)]),),  # no hello before
        (handoff.encode_hello("x#1"), handoff.encode_hello("x#1")),
        (handoff.encode_hello("x#1"), handoff.encode_flows([flow(1), flow(2)])),  # one descriptor
    ],
)
async def test_a_stranger_ends_its_own_connection_alone(
    field: Field, messages: tuple[bytes, ...]
) -> None:
    before = descriptors()
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert await stranger(field, *messages, descriptors=[theirs.fileno()]) == b""
        theirs.close()
        assert ours.recv(1) == b""  # whatever came with it is closed
    assert descriptors() == before
    field.give(1)
    await field.far.until(lambda: field.far.taken)


async def test_descriptors_that_run_out_stop_the_reading_before(
    field: Field, run_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of all peers, and of messages that wait already: each could bring more than are left."""
    server, other = field.far.server, Process(run_dir, "node-2")
    field.give(1)
    _, accepted, handed = field.connection()
    assert other.handoff.give("node-1", accepted, handed)
    await field.far.until(lambda: len(field.far.taken) == 2)
    monkeypatch.setattr(server, "reserve", resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    monkeypatch.setattr(handoff_server, "RESERVE_PAUSE_SECONDS", PATIENCE_SECONDS)
    field.give(20)
    field.near.handoff._flush()  # two messages, not one
    field.give(20)
    await field.far.until(lambda: len(field.far.taken) == 22)
    _, accepted, handed = field.connection()
    assert other.handoff.give("node-1", accepted, handed)
    server.pause()
    server.resume()
    for _ in range(10):
        await asyncio.sleep(0)
    server._try_again()
    assert not server.reading and len(field.far.taken) == 22
    monkeypatch.setattr(server, "reserve", 0)
    server._try_again()
    await field.far.until(lambda: len(field.far.taken) == 43)
    assert server.reading
    other.close()


async def test_sockets_that_could_not_be_received_are_counted_and_told(
    field: Field, caplog: pytest.LogCaptureFixture
) -> None:
    field.give(1)
    await field.far.until(lambda: field.far.taken)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest = os.dup(0)
    os.close(highest)
    clients = field.give(2)
    resource.setrlimit(resource.RLIMIT_NOFILE, (highest, hard))
    try:
        for _ in range(TURNS_MAX):
            await asyncio.sleep(0)
            if field.far.server.void:
                break
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert field.far.server.void == 2 and "ulimit -n" in caplog.text
    for client in clients:
        assert client.recv(1) == b""


async def test_a_socket_left_by_a_killed_process_is_replaced(run_dir: Path) -> None:
    field = Field(run_dir)
    close(field.far.server._sock)  # as the kernel does
    again = Process(run_dir, "node-1")
    field.give(1)
    await again.until(lambda: again.taken)
    field.close()
    again.close()
