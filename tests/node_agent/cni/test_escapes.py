"""What leaves the pod fails closed, whatever library does it, in whichever thread.

The hook is on in every test of the node (conftest.py), as it is in an agent.
"""

import errno
import os
import socket
import subprocess
import threading
from collections.abc import Callable
from typing import Any

import pytest

from node_agent.cni.pod_context import POD

WEB = "10.244.1.5"


def as_pod(pod: Any, call: Callable[[], Any]) -> Any:
    return pod.context().run(call)


def with_socket(kind: socket.SocketKind, call: Callable[[socket.socket], Any]) -> Any:
    with socket.socket(socket.AF_INET, kind) as sock:
        return call(sock)


NETWORK = {
    "connect": lambda: socket.create_connection(("127.0.0.1", 9)),
    "connect_ex": lambda: with_socket(
        socket.SOCK_STREAM, lambda sock: sock.connect_ex(("127.0.0.1", 9))
    ),
    "bind": lambda: with_socket(socket.SOCK_STREAM, lambda sock: sock.bind(("127.0.0.1", 0))),
    "sendto": lambda: with_socket(
        socket.SOCK_DGRAM, lambda sock: sock.sendto(b"x", ("127.0.0.1", 9))
    ),
    "sendmsg": lambda: with_socket(
        socket.SOCK_DGRAM, lambda sock: sock.sendmsg([b"x"], [], 0, ("127.0.0.1", 9))
    ),
    "getaddrinfo": lambda: socket.getaddrinfo("kubernetes.default", 443),
    "gethostbyname": lambda: socket.gethostbyname("kubernetes.default"),
}


@pytest.mark.parametrize("name", NETWORK)
async def test_a_call_past_the_event_loop_finds_no_network(fabric: Any, name: str) -> None:
    with pytest.raises(OSError, match="pod default/web called socket") as caught:
        as_pod(fabric.pod("web", WEB), NETWORK[name])
    assert caught.value.errno == errno.ENETUNREACH


@pytest.mark.parametrize(
    "start",
    [
        lambda: subprocess.run(["true"], check=True),
        lambda: os.system("true"),
        lambda: os.posix_spawn("/bin/true", ["true"], {}),
        lambda: os.execv("/bin/true", ["true"]),
        os.fork,
    ],
)
async def test_a_process_is_not_permitted(fabric: Any, start: Callable[[], Any]) -> None:
    with pytest.raises(OSError, match="a pod runs inside the node's process") as caught:
        as_pod(fabric.pod("web", WEB), start)
    assert caught.value.errno == errno.EPERM


async def test_a_threads_calls_are_those_of_the_pod_that_started_it(fabric: Any) -> None:
    """Threads begin with an empty context: without help they would be the node's."""
    pod = fabric.pod("web", WEB)
    seen: list[Any] = []

    def work() -> None:
        seen.append(POD.get())
        try:
            socket.create_connection(("127.0.0.1", 9))
        except OSError as error:
            seen.append(error.errno)

    def start() -> None:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()

    as_pod(pod, start)
    assert seen == [pod, errno.ENETUNREACH]


async def test_a_pod_and_call_is_reported_once(fabric: Any, escaped: list[str]) -> None:
    pod = fabric.pod("reporter", WEB)
    for port in (9, 9, 10):
        with pytest.raises(OSError, match="unreachable"):
            as_pod(pod, lambda p=port: socket.create_connection(("127.0.0.1", p)))
    assert escaped == [
        "default/reporter: socket.connect ('127.0.0.1', 9)",
        "default/reporter: socket.connect ('127.0.0.1', 10)",
    ]


async def test_what_stays_inside_may_be_called(fabric: Any, tmp_path: Any) -> None:
    """Unix sockets, and addresses that need no question."""

    def inside() -> Any:
        ours, theirs = socket.socketpair()
        with ours, theirs, socket.socket(socket.AF_UNIX) as door:
            door.bind(str(tmp_path / "door"))
        return socket.getaddrinfo("127.0.0.1", 80)[0][4], socket.getaddrinfo(None, 80)[0][4][1]

    assert as_pod(fabric.pod("web", WEB), inside) == (("127.0.0.1", 80), 80)


def test_the_node_itself_may_do_anything() -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:
        socket.create_connection(door.getsockname()).close()
    subprocess.run(["true"], check=True)
