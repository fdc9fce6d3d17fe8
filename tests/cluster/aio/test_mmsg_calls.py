"""Messages in memory are what the kernel reads and writes."""

import socket

import pytest

from cluster.aio.mmsg_calls import COALESCE, NAME_BYTES_MAX, Messages
from tests.cluster.aio.batches import bound, name_of

pytestmark = pytest.mark.skipif(not hasattr(socket, "MSG_DONTWAIT"), reason="no such call")


def messages(count: int, data: bytes, name: bytes = b"") -> tuple[Messages, bytearray]:
    slots, names = bytearray(data.ljust(256, b"\0")), bytearray(count * NAME_BYTES_MAX)
    made = Messages(count, slots, names, NAME_BYTES_MAX)
    for index in range(count):
        names[index * NAME_BYTES_MAX : index * NAME_BYTES_MAX + len(name)] = name
        made.name_length(index, len(name) or NAME_BYTES_MAX)
    return made, slots


def test_messages_leave_with_their_bytes_and_come_with_their_sizes() -> None:
    with bound(socket.AF_INET, 2) as (sender, receiver):
        out, _ = messages(2, b"onethree", name_of(receiver))
        out.bytes_at(0, 0, 3)
        out.bytes_at(1, 3, 5)
        assert out.send(sender, 0, 2) == 2
        into, slots = messages(3, b"")
        for index in range(3):
            into.bytes_at(index, index * 10, 10)
        assert into.receive(receiver, 3) == [3, 5]
        assert (slots[:3], slots[10:15]) == (b"one", b"three")


def test_a_message_may_be_cut_into_datagrams_and_come_as_one() -> None:
    with bound(socket.AF_INET, 3) as (sender, cut, whole):
        try:
            whole.setsockopt(socket.IPPROTO_UDP, COALESCE, 1)
        except OSError:
            pytest.skip("this kernel puts no datagrams together")
        for receiver, sizes, segments in ((cut, [3, 3, 1], [0, 0, 0]), (whole, [7], [3])):
            out, _ = messages(1, b"aaabbbc", name_of(receiver))
            out.bytes_at(0, 0, 7)
            out.segmented(0, 3)
            assert out.send(sender, 0, 1) == 1
            into, _ = messages(4, b"")
            for index in range(4):
                into.bytes_at(index, index * 10, 10)
            into.expect_segments(4)
            assert into.receive(receiver, 4) == sizes
            assert into.segments(len(sizes)) == segments


def test_a_message_that_is_not_cut_any_more_is_whole_again() -> None:
    with bound(socket.AF_INET, 2) as (sender, receiver):
        out, _ = messages(1, b"aabb", name_of(receiver))
        out.bytes_at(0, 0, 4)
        for size, sizes in ((2, [2, 2]), (0, [4])):
            out.segmented(0, size)
            out.send(sender, 0, 1)
            into, _ = messages(2, b"")
            for index in range(2):
                into.bytes_at(index, index * 10, 10)
            assert into.receive(receiver, 2) == sizes


def test_nothing_there_is_an_error_as_of_any_socket() -> None:
    with bound(socket.AF_INET, 1) as (sock,):
        with pytest.raises(BlockingIOError):
            messages(1, b"")[0].receive(sock, 1)
        sock.close()
        with pytest.raises(OSError, match="Bad file descriptor"):
            messages(1, b"")[0].send(sock, 0, 1)
