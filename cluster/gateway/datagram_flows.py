"""UDP through the load balancer: a client's datagrams to one node, encapsulated; replies back.

The first datagram of a client to a front chooses the node; the others follow it as long as the flow
lives (`cluster.gateway.udp_flows`) and its node may be sent to.
"""

import logging
from collections.abc import Callable

from cluster.aio.batch import BySender
from cluster.aio.datagrams import DatagramEndpoint
from cluster.aio.socket_names import pack_name, read_name
from cluster.dataplane.decision import Drop
from cluster.errors import WireError
from cluster.gateway.balancer import FrontPlan, Place
from cluster.gateway.rulings import Rulings
from cluster.gateway.udp_flows import UdpFlow, UdpFlows
from cluster.trace.record import ClientSaw
from cluster.wire.addresses import SocketAddress
from cluster.wire.datagrams import by_head, head_of, read_head

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
        self._tunnel = DatagramEndpoint(tunnel, on_batch=self._from_nodes, coalesced=True)
        self._able: frozenset[tuple[Place, str, SocketAddress | None]] = frozenset()
        self._lost = 0

    @property
    def dropped(self) -> int:
        """How many datagrams were lost here."""
        return self._lost + self._tunnel.lost

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

    def received(self, plan: FrontPlan, came: BySender) -> None:
        """Clients' datagrams arrived at a front."""
        now = self._rulings.clock.monotonic()
        for name, payloads in came.items():
            client = read_name(name)
            flow = self._flows.from_client((plan.place, client), _bytes(payloads), now=now)
            if flow is None:
                flow = self._open(plan, client, _bytes(payloads), now)
            if flow is None:
                self._lost += len(payloads)
            else:
                self._tunnel.send_all(flow.head, payloads, pack_name(flow.tunnel))

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
            head=head_of(onward, self._key),
            last_seen=now,
            bytes_in=size,
        )
        self._flows.open(flow)
        return flow

    def _from_nodes(self, came: BySender) -> None:
        now = self._rulings.clock.monotonic()
        for name, datagrams in came.items():
            for head, payloads in by_head(datagrams).items():
                try:
                    self._lost += 0 if self._back(head, payloads, now) else len(payloads)
                except WireError as error:
                    self._lost += len(payloads)
                    log.info("datagrams dropped peer=%s reason=%s", read_name(name), error)

    def _back(self, head: bytes, payloads: list[bytes], now: float) -> bool:
        """Give a node's replies to the client of their flow; False when it has none."""
        read = read_head(head, self._key)
        flow_id = read.context.flow_id
        if not read.reply or read.refused:
            if read.refused:
                self._unanswered(flow_id)
            return False
        flow = self._flows.from_node(flow_id, len(payloads), _bytes(payloads), now=now)
        endpoint = self._endpoint_of(flow.place) if flow is not None else None
        if flow is None or endpoint is None:
            return False
        if flow.replies == len(payloads):
            self._rulings.update(flow.context, client_saw=ClientSaw.REPLIED)
        endpoint.send_all(b"", payloads, pack_name(flow.client))
        return True

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


def _bytes(payloads: list[bytes]) -> int:
    return sum(map(len, payloads))
