"""UDP through the load balancer: a client's datagrams to one node, encapsulated; replies back.

The first datagram of a client to a front chooses the node; the others follow it as long as the flow
lives (`cluster.gateway.udp_flows`) and its node may be sent to.
"""

import logging
from collections.abc import Callable

from cluster.aio.datagrams import DatagramEndpoint
from cluster.dataplane.decision import Drop
from cluster.errors import WireError
from cluster.gateway.balancer import FrontPlan, Place
from cluster.gateway.rulings import Rulings
from cluster.gateway.udp_flows import UdpFlow, UdpFlows
from cluster.trace.record import ClientSaw
from cluster.wire.addresses import SocketAddress
from cluster.wire.datagrams import Datagram, decode, encode

log = logging.getLogger(__name__)

EXPIRE_SECONDS = 5.0

EndpointOf = Callable[[Place], DatagramEndpoint | None]


class DatagramFlows:
    """The datagrams of clients; `endpoint_of` gives the socket that a front's replies leave by."""

    def __init__(
        self,
        rulings: Rulings,
        key: bytes,
        tunnel: SocketAddress,
        endpoint_of: EndpointOf,
        *,
        flows: UdpFlows | None = None,
    ) -> None:
        """Bind `tunnel`, where nodes send replies; OSError if that address may not be had."""
        self._rulings = rulings
        self._key = key
        self._endpoint_of = endpoint_of
        self._flows = UdpFlows() if flows is None else flows
        self._tunnel = DatagramEndpoint(tunnel, self._from_node)
        self._able: frozenset[tuple[Place, str, SocketAddress | None]] = frozenset()
        self.dropped = 0

    def start(self) -> None:
        """Receive replies from now on."""
        self._tunnel.start()

    def close(self) -> None:
        """Stop."""
        self._tunnel.close()

    @property
    def live(self) -> int:
        """How many flows are remembered."""
        return len(self._flows)

    def received(self, plan: FrontPlan, data: bytes, client: SocketAddress) -> None:
        """A client's datagram arrived at a front."""
        now = self._rulings.clock.monotonic()
        flow = self._flows.from_client((plan.place, client), len(data), now=now)
        if flow is None:
            flow = self._open(plan, client, len(data), now)
        if flow is None:
            self.dropped += 1
            return
        try:
            self._tunnel.send(encode(Datagram(flow.context, data), self._key), flow.tunnel)
        except WireError as error:
            self.dropped += 1
            log.info("datagram dropped flow=%s reason=%s", flow.context.flow_id, error)

    def _open(
        self, plan: FrontPlan, client: SocketAddress, size: int, now: float
    ) -> UdpFlow | None:
        self.expire()
        if self._flows.full:
            log.warning("datagram dropped, %d UDP flows live peer=%s", len(self._flows), client)
            return None
        context = self._rulings.opened(plan, client)
        choice = self._rulings.choose(plan, {})
        if isinstance(choice, Drop):
            self._rulings.dropped(context, plan, choice, {}, now)
            return None
        onward = self._rulings.passed(context, plan, choice, {}, now)
        assert choice.node.tunnel is not None, "a node without a tunnel is excluded"
        flow = UdpFlow(
            place=plan.place,
            client=client,
            node=choice.node.name,
            tunnel=choice.node.tunnel,
            context=onward,
            last_seen=now,
            bytes_in=size,
        )
        self._flows.open(flow)
        return flow

    def _from_node(self, data: bytes, peer: SocketAddress) -> None:
        try:
            datagram = decode(data, self._key)
        except WireError as error:
            self.dropped += 1
            log.info("datagram dropped peer=%s reason=%s", peer, error)
            return
        payload, now = datagram.payload, self._rulings.clock.monotonic()
        flow_id = datagram.context.flow_id
        if not datagram.reply or datagram.refused:
            self.dropped += 1
            if datagram.refused:
                self._unanswered(flow_id)
            return
        flow = self._flows.from_node(flow_id, len(payload), now=now)
        endpoint = self._endpoint_of(flow.place) if flow is not None else None
        if flow is None or endpoint is None:
            self.dropped += 1
            return
        if flow.replies == 1:
            self._rulings.update(flow.context, client_saw=ClientSaw.REPLIED)
        endpoint.send(payload, flow.client)

    def _unanswered(self, flow_id: str) -> None:
        """A refusal ends here: no ICMP can be sent, so a client sees silence (O-20)."""
        flow = self._flows.find(flow_id)
        if flow is not None and not flow.replied:
            self._rulings.update(flow.context, client_saw=ClientSaw.TIMEOUT)

    def follow(self, plans: dict[Place, FrontPlan], healthy: Callable[[str], bool]) -> None:
        """Forget flows whose front is gone, or whose node is, or is elsewhere now."""
        able = frozenset(
            (plan.place, node.name, node.tunnel)
            for plan in plans.values()
            for node in plan.nodes
            if healthy(node.name)
        )
        if able != self._able:
            self._able = able
            gone = self._flows.forget(lambda f: (f.place, f.node, f.tunnel) not in able)
            self._end(gone)

    def expire(self) -> None:
        """Forget the flows whose time is up."""
        self._end(self._flows.expire(self._rulings.clock.monotonic()))

    async def expire_forever(self) -> None:
        """Expire now and then, until cancelled."""
        while True:
            await self._rulings.clock.sleep(EXPIRE_SECONDS)
            self.expire()

    def _end(self, flows: list[UdpFlow]) -> None:
        for flow in flows:
            self._rulings.update(
                flow.context,
                ended=self._rulings.clock.now(),
                bytes_in=flow.bytes_in,
                bytes_out=flow.bytes_out,
            )
