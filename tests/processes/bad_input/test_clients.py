"""Clients that are slow or that vanish, and many: memory is bounded, the good are served.

Whatever they hold is theirs only as long as their connections are; the server is told of every end
before memory is looked at, by a request on a new connection, for it accepts them in turn.
"""

import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.processes.bad_input.bodies import LARGE, MAP
from tests.processes.bad_input.raw import MAPS, Control, answer_of, exchange, head, opened, send

ROUNDS = 4
CLIENTS = 40
MEGABYTES_MAX = (
    150  # more than before; without a bound, each of these would take several times that
)
WATCH = f"{MAPS}?watch=true&resourceVersion=0"
HALF_A_BODY = head("POST", MAPS, b"Content-Type: application/json", length=1_000) + MAP[:40]


def megabytes(control: Control) -> float:
    """What the process holds of the machine's memory, its share of what it shares included."""
    lines = Path(f"/proc/{control.process.pid}/smaps_rollup").read_text().splitlines()
    return next(int(each.split()[1]) for each in lines if each.startswith("Pss:")) / 1024


class Good:
    """A client that writes and reads as one should, as long as the others do not."""

    def __init__(self, control: Control) -> None:
        self.served = 0
        self.failed: list[Any] = []
        self._control = control
        self._stop = threading.Event()
        self._first = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Good":
        self._thread.start()
        assert self._first.wait(30)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(60)
        assert not self._thread.is_alive()
        assert self.failed == []

    def _run(self) -> None:
        while not self._stop.is_set() and not self.failed:
            document = json.dumps({"metadata": {"generateName": "good-"}}).encode()
            made = send(self._control, "POST", f"{MAPS}?dryRun=All", document)
            listed = exchange(self._control, head("GET", MAPS))
            if (made.code, listed.code) != (201, 200):
                self.failed.append((made, listed))
            self.served += 1
            self._first.set()


@pytest.fixture
def good(control: Control) -> Iterator[Good]:
    with Good(control) as client:
        before = client.served
        yield client
    assert client.served > before


def half_a_head(connection: socket.socket) -> None:
    connection.sendall(head("GET", MAPS)[:-3])


def half_a_body(connection: socket.socket) -> None:
    connection.sendall(HALF_A_BODY)


def half_a_large_body(connection: socket.socket) -> None:
    typed = b"Content-Type: application/json"
    connection.sendall(head("POST", MAPS, typed, length=3_000_000) + bytes(100_000))


def a_chunk(connection: socket.socket) -> None:
    request = head("PATCH", MAPS, b"Transfer-Encoding: chunked")
    connection.sendall(request + b"ffff\r\n{{{")


def a_list_unread(connection: socket.socket) -> None:
    connection.sendall(head("GET", MAPS) * 50)


def a_watch_unread(connection: socket.socket) -> None:
    connection.sendall(head("GET", WATCH))


def a_watch_begun(connection: socket.socket) -> None:
    connection.sendall(head("GET", WATCH))
    connection.recv(10)


def half_a_websocket(connection: socket.socket) -> None:
    path = "/api/v1/namespaces/default/pods/none/exec?command=a&stdout=true"
    upgrade = (b"Connection: Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Version: 13")
    connection.sendall(head("GET", path, *upgrade) + b"\x81\xff" + bytes(50))


def half_a_spdy(connection: socket.socket) -> None:
    path = "/api/v1/namespaces/default/pods/none/portforward"
    upgrade = (b"Connection: Upgrade", b"Upgrade: SPDY/3.1", b"Content-Length: 0")
    connection.sendall(head("POST", path, *upgrade) + b"\x80\x03\x00\x01" + bytes(1_000))


VANISHING = (
    *(half_a_head, half_a_body, half_a_large_body, a_chunk, a_list_unread, a_watch_unread),
    *(a_watch_begun, half_a_websocket, half_a_spdy),
)


@pytest.mark.parametrize("act", VANISHING, ids=lambda each: each.__name__)
def test_clients_that_vanish_in_the_middle(control: Control, good: Good, act: Any) -> None:
    for number in range(CLIENTS):
        with opened(control) as connection:
            act(connection)
            if number % 2:  # not by an end, but by a reset
                connection.shutdown(socket.SHUT_RDWR)
    assert exchange(control, head("GET", MAPS)).code == 200


def test_clients_that_wait_in_the_middle_hold_nobody_up(control: Control, good: Good) -> None:
    with contextlib.ExitStack() as held:
        waiting = [held.enter_context(opened(control)) for _ in range(CLIENTS * len(VANISHING))]
        for number, connection in enumerate(waiting):
            VANISHING[number % len(VANISHING)](connection)
        for _ in range(20):
            assert exchange(control, head("GET", f"{MAPS}/kube-root-ca.crt")).code == 200
        slow = waiting[1]  # half_a_body: it goes on when it likes
        for byte in b" " * (1_000 - 40):
            slow.sendall(bytes([byte]))
        assert answer_of(slow).code == 400


def test_memory_is_bounded_whatever_comes(control: Control) -> None:
    """The first round warms up; what later ones leave behind has to fit into a bound."""
    _a_round(control)
    before = megabytes(control)
    for _ in range(ROUNDS):
        _a_round(control)
    assert control.ask("GET", MAPS)["kind"] == "ConfigMapList"
    assert megabytes(control) < before + MEGABYTES_MAX


def _a_round(control: Control) -> None:
    """Some 10 MB of bodies, and a hundred connections that end anyhow."""
    for name in ("as long as may be", "many owners", "many operations", "zeros", "a long name"):
        send(control, "POST", MAPS, LARGE[name])
    for act in VANISHING:
        for _ in range(CLIENTS // 4):
            with opened(control) as connection:
                act(connection)


def test_unread_watches_of_many_changes_are_bounded(control: Control) -> None:
    """A watcher that takes nothing has what fits its socket, and the place where it stands."""
    path = f"{MAPS}?labelSelector=test%3Dunread"
    labels = {"name": "unread", "labels": {"test": "unread"}}
    control.ask("POST", MAPS, {"metadata": labels, "data": {"a": "x" * 200_000}})
    with contextlib.ExitStack() as held:
        for _ in range(CLIENTS // 2):
            connection = held.enter_context(opened(control))
            connection.sendall(head("GET", f"{path}&watch=true&resourceVersion=0"))
            assert connection.recv(10)
        before = megabytes(control)
        for number in range(100):
            patch = json.dumps({"data": {"n": str(number)}}).encode()
            merge = "application/merge-patch+json"
            assert send(control, "PATCH", f"{MAPS}/unread", patch, merge).code == 200
        grown = megabytes(control) - before
    control.ask("DELETE", f"{MAPS}/unread")
    assert grown < MEGABYTES_MAX  # all that was sent would be 400 MB
