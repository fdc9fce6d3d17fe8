"""A front: the real socket behind one port of one Service, as its plan says.

    serving   TCP listens and accepts; UDP is bound and read
    closed    nobody listens: the kernel refuses for us
    silent    TCP answers no handshake; UDP is bound and what comes is lost

The real address is looked for once, before the first client comes: the Service's own; its port
+ 8000 where an ordinary user may not bind it; any port of 127.0.0.1 where the machine does not have
the address (S-108: nothing is left pending without a reason).
"""

import errno
import socket
from collections.abc import Callable

from cluster.aio.batch import BySender
from cluster.aio.datagrams import DatagramEndpoint
from cluster.aio.listener import Listener, Turn, nothing
from cluster.aio.streams import address_of, family_of
from cluster.gateway.balancer import FrontPlan, FrontState
from cluster.wire.addresses import Protocol, SocketAddress
from cluster.wire.clients import LOCALHOST

PRIVILEGED_PORT_MAX = 1023
MOVED_BY = 8000
ANY_IP = ("0.0.0.0", "::")

OnConnection = Callable[[FrontPlan, socket.socket, SocketAddress], None]
OnDatagrams = Callable[[FrontPlan, BySender], None]


class Front:
    """One place; `follow` makes it what a plan says."""

    def __init__(
        self,
        plan: FrontPlan,
        bind: str | None,
        on_connection: OnConnection,
        on_datagrams: OnDatagrams,
        around: tuple[Turn, Turn] = (nothing, nothing),
    ) -> None:
        self.plan = plan
        self.real: SocketAddress | None = None  # where it is, or will be, bound
        self.moved = ""  # why that is not the Service's own address and port
        self.problem = ""  # why it cannot be bound at all
        self._bind = bind
        self._on_connection = on_connection
        self._on_datagrams = on_datagrams
        self._around = around  # connections that are accepted together
        self._listener: Listener | None = None
        self.endpoint: DatagramEndpoint | None = None
        self._lost = 0  # by sockets that it had

    @property
    def dialable(self) -> SocketAddress | None:
        """The address a client dials for it."""
        if self.real is None or self.real.ip not in ANY_IP:
            return self.real
        return SocketAddress(self.plan.place.address.ip, self.real.port)

    def follow(self, plan: FrontPlan) -> None:
        """Become what the plan says; `problem` says so if that cannot be."""
        self.plan = plan
        try:
            if self.real is None:
                self.real = self._look_for_address()
            self._act(self.real)
            self.problem = ""
        except OSError as error:
            self.close()
            where = self.real or self._wanted
            self.problem = f"{where}: {error.strerror or error}"
            self.real = None

    @property
    def _wanted(self) -> SocketAddress:
        address = self.plan.place.address
        return SocketAddress(self._bind, address.port) if self._bind else address

    def _look_for_address(self) -> SocketAddress:
        wanted, kind = self._wanted, _KINDS[self.plan.place.protocol]
        self.moved = ""
        try:
            return _try(wanted, kind)
        except OSError as error:
            if isinstance(error, PermissionError) and wanted.port <= PRIVILEGED_PORT_MAX:
                self.moved = (
                    f"port {wanted.port} may not be bound by an ordinary user; sysctl "
                    f"net.ipv4.ip_unprivileged_port_start={wanted.port} allows it"
                )
                return _try(SocketAddress(wanted.ip, wanted.port + MOVED_BY), kind)
            if error.errno == errno.EADDRNOTAVAIL and not self._bind:
                self.moved = f"this machine has no address {wanted.ip}"
                return _try(SocketAddress(LOCALHOST, 0), kind)
            raise

    def _act(self, real: SocketAddress) -> None:
        state = self.plan.state
        if state is FrontState.CLOSED:
            self.close()
        elif self.plan.place.protocol is Protocol.TCP:
            if self._listener is None:
                before, after = self._around
                self._listener = Listener(real, self._accepted, before=before, after=after)
            if state is FrontState.SERVING:
                self._listener.start()
            else:
                self._listener.silence()
        elif self.endpoint is None:
            self.endpoint = DatagramEndpoint(real, on_batch=self._received)
            self.endpoint.start()

    def _accepted(self, sock: socket.socket, peer: SocketAddress) -> None:
        self._on_connection(self.plan, sock, peer)

    def _received(self, came: BySender) -> None:
        if self.plan.state is FrontState.SERVING:
            self._on_datagrams(self.plan, came)

    def pause(self) -> None:
        """Let new connections wait in the kernel's queue, until `resume`."""
        if self._listener is not None:
            self._listener.pause()

    def resume(self) -> None:
        """Accept again, if that is the plan."""
        if self._listener is not None and self.plan.state is FrontState.SERVING:
            self._listener.start()

    def close(self) -> None:
        """Stop; connections that were accepted live on."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        if self.endpoint is not None:
            self.endpoint.close()
            self._lost += self.endpoint.lost
            self.endpoint = None

    @property
    def datagrams_lost(self) -> int:
        """How many datagrams its sockets had no room for, or could not send."""
        return self._lost + (self.endpoint.lost if self.endpoint is not None else 0)


_KINDS = {Protocol.TCP: socket.SOCK_STREAM, Protocol.UDP: socket.SOCK_DGRAM}


def _try(address: SocketAddress, kind: socket.SocketKind) -> SocketAddress:
    """Bind and let go: the address that can be had, or the OSError that says why not."""
    with socket.socket(family_of(address.ip), kind) as sock:
        if kind is socket.SOCK_STREAM:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        if kind is socket.SOCK_STREAM:
            sock.listen(0)  # two sockets may be bound to one port, but only one may listen
        return address_of(sock)
