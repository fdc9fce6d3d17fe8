"""kube-proxy's sockets: one real listener for each node port, on the node's real address.

The decision is the pipeline's; this only takes clients in. A port that cannot be had is told once
and tried again; the others do not wait for it.
"""

import logging
import socket
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from typing import Any

from cluster.aio.clock import Clock
from cluster.aio.listener import Listener, Turn, nothing
from cluster.aio.streams import reset
from cluster.aio.tasks import Tasks
from cluster.dataclass import dataclass
from cluster.dataplane.node_view import NodeView
from cluster.wire.addresses import Protocol, SocketAddress
from cluster.wire.clients import OutsideClients
from cluster.wire.flow import Flow, Origin, OriginKind
from node_agent.proxy.datagram_port import DatagramPort, TakeDatagrams
from node_agent.proxy.node_ports import Place, PortPlan, PortState, plan_changes

log = logging.getLogger(__name__)

RETRY_SECONDS = 2.0
CLIENTS_MAX = 16_384  # TCP connections of node ports that this node carries at a time

TakeStream = Callable[[socket.socket, Origin, Flow], Coroutine[Any, Any, None] | None]
Failed = Callable[[PortPlan, OSError], None]


@dataclass(slots=True)
class _Open:
    """A node port as it is now."""

    plan: PortPlan
    listener: Listener | None = None
    datagrams: DatagramPort | None = None

    def close(self) -> None:
        for each in (self.listener, self.datagrams):
            if each is not None:
                each.close()

    @property
    def lost(self) -> int:
        """How many datagrams its sockets lost."""
        return self.datagrams.lost if self.datagrams is not None else 0


class Proxier:
    """The node ports of one node; `follow` is a listener of the node's view."""

    def __init__(
        self,
        *,
        bind: str,
        internal_ip: str,
        clients: OutsideClients,
        take_stream: TakeStream,
        take_datagrams: TakeDatagrams,
        failed: Failed,
        clock: Clock,
        around: tuple[Turn, Turn] = (nothing, nothing),
    ) -> None:
        self._bind = bind
        self._internal_ip = internal_ip
        self._clients = clients
        self._take_stream = take_stream
        self._take_datagrams = take_datagrams
        self._failed = failed
        self._clock = clock
        self._around = around  # clients that are accepted together
        self._carrying = Tasks(clock)
        self._wanted: dict[Place, PortPlan] = {}
        self._open: dict[Place, _Open] = {}
        self._failing: set[Place] = set()
        self._closed = False
        self._lost_before = 0
        self.turned_away = 0

    @property
    def datagrams_lost(self) -> int:
        """How many datagrams the sockets of node ports lost."""
        return self._lost_before + sum(each.lost for each in self._open.values())

    @property
    def wanted(self) -> bool:
        """Whether there are node ports."""
        return bool(self._wanted)

    def follow(self, before: NodeView, after: NodeView) -> None:
        """Make the sockets what the new view says."""
        self.apply(plan_changes(before, after))

    def apply(self, changes: Mapping[Place, PortPlan | None]) -> None:
        """Open, close and silence these ports; the others are not touched."""
        if self._closed:  # the view may change once more while the node ends
            return
        for place, plan in changes.items():
            if plan is None:
                self._forget(place)
                continue
            self._wanted[place] = plan
            held = self._open.get(place)
            if held is None or held.plan.state is not plan.state:
                self._make(place, plan)

    def _forget(self, place: Place) -> None:
        self._wanted.pop(place, None)
        self._failing.discard(place)
        gone = self._open.pop(place, None)
        if gone is not None:
            gone.close()
            self._lost_before += gone.lost

    async def retry_forever(self) -> None:
        """Try the ports again that could not be had, until cancelled."""
        while True:
            await self._clock.sleep(RETRY_SECONDS)
            for place in sorted(self._failing):
                self._make(place, self._wanted[place])

    async def close(self) -> None:
        """Close every port for good; connections through this node end."""
        self._closed = True
        for each in self._open.values():
            each.close()
        self._open.clear()
        await self._carrying.close()

    def states(self) -> dict[Place, PortState]:
        """How each port answers now; one that could not be had is closed."""
        return {
            place: PortState.CLOSED if place in self._failing else plan.state
            for place, plan in self._wanted.items()
        }

    def _make(self, place: Place, plan: PortPlan) -> None:
        try:
            if plan.protocol is Protocol.TCP:
                self._make_stream(place, plan)
            else:
                self._make_datagram(place, plan)
        except OSError as error:
            if place not in self._failing:
                self._failing.add(place)
                self._failed(plan, error)
        else:
            self._failing.discard(place)

    def _make_stream(self, place: Place, plan: PortPlan) -> None:
        held = self._open.pop(place, None)
        if held is not None and (plan.state is PortState.CLOSED or held.listener is None):
            held.close()
            held = None
        listener = held.listener if held is not None else None
        if plan.state is not PortState.CLOSED:
            if listener is None:
                address = SocketAddress(self._bind, plan.port)
                accepted = partial(self._accepted, plan.port)
                before, after = self._around
                listener = Listener(address, accepted, before=before, after=after)
            if plan.state is PortState.SERVING:
                listener.start()
            else:
                listener.silence()
        self._open[place] = _Open(plan, listener=listener)

    def _make_datagram(self, place: Place, plan: PortPlan) -> None:
        """A socket also while silent: without one the kernel would refuse."""
        held = self._open.get(place)
        port = held.datagrams if held is not None else None
        if port is None:
            address = SocketAddress(self._bind, plan.port)
            entering = partial(self._entering, Protocol.UDP, plan.port)
            port = DatagramPort(address, entering, self._take_datagrams, self._clock)
        if plan.state is PortState.CLOSED:
            port.close()
        else:
            port.open()
        self._open[place] = _Open(plan, datagrams=port)

    def _accepted(self, port: int, sock: socket.socket, peer: SocketAddress) -> None:
        if len(self._carrying) >= CLIENTS_MAX:
            self.turned_away += 1
            reset(sock)
            return
        origin, flow = self._entering(Protocol.TCP, port, peer)
        rest = self._take_stream(sock, origin, flow)
        if rest is not None:
            self._carrying.start(rest, name=f"node port {port} {peer}")

    def _entering(self, protocol: Protocol, port: int, peer: SocketAddress) -> tuple[Origin, Flow]:
        """A client's flow, with its emulated address."""
        client = SocketAddress(self._clients.client_of(peer.ip), peer.port)
        flow = Flow(protocol, client, SocketAddress(self._internal_ip, port))
        return Origin(OriginKind.OUTSIDE, client.ip), flow


def log_failed(plan: PortPlan, error: OSError) -> None:
    """Say that a port could not be had; the operator can end whoever holds it."""
    log.warning(
        "node port not open port=%d/%s service=%s/%s error=%s: tried again every %g s",
        plan.port,
        plan.protocol,
        *plan.service,
        error.strerror or error,
        RETRY_SECONDS,
    )
