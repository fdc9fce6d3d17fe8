"""What is gathered leaves in order, whole, to the right address, whoever makes the calls."""

import socket
from random import Random

import pytest

from cluster.aio.mmsg import MmsgBatch, MmsgOutgoing, coalesce, open_batch
from cluster.aio.outgoing import ARENA_BYTES, RUNS_MAX, Outgoing
from tests.cluster.aio.batches import WAYS_OUT, arrived, bound, name_of

UDP_BYTES_MAX = 65507  # over IPv4


@pytest.fixture(params=WAYS_OUT)
def outgoing(request: pytest.FixtureRequest) -> Outgoing:
    return WAYS_OUT[request.param]()


def all_of(sock: socket.socket, count: int) -> list[bytes]:
    batch = MmsgBatch(sock.family)
    got: list[bytes] = []
    while len(got) < count:
        got += [data for data, _ in arrived(batch, sock)]
    assert batch.receive(sock) == 0
    return got


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
@pytest.mark.parametrize("seed", range(5))
def test_datagrams_arrive_unaltered_in_order_at_the_right_address(
    outgoing: Outgoing, family: socket.AddressFamily, seed: int
) -> None:
    """Of all sizes, in runs that are cut and runs that cannot be, to receivers of both kinds."""
    dice = Random(seed)
    with bound(family, 4) as (sender, *receivers):
        wanted: dict[bytes, list[bytes]] = {name_of(each): [] for each in receivers}
        whole = open_batch(family, capacity=4, coalesced=coalesce(receivers[0]))
        for _ in range(30):
            name, head = dice.choice(list(wanted)), dice.randbytes(dice.choice((0, 60)))
            size = dice.choice((0, 1, 64, 1200))
            payloads = [dice.randbytes(size) for _ in range(dice.randint(1, 40))]
            payloads[-1] = dice.randbytes(dice.randint(0, 1200))
            left = payloads
            while left:
                left = left[outgoing.add(head, left, name) :]
                if left:
                    assert outgoing.flush(sender).dropped == 0
            wanted[name] += [head + each for each in payloads]
            outgoing.flush(sender)
            assert len(outgoing) == 0
            for receiver in receivers[1:]:
                expected = wanted[name_of(receiver)]
                assert all_of(receiver, len(expected)) == expected
                expected.clear()
            expected, got = wanted[name_of(receivers[0])], []
            while len(got) < len(expected):
                if whole.receive(receivers[0]):
                    got += whole.by_sender()[name_of(sender)]
            assert got == expected
            expected.clear()


def test_datagrams_of_one_size_to_one_address_are_one_run_where_the_kernel_cuts() -> None:
    outgoing = WAYS_OUT["segments"]()
    with bound(socket.AF_INET, 3) as (sender, one, two):
        for name in (name_of(one), name_of(two)):
            for _ in range(3):
                outgoing.add(b"head", (b"body",), name)
        outgoing.add(b"", (b"another size",), name_of(two))
        assert [run.count for run in outgoing._runs] == [3, 3, 1]
        assert outgoing.flush(sender).sent == len(all_of(one, 3)) + len(all_of(two, 4))


def test_what_is_gathered_is_bounded(outgoing: Outgoing) -> None:
    big, names = bytes(30_000), [bytes([number]) * 16 for number in range(RUNS_MAX + 1)]
    assert outgoing.add(b"", [big] * 100, bytes(16)) == ARENA_BYTES // len(big)
    outgoing.clear()
    assert [outgoing.add(b"", (b"x",), name) for name in names] == [1] * RUNS_MAX + [0]
    outgoing.clear()
    assert outgoing.add(b"", (b"x", bytes(ARENA_BYTES + 1)), bytes(16)) == 1


def test_what_the_kernel_refuses_is_dropped_and_the_others_leave(outgoing: Outgoing) -> None:
    with bound(socket.AF_INET, 2) as (sender, receiver):
        for data in (b"one", bytes(UDP_BYTES_MAX + 1), b"three"):
            outgoing.add(b"", (data,), name_of(receiver))
        outcome = outgoing.flush(sender)
        assert (outcome.sent, outcome.dropped, outcome.left) == (2, 1, ())
        assert outcome.reason == "Message too long"
        assert all_of(receiver, 2) == [b"one", b"three"]


def test_a_run_that_the_kernel_does_not_cut_is_sent_in_parts_and_no_such_run_is_made_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As where the way carries shorter ones only: it cuts none that are longer than it carries."""
    outgoing = WAYS_OUT["segments"]()
    real = MmsgOutgoing._transmit

    def narrow(self: MmsgOutgoing, sock: socket.socket, runs: list[object], first: int) -> int:
        run = runs[first]
        if run.count > 1 and run.size > 3:  # type: ignore[attr-defined]
            raise OSError(22, "Invalid argument")
        return real(self, sock, runs[: first + 1], first)  # type: ignore[arg-type]

    monkeypatch.setattr(MmsgOutgoing, "_transmit", narrow)
    with bound(socket.AF_INET, 2) as (sender, receiver):
        for _ in range(2):
            outgoing.add(b"", (b"long", b"over", b"and", b"out"), name_of(receiver))
            outcome = outgoing.flush(sender)
            assert (outcome.sent, outcome.dropped) == (4, 0)
            assert all_of(receiver, 4) == [b"long", b"over", b"and", b"out"]
        outgoing.add(b"", (b"long", b"over", b"and", b"out"), name_of(receiver))
        assert [run.count for run in outgoing._runs] == [1, 1, 2]


def test_a_run_that_is_refused_for_another_reason_is_dropped_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    outgoing = WAYS_OUT["segments"]()

    def forbidden(*_: object) -> int:
        raise PermissionError(1, "Operation not permitted")

    with bound(socket.AF_INET, 1) as (sock,):
        with monkeypatch.context() as patched:
            patched.setattr(MmsgOutgoing, "_transmit", forbidden)
            outgoing.add(b"", (b"one", b"two"), name_of(sock))
            outcome = outgoing.flush(sock)
        assert (outcome.dropped, outcome.reason) == (2, "Operation not permitted")
        outgoing.add(b"", (b"one", b"two"), name_of(sock))
        assert [run.count for run in outgoing._runs] == [2]


def test_what_the_kernel_does_not_take_is_given_back_in_order(
    outgoing: Outgoing, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise BlockingIOError

    monkeypatch.setattr(outgoing, "_transmit", full)
    with bound(socket.AF_INET, 1) as (sock,):
        name = name_of(sock)
        outgoing.add(b">", (b"one", b"two", b"three", b""), name)
        outgoing.add(b"", (b"",), name)
        outcome = outgoing.flush(sock)
        expected = [(data, name) for data in (b">one", b">two", b">three", b">", b"")]
        assert (outcome.sent, outcome.left) == (0, expected)
        assert len(outgoing) == 0


def test_an_empty_datagram_is_one(outgoing: Outgoing) -> None:
    with bound(socket.AF_INET, 2) as (sender, receiver):
        outgoing.add(b"", (b"", b"", b""), name_of(receiver))
        assert outgoing.flush(sender).sent == 3
        assert all_of(receiver, 3) == [b""] * 3


def test_a_full_arena_has_room_for_what_needs_none(outgoing: Outgoing) -> None:
    """And takes it once."""
    for _ in range(4):
        assert outgoing.add(b"", (bytes(ARENA_BYTES // 4),), b"name") == 1
    assert outgoing.add(b"", (b"",), b"name") == 1
    assert len(outgoing) == 5
    outgoing.clear()
