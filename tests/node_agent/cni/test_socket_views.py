"""What a program gets when it asks for a socket."""

import errno
import socket

import pytest

from node_agent.cni.socket_views import ConnectedSocket, PodSocket

OWN, PEER = ("10.244.1.5", 80), ("10.244.1.9", 40000)


def test_a_listening_socket_names_the_pods_address_and_has_no_descriptor() -> None:
    """P-2, P-4."""
    sock = PodSocket(*OWN)
    assert sock.getsockname() == OWN and sock.fileno() == -1
    assert (sock.family, sock.type, sock.proto) == (socket.AF_INET, socket.SOCK_STREAM, 0)
    with pytest.raises(OSError) as caught:
        sock.getpeername()
    assert caught.value.errno == errno.ENOTCONN


def test_options_of_a_socket_without_a_descriptor_are_accepted_and_zero() -> None:
    sock = PodSocket(*OWN, socket.SOCK_DGRAM, PEER)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR) == 0
    assert sock.getpeername() == PEER and "40000" in repr(sock)


def test_a_connected_socket_is_real_but_for_its_names() -> None:
    """P-4."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        view = ConnectedSocket(ours, OWN, PEER)
        assert (view.getsockname(), view.getpeername()) == (OWN, PEER)
        assert view.fileno() == ours.fileno()
        view.sendall(b"real")
        assert theirs.recv(4) == b"real"
        assert repr(view) == f"<ConnectedSocket laddr={OWN} raddr={PEER}>"
