"""What is sent is counted, and what is missing is said to be lost; nothing is asserted of times."""

import contextlib
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.benchmarks.datagram_load import Window, half_and_99, round_trips
from tests.benchmarks.datagram_sink import ACKNOWLEDGED, COUNT, Counts

ROOT = Path(__file__).resolve().parent.parent.parent
Lossy = Callable[[int], bool]


@contextlib.contextmanager
def sink(lost: Lossy = lambda _: False) -> Iterator[tuple[str, int]]:
    """A sink that does not get what is lost."""
    counts, number = Counts(), 0

    def serve() -> None:
        nonlocal number
        while True:
            data, peer = sock.recvfrom(2000)
            if not data:
                return
            number += 1
            if lost(number):
                continue
            answer = counts.answer(data, peer)
            if answer is not None:
                sock.sendto(answer, peer)

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield sock.getsockname()
        finally:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ender:
                ender.sendto(b"", sock.getsockname())
            thread.join(10)


def test_all_that_was_sent_is_delivered_and_a_second_run_counts_anew() -> None:
    with sink() as address:
        for from_port in (0, 0):
            sender = Window(address, 64, 128, from_port=from_port)
            sent = sender.run(0.0)
            more = sender.run(0.01)
            sender.close()
            assert (sent.delivered, sent.lost) == (0, 0)  # the first datagrams are to warm up
            assert more.delivered > 0 and more.lost == 0


def test_what_is_missing_is_lost_and_the_others_go_on() -> None:
    with sink(lambda number: number == 300) as address:
        sender = Window(address, 64, 128)
        sender.run(0.0)
        sent = sender.run(0.01)
        sender.close()
    assert (sent.lost, sender.sent - sender.counted) == (1, 1)


def test_round_trips_that_do_not_come_back_are_none() -> None:
    with sink(lambda number: number % 3 == 0) as address:
        took = round_trips(address, 64, 6)
    assert took.count(float("inf")) == 2
    half, most = half_and_99(took)
    assert 0 < half <= most < float("inf")


def test_datagrams_are_sent_to_this_machine_alone() -> None:
    with pytest.raises(ValueError, match=r"192\.0\.2\.1"):
        Window(("192.0.2.1", 1), 64, 128)


def test_a_sink_counts_each_sender_and_says_so_now_and_then() -> None:
    counts = Counts()
    said = [counts.answer(b"C..", "one") for _ in range(2 * ACKNOWLEDGED)]
    assert [each for each in said if each] == [COUNT.pack(n * ACKNOWLEDGED) for n in (1, 2)]
    assert counts.answer(b"T", "two") == COUNT.pack(0)
    assert counts.answer(b"Echo", "two") == b"Echo"


def test_the_sink_outside_the_cluster_serves_until_its_input_ends() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    command = [sys.executable, "-m", "tests.benchmarks.datagram_sink", str(port)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        assert float("inf") not in round_trips(("127.0.0.1", port), 64, 3)
        sender = Window(("127.0.0.1", port), 64, 128)
        assert sender.run(0.01).lost == 0
        sender.close()
        process.stdin.close()
        assert process.wait(10) == 0
