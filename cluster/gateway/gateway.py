"""The load balancer, put together: what it watches, decides by, carries out, and tells.

informers -> Watch -> BalancerView --FrontPlans---> Fronts (sockets)
                           checks -> NodeHealth          | accepted, received
                                                         v
    Recorder <- Rulings (choose a node, record) <- TcpFlows, DatagramFlows -> nodes, by hand-over
                                                                             of sockets or tunnel
"""

from collections.abc import Mapping, Sequence
from random import Random

from aiohttp import web

from cluster.aio.clock import Clock
from cluster.aio.datagrams import DatagramEndpoint
from cluster.aio.handoff import Handoff, new_instance
from cluster.aio.listener import nothing
from cluster.aio.relay import Relays
from cluster.aio.tasks import Tasks
from cluster.client.interface import Api
from cluster.gateway.announcer import REAL_ADDRESSES, Announcer
from cluster.gateway.backend_nodes import BackendNode
from cluster.gateway.balancer import FrontPlan, Place
from cluster.gateway.carrier import Carrier, RelayCarrier
from cluster.gateway.checks import HealthChecks
from cluster.gateway.config import GatewayConfig
from cluster.gateway.datagram_flows import DatagramFlows
from cluster.gateway.diagnostics import Diagnostics
from cluster.gateway.front_plans import FrontPlans
from cluster.gateway.fronts import RETRY_SECONDS, Fronts
from cluster.gateway.health import NodeHealth
from cluster.gateway.rulings import PROCESS, Rulings
from cluster.gateway.tcp_flows import TcpFlows
from cluster.gateway.watch import Watch, WatchedResource
from cluster.objects.resources import Resource
from cluster.trace.recorder import Recorder
from cluster.wire.addresses import Protocol, SocketAddress
from cluster.wire.clients import LOCALHOST
from cluster.wire.handover import Ended

SYNC_SECONDS = 5.0  # how long a start waits for the API before it goes on without


class Gateway:
    """Everything, in the order of dependence."""

    def __init__(
        self,
        config: GatewayConfig,
        key: bytes,
        api: Api,
        informers: Mapping[Resource, WatchedResource],
        *,
        clock: Clock,
        dice: Random,
    ) -> None:
        self._tasks = Tasks(clock)
        self._flow_tasks = Tasks(clock)
        self._clock = clock
        self.recorder = Recorder(PROCESS, clock)
        self.health = NodeHealth()
        self._plans = FrontPlans()
        self.watch = Watch(informers, self.replan, self._tasks)
        self.checks = HealthChecks(self._nodes, self.health, self.replan, clock)
        self._announcer = Announcer(api, clock)
        rulings = Rulings(self.recorder, self.health, config.clients, clock, dice, self._node_with)
        self.relays = Relays()
        self._carrier = RelayCarrier(key, self.relays)
        self._handoff = handoff = self._hand_over(config) if config.hand_over else None
        self.tcp = TcpFlows(
            rulings,
            self._carrier_for,
            self.checks.failed,
            self._flow_tasks,
            onward=self._handoff,
            congested=self._wait,
            plan_of=self._plan_of,
        )
        tunnel = SocketAddress(config.bind or LOCALHOST, 0)
        self.udp = DatagramFlows(rulings, key, tunnel, self._endpoint_of)
        self.fronts = Fronts(
            config.bind,
            self.tcp.accepted,
            self.udp.received,
            self._announcer.event,
            published=dict(config.published),
            around=(nothing, nothing) if handoff is None else (handoff.gather, handoff.flush),
        )
        self._diagnostics = Diagnostics(
            rulings, self.fronts, self.health, self.tcp, self.udp, self.relays, self._handoff
        )

    async def start(self) -> bool:
        """Serve; whether the API has answered, so that the fronts are there."""
        self.udp.start()
        self.watch.start()
        self._tasks.supervise(self._announcer.run, name="announcer")
        self._tasks.supervise(self.udp.expire_forever, name="expire UDP flows")
        self._tasks.supervise(self._retry_forever, name="retry fronts")
        synced = await self.watch.synced(SYNC_SECONDS)
        self._tasks.supervise(self.checks.run, name="health checks")
        return synced

    async def close(self) -> None:
        """Stop: fronts first, then what they let in."""
        self.fronts.close()
        if self._handoff is not None:
            self._handoff.close()
        self.relays.close()
        self.udp.close()
        await self._flow_tasks.close()
        await self._tasks.close()

    def app(self) -> web.Application:
        """The diagnostics."""
        return self._diagnostics.app(self.recorder, self.watch.programmed, self._nodes)

    def replan(self) -> None:
        """Make the fronts what the view and the nodes' health say now."""
        plans = self._plans.follow(self.watch.current, self.health)
        self.fronts.apply(plans)
        self.udp.follow(plans, self.health.healthy)
        self._announce()

    def _announce(self) -> None:
        held = {
            key: balanced.annotations.get(REAL_ADDRESSES)
            for key, balanced in self.watch.current.balanced.items()
        }
        self._announcer.real_addresses(held, self.fronts.real_addresses())

    async def _retry_forever(self) -> None:
        while True:
            await self._clock.sleep(RETRY_SECONDS)
            self.fronts.retry()
            self._announce()

    def _hand_over(self, config: GatewayConfig) -> Handoff:
        return Handoff(
            config.run_dir,
            new_instance(PROCESS),
            undelivered=lambda name, left: self.tcp.given_back(name, left),
            ended=self._ended,
            relieved=lambda: self.fronts.resume(),
        )

    def _wait(self, plan: FrontPlan) -> None:
        self.fronts.pause(plan)

    def _plan_of(self, address: SocketAddress) -> FrontPlan | None:
        return self.fronts.find(address, Protocol.TCP)

    def _ended(self, ended: Ended) -> None:
        """News of flows whose sockets were handed over."""
        self.recorder.update_many(ended.flow_ids, ended=ended.at)

    def _nodes(self) -> Sequence[BackendNode]:
        """The nodes worth asking after: none while there is nothing to balance."""
        nodes = self.watch.current.nodes.values() if len(self.fronts) else ()
        return [node for node in nodes if not node.excluded]

    def _node_with(self, internal_ip: str) -> str:
        return self.watch.current.node_with(internal_ip)

    def _carrier_for(self, _: BackendNode) -> Carrier:
        """By which way a connection goes to its node."""
        return self._carrier

    def _endpoint_of(self, place: Place) -> DatagramEndpoint | None:
        return self.fronts.endpoint_of(place)
