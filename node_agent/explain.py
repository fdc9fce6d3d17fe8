"""GET /explain on a node: what would happen to a flow that is not made.

    /explain?destination=IP:PORT&source=IP[:PORT]&protocol=TCP      the segment, as JSON

The destination is emulated (a Service, a pod) or a node port of this node; the source likewise, or
a real address that stands for an outside client.
"""

from collections.abc import Callable

from aiohttp import web

from cluster.aio.clock import Clock
from cluster.trace.record import Outcome, segment_of
from cluster.wire.addresses import Protocol, SocketAddress
from cluster.wire.clients import LOCALHOST, OutsideClients
from cluster.wire.flow import Flow, FlowKind, Origin, OriginKind
from node_agent.cni.rulings import Rulings, outcome_of


class Explain:
    """The route."""

    def __init__(
        self,
        node: str,
        internal_ip: str,
        bind: str,
        rulings: Rulings,
        clients: OutsideClients,
        clock: Clock,
        pod_with: Callable[[str], str],
    ) -> None:
        self._node = node
        self._internal_ip = internal_ip
        self._bind = bind
        self._rulings = rulings
        self._clients = clients
        self._clock = clock
        self._pod_with = pod_with  # "namespace/name" of the pod with an address, or ""

    def add_to(self, app: web.Application) -> None:
        """Register it."""
        app.router.add_get("/explain", self.answer)

    async def answer(self, request: web.Request) -> web.Response:
        """The decision on a flow that is not made."""
        try:
            protocol = Protocol((request.query.get("protocol") or "TCP").upper())
            destination = SocketAddress.parse(request.query.get("destination") or "")
            text = request.query.get("source") or LOCALHOST
            source = SocketAddress.parse(text, default_port=0)
        except ValueError as error:
            raise web.HTTPBadRequest(text=f"{error}\n") from error
        if destination.ip == self._bind:
            destination = SocketAddress(self._internal_ip, destination.port)
        client = SocketAddress(self._clients.client_of(source.ip), source.port)
        context = self._rulings.opened(
            self._origin(client), Flow(protocol, client, destination), FlowKind.TRAFFIC
        )
        decision = self._rulings.explain(context)
        outcome: Outcome = outcome_of(decision.verdict)
        segment = segment_of(
            decision, context, process=self._node, at=self._clock.now(), outcome=outcome
        )
        return web.json_response(segment.to_json())

    def _origin(self, client: SocketAddress) -> Origin:
        pod = self._pod_with(client.ip)
        if pod:
            return Origin(OriginKind.POD, pod, self._node)
        return Origin(OriginKind.OUTSIDE, client.ip, "")
