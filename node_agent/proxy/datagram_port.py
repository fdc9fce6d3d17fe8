"""One node port for datagrams: its socket while it has one, and the ways of its clients' flows.

A client is known by the name of its socket; what it is called in the cluster, and where its flow
goes, is asked once.
"""

from collections.abc import Callable
from functools import partial

from cluster.aio.batch import BySender
from cluster.aio.clock import Clock
from cluster.aio.datagrams import DatagramEndpoint
from cluster.aio.socket_names import read_name
from cluster.wire.addresses import SocketAddress
from cluster.wire.flow import Flow, FlowKind, Origin
from node_agent.cni.datagram_flow import Out, Payloads, Way, Ways

WAYS_MAX = 16384

Entering = Callable[[SocketAddress], tuple[Origin, Flow]]
TakeDatagrams = Callable[[Origin, Flow, Payloads, Out, FlowKind], Way | None]


class DatagramPort:
    """Receives while it is open; replies leave by the socket that it has then."""

    def __init__(
        self, address: SocketAddress, entering: Entering, take: TakeDatagrams, clock: Clock
    ) -> None:
        self._address = address
        self._entering = entering
        self._take = take
        self._clock = clock
        self._endpoint: DatagramEndpoint | None = None
        self._lost = 0  # by sockets that it had
        self._ways = Ways(WAYS_MAX)

    def open(self) -> None:
        """Have a socket, and receive; OSError if the address may not be had."""
        if self._endpoint is None:
            self._endpoint = DatagramEndpoint(self._address, on_batch=self._arrived)
            self._endpoint.start()

    def close(self) -> None:
        """Have none: the kernel refuses."""
        if self._endpoint is not None:
            self._endpoint.close()
            self._lost += self._endpoint.lost
            self._endpoint = None

    @property
    def lost(self) -> int:
        """How many datagrams its sockets had no room for, or could not send."""
        return self._lost + (self._endpoint.lost if self._endpoint is not None else 0)

    def _arrived(self, came: BySender) -> None:
        now = self._clock.monotonic()
        for name, payloads in came.items():
            way = self._ways.find(name)
            if way is None or not way.send(payloads, now=now, at_once=True):
                origin, flow = self._entering(read_name(name))
                reply = partial(self._reply, name)
                way = self._take(origin, flow, payloads, reply, FlowKind.TRAFFIC)
                self._ways.keep(name, way)

    def _reply(self, name: bytes, payloads: Payloads, _: bool) -> None:
        if self._endpoint is not None:
            self._endpoint.send_all(b"", payloads, name)
