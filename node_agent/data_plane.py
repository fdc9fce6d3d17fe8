"""The data plane of one node, put together: what decides, and what carries TCP and UDP.

    tunnel, hand-over, node ports  ->  Arrivals, DatagramRouter  ->  Rulings (decide, record)
    pods, the node itself          ->  PodRoutes, Router         ->

What other processes ask comes in at one port, streams by TCP and datagrams by UDP, which they read
from one annotation.
"""

import random
from collections.abc import Callable
from random import SystemRandom

from cluster.aio.clock import Clock
from cluster.aio.tasks import Tasks
from cluster.aio.tunnel import TunnelServer
from cluster.trace.recorder import Recorder
from cluster.wire.addresses import SocketAddress
from node_agent.cni.arrivals import Arrivals
from node_agent.cni.datagram_router import DatagramRouter
from node_agent.cni.established import Established
from node_agent.cni.hand_over import HandOver
from node_agent.cni.network import NodeNetwork
from node_agent.cni.router import Peers, Router
from node_agent.cni.routes import PodRoutes
from node_agent.cni.rulings import Rulings
from node_agent.config import AgentConfig
from node_agent.peers import ClusterPeers
from node_agent.view import ClusterView

TUNNEL_ATTEMPTS = 16  # for a port that is free for TCP and UDP alike


class DataPlane:
    """Everything that a connection or a datagram meets on this node."""

    def __init__(
        self,
        config: AgentConfig,
        key: bytes,
        view: ClusterView,
        network: NodeNetwork,
        recorder: Recorder,
        clock: Clock,
        tasks: Tasks,
    ) -> None:
        self._config = config
        self._network = network
        self._clock = clock
        self._tasks = tasks
        self.rulings = Rulings(
            config.name,
            lambda: view.current,
            recorder,
            clock,
            random.Random(SystemRandom().getrandbits(128)),
            network.listening,
        )
        self._peers = ClusterPeers(view, config.name, config.bind)
        peers = Peers(self._peers.tunnel, self._peers.host)
        listener_of = network.listener_of
        self.router = Router(config.name, self.rulings, peers, key, listener_of)
        self._hand_over = HandOver(config.run_dir, config.name, tasks) if config.hand_over else None
        self.established = Established(recorder, clock)
        if self._hand_over is not None:
            self.established = Established(recorder, clock, self._hand_over.tell_ended)
        self.arrivals = Arrivals(
            config.name,
            self.rulings,
            self.router,
            key,
            listener_of,
            self.established,
            self._hand_over,
        )
        self._tunnel, self.datagrams = self._tunnels(key)
        self._peers.own_tunnel = self._tunnel.address
        self.routes = PodRoutes(self.router, self.datagrams)

    @property
    def address(self) -> SocketAddress:
        """Where the flows of other processes arrive."""
        return self._tunnel.address

    @property
    def around(self) -> tuple[Callable[[], None], Callable[[], None]]:
        """To be called before and after clients that are accepted together."""
        return self.arrivals.onward.gather, self.arrivals.onward.flush

    def start(self) -> None:
        """Take flows from other processes."""
        self._tunnel.start()
        self.datagrams.start()
        if self._hand_over is not None:
            self._hand_over.start(self.arrivals, self.established)
        self._tasks.supervise(self.established.sweep_forever, name="sweep ended flows")
        self._tasks.supervise(self.datagrams.expire_forever, name="expire UDP flows")

    async def stop(self) -> None:
        """Take no new flows."""
        await self._tunnel.close()
        if self._hand_over is not None:
            self._hand_over.close()
        self.datagrams.close()

    def close(self) -> None:
        """End what is relayed."""
        self.arrivals.close()

    def counts(self) -> dict[str, int]:
        """For /metrics (`node_agent.cni.metrics`)."""
        counts = {
            "connections": len(self.established.live()),
            "relays": len(self.arrivals.relays),
            "udp_flows": self.datagrams.live,
            "datagrams_dropped_total": self.datagrams.dropped,
            "connections_reset_total": 0,
        }
        return counts | (self._hand_over.counts() if self._hand_over is not None else {})

    def _tunnels(self, key: bytes) -> tuple[TunnelServer, DatagramRouter]:
        """TCP and UDP on one port."""
        config = self._config
        for attempt in range(TUNNEL_ATTEMPTS):
            streams = TunnelServer(
                SocketAddress(config.bind, config.tunnel_port), key, self.arrivals.arrive
            )
            try:
                datagrams = DatagramRouter(
                    config.name,
                    self.rulings,
                    self._peers.tunnel,
                    key,
                    streams.address,
                    self._network.endpoint_of,
                    self._clock,
                )
            except OSError:
                streams.unbind()
                if config.tunnel_port or attempt == TUNNEL_ATTEMPTS - 1:
                    raise
            else:
                return streams, datagrams
        raise AssertionError("the loop returns or raises")
