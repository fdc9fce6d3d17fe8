"""The live connections of one pod, and which of its containers holds each, as a kernel knows it.

A container is named by the `SignalTable` of its contexts; None stands for the node, which dials
from inside a pod for port-forwards. What ends with a container is told apart by it, as a kernel
closes the descriptors of a dead process and of no other (P-62).

Nobody is called when a transport closes, so closed ones are swept out now and then, at a cost that
is constant per connection.
"""

import contextlib
import socket
from weakref import WeakKeyDictionary

from cluster.wire.flow import Flow
from node_agent.cni.pod_context import SIGNALS, SignalTable
from node_agent.cni.transport import PodTransport

SWEEP_FIRST = 64

Holder = SignalTable | None


def holder() -> Holder:
    """The container whose code runs now."""
    return SIGNALS.get()


class Connections:
    """Transports and connected sockets, each with its holder."""

    def __init__(self) -> None:
        self._transports: dict[PodTransport, Holder] = {}
        self._sockets: WeakKeyDictionary[socket.socket, tuple[Flow, Holder]] = WeakKeyDictionary()
        self._sweep_at = SWEEP_FIRST

    def add(self, transport: PodTransport) -> None:
        """A connection that the running container's program now holds as a transport."""
        self.add_held(transport, holder())

    def add_held(self, transport: PodTransport, of: Holder) -> None:
        """A connection that a container, known to the caller, holds as a transport."""
        self._transports[transport] = of
        if len(self._transports) >= self._sweep_at:
            self._sweep()

    def add_socket(self, sock: socket.socket, flow: Flow) -> None:
        """A connection that the running container's program holds as a plain socket."""
        self._sockets[sock] = (flow, holder())

    def flow_of(self, sock: socket.socket) -> Flow | None:
        """The flow of a plain socket; None for one that is not a connection of the pod."""
        known = self._sockets.get(sock)
        return known[0] if known else None

    def forget_socket(self, sock: socket.socket) -> None:
        """The socket is a transport's from now on, or failed to connect."""
        self._sockets.pop(sock, None)

    def end(self, of: object) -> None:
        """End what one container holds; its peers are told by FIN or RST, as the kernel decides."""
        self._end([each for each, held_by in self._transports.items() if held_by is of])
        self._close([each for each, (_, held_by) in self._sockets.items() if held_by is of])

    def end_all(self) -> None:
        """End everything: the pod's sandbox is gone."""
        self._end(list(self._transports))
        self._close(list(self._sockets))

    def names(self) -> list[tuple[tuple[str, int], tuple[str, int]]]:
        """(own address, peer's address) of every open connection."""
        self._sweep()
        sockets = [(flow.source, flow.destination) for flow, _ in self._sockets.values()]
        pairs = [each.names for each in self._transports] + sockets
        return [((own[0], own[1]), (peer[0], peer[1])) for own, peer in pairs]

    def __len__(self) -> int:
        self._sweep()
        open_sockets = sum(1 for sock in self._sockets if sock.fileno() >= 0)
        return len(self._transports) + open_sockets

    def _end(self, transports: list[PodTransport]) -> None:
        for transport in transports:
            del self._transports[transport]
            transport.abort()

    def _close(self, sockets: list[socket.socket]) -> None:
        for sock in sockets:
            del self._sockets[sock]
            _close_abruptly(sock)

    def _sweep(self) -> None:
        closed = [each for each in self._transports if each.is_closing()]
        for transport in closed:
            del self._transports[transport]
        self._sweep_at = max(SWEEP_FIRST, 2 * len(self._transports))


def _close_abruptly(sock: socket.socket) -> None:
    """Shut, then close: a call that waits for the socket wakes first, and reads an end of file."""
    if sock.fileno() < 0:
        return
    with contextlib.suppress(OSError):  # its peer has reset it already
        sock.shutdown(socket.SHUT_RDWR)
    sock.close()  # put off by the loop until such a call has ended
