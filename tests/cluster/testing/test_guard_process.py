"""The process that starts clusters and outlives pytest: a small program stands for the launcher."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest

from cluster.testing.guard_process import receive

# What the launcher does is the test's; orders, forks and the end are the guard's own.
GUARD = """
import json, os, signal, socket, sys, threading
from pathlib import Path
from cluster.testing.guard_process import _ENDING, end, serve

def main(arguments):
    report = int(arguments[arguments.index("--report-fd") + 1])
    def tell(value):
        os.write(report, json.dumps(value).encode() + b"\\n")
    def ending(*_):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # it is told again and again
        tell("ending")
        sys.exit(0)
    exec(os.environ["DO"], dict(globals(), tell=tell, ending=ending, arguments=arguments))
    return 0

for number in _ENDING:
    signal.signal(number, signal.SIG_IGN)
with socket.socket(fileno=os.dup(0)) as orders:
    left = serve(orders, main)
end(left, float(sys.argv[1]))
"""

LISTEN = "signal.signal(signal.SIGTERM, signal.SIG_DFL)"  # as a launcher does once it serves


class Guard:
    """A guard process of the test."""

    def __init__(self, end_seconds: float = 60.0) -> None:
        self.orders, far = socket.socketpair()
        with far:
            self.process = subprocess.Popen(
                [sys.executable, "-c", GUARD, str(end_seconds)],
                stdin=far.fileno(),
                stderr=subprocess.PIPE,
                text=True,
            )
        self._pipes: list[IO[str]] = []

    def order(self, do: str, directory: Path, **environment: str) -> Iterator[Any]:
        """Order a launcher that does this; what it reports."""
        order = {
            "arguments": ["--spec", "{}"],
            "environment": {"DO": do, **environment},
            "directory": str(directory),
        }
        reading, writing = os.pipe()
        socket.send_fds(self.orders, [json.dumps(order).encode() + b"\n"], [writing])
        os.close(writing)
        self._pipes.append(os.fdopen(reading))
        return map(json.loads, self._pipes[-1])

    def close(self) -> str:
        """End its input and wait for it; what it had to say."""
        self.orders.close()
        _, said = self.process.communicate(timeout=60)
        assert self.process.returncode == 0
        return said

    def forget(self) -> None:
        """Close everything, whatever has become of it."""
        self.orders.close()
        self.process.communicate(timeout=60)
        for pipe in self._pipes:
            pipe.close()


@pytest.fixture
def guard() -> Iterator[Guard]:
    made = Guard()
    yield made
    made.forget()


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


# -- the form of an order


def test_an_order_may_come_in_pieces() -> None:
    near, far = socket.socketpair()
    reading, writing = os.pipe()
    text = json.dumps({"environment": {"LONG": "x" * 300_000}}).encode() + b"\n"

    def send() -> None:
        socket.send_fds(near, [text[:7]], [writing])
        near.sendall(text[7:])

    with near, far:
        sender = threading.Thread(target=send)
        sender.start()
        received = receive(far)
        sender.join()
    assert received is not None
    order, descriptor = received
    assert len(order["environment"]["LONG"]) == 300_000
    os.write(descriptor, b"!")
    assert os.read(reading, 1) == b"!"
    for each in (reading, writing, descriptor):
        os.close(each)


def test_an_input_that_ends_in_an_order_ends() -> None:
    near, far = socket.socketpair()
    reading, writing = os.pipe()
    socket.send_fds(near, [b'{"argum'], [writing])
    os.close(writing)
    near.close()
    with far:
        assert receive(far) is None
        assert receive(far) is None
    assert os.read(reading, 1) == b""  # nobody holds the other end
    os.close(reading)


# -- launchers


def test_a_launcher_is_as_if_started_by_whoever_ordered(guard: Guard, tmp_path: Path) -> None:
    do = """
tell([
    os.getcwd(), dict(os.environ, DO=""), sys.stdin.read(), os.getsid(0) == os.getpid(),
    arguments[:2], signal.getsignal(signal.SIGINT) == signal.SIG_DFL,
])"""
    reports = guard.order(do, tmp_path, COLOUR="blue")
    environment = {"DO": "", "COLOUR": "blue"}
    assert list(reports) == [
        [str(tmp_path), environment, "", True, ["--spec", "{}"], True],
    ]


def test_each_launcher_has_the_descriptors_of_its_own_only(guard: Guard, tmp_path: Path) -> None:
    """The end of a launcher is the end of its reports, whoever else runs."""
    stays = guard.order(f"{LISTEN}; tell(1); signal.pause()", tmp_path)
    assert next(stays) == 1
    assert list(guard.order("tell(2)", tmp_path)) == [2]


def test_a_fault_of_the_launcher_is_its_own_end(guard: Guard, tmp_path: Path) -> None:
    assert list(guard.order("raise MemoryError('no')", tmp_path)) == []
    assert list(guard.order("tell(1)", tmp_path)) == [1]
    said = guard.close()
    assert said.count("MemoryError: no") == 1


def test_launchers_that_have_ended_leave_no_process(guard: Guard, tmp_path: Path) -> None:
    """A test run of a thousand clusters has no thousand zombies."""
    pids = [next(guard.order("tell(os.getpid())", tmp_path)) for _ in range(4)]
    stays = guard.order(f"{LISTEN}; tell(os.getpid()); signal.pause()", tmp_path)
    next(stays)  # by now the first have been looked after
    assert [gone(pid) for pid in pids[:3]] == [True] * 3


# -- the end


def test_at_the_end_of_pytest_its_launchers_are_ended(guard: Guard, tmp_path: Path) -> None:
    do = """
signal.signal(signal.SIGTERM, ending)
tell(os.getpid())
while True: signal.pause()
"""
    first, second = guard.order(do, tmp_path), guard.order(do, tmp_path)
    pids = [next(first), next(second)]
    guard.process.send_signal(signal.SIGINT)
    guard.process.send_signal(signal.SIGTERM)  # what is for pytest is not for it
    assert guard.close() == ""
    assert list(first) == list(second) == ["ending"]
    assert all(map(gone, pids))


def test_one_that_has_only_begun_is_ended_in_good_order(guard: Guard, tmp_path: Path) -> None:
    """It does not listen yet; it is told again once it does."""
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    do = f"""
tell(os.getpid())
open({str(gate)!r}).read()
tell("about to listen")
signal.signal(signal.SIGTERM, ending)
while True: signal.pause()
"""
    reports = guard.order(do, tmp_path)
    next(reports)
    guard.orders.close()
    gate.write_text("")
    assert list(reports) == ["about to listen", "ending"]
    assert guard.close() == ""


def test_one_that_does_not_end_is_killed_and_told_of(tmp_path: Path) -> None:
    guard = Guard(end_seconds=0.1)
    reports = guard.order("tell(os.getpid())\nwhile True: signal.pause()", tmp_path)
    pid = next(reports)
    assert guard.close() == "killed, it did not end in 0.1 s: --spec {}\n"
    assert gone(pid) and list(reports) == []
    guard.forget()
