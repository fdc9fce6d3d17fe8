"""What the gateway serves to those who ask about it, besides flows: /explain, /fronts, /metrics.

GET /explain?destination=IP:PORT&source=IP:PORT&protocol=TCP
        the segment of a flow that is not made, as JSON; the destination is a Service's address
        or the real one, the source the real address of a client (default: this machine);
        503 with the reason where the front cannot be bound
GET /fronts        every front: state, reason, real address
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

from aiohttp import web

from cluster.aio.handoff import Handoff
from cluster.aio.relay import Relays
from cluster.gateway.backend_nodes import BackendNode
from cluster.gateway.datagram_flows import DatagramFlows
from cluster.gateway.fronts import Fronts
from cluster.gateway.health import NodeHealth
from cluster.gateway.rulings import Rulings
from cluster.gateway.tcp_flows import TcpFlows
from cluster.trace.endpoint import Programmed, add_routes
from cluster.trace.recorder import Recorder
from cluster.wire.addresses import Protocol, SocketAddress
from cluster.wire.clients import LOCALHOST

Nodes = Callable[[], Iterable[BackendNode]]


class Diagnostics:
    """The handlers and the counters."""

    def __init__(
        self,
        rulings: Rulings,
        fronts: Fronts,
        health: NodeHealth,
        tcp: TcpFlows,
        udp: DatagramFlows,
        relays: Relays,
        handoff: Handoff | None = None,
    ) -> None:
        self._rulings = rulings
        self._fronts = fronts
        self._health = health
        self._tcp = tcp
        self._udp = udp
        self._relays = relays
        self._handoff = handoff

    def app(self, recorder: Recorder, programmed: Programmed, nodes: Nodes) -> web.Application:
        """The application."""
        app = web.Application()
        add_routes(app, recorder, programmed=programmed, metrics=lambda: self.metrics_text(nodes()))
        app.router.add_get("/explain", self.explain)
        app.router.add_get("/fronts", self.fronts)
        return app

    async def explain(self, request: web.Request) -> web.Response:
        """The decision on a flow that is not made."""
        try:
            protocol = Protocol((request.query.get("protocol") or "TCP").upper())
            destination = SocketAddress.parse(request.query.get("destination") or "")
            source = request.query.get("source") or LOCALHOST
            peer = SocketAddress.parse(source, default_port=0)
        except ValueError as error:
            raise web.HTTPBadRequest(text=f"{error}\n") from error
        plan = self._fronts.find(destination, protocol)
        if plan is None:
            text = f"no Service of type LoadBalancer has {destination}/{protocol}\n"
            raise web.HTTPNotFound(text=text)
        if problem := self._fronts.problem(destination, protocol):
            text = f"{plan.place.name} is not served: {problem}\n"
            raise web.HTTPServiceUnavailable(text=text)
        return web.json_response(self._rulings.explain(plan, peer).to_json())

    async def fronts(self, _: web.Request) -> web.Response:
        """Every front."""
        return web.json_response(list(self._fronts.listing()))

    def metrics_text(self, nodes: Iterable[BackendNode]) -> str:
        """The gateway's own lines of /metrics."""
        lines = [
            *_family("fronts", "gauge", "Fronts by state.", "state", self._fronts.states()),
            *_family(
                "node_healthy",
                "gauge",
                "Whether new flows may go to a node.",
                "node",
                {node.name: int(self._health.healthy(node.name)) for node in nodes},
            ),
            *_sample("connections", "gauge", "TCP connections carried here.", self._tcp.live),
            *_sample("relays", "gauge", "TCP connections relayed to nodes.", len(self._relays)),
            *_sample(
                "handed_over_total",
                "counter",
                "Sockets handed over to nodes.",
                self._handoff.given if self._handoff is not None else 0,
            ),
            *_sample(
                "hand_over_waiting",
                "gauge",
                "Sockets that nodes have not taken yet.",
                self._handoff.waiting if self._handoff is not None else 0,
            ),
            *_sample(
                "connections_reset_total",
                "counter",
                "TCP connections reset because there were too many.",
                self._tcp.turned_away,
            ),
            *_sample("udp_flows", "gauge", "UDP flows remembered.", self._udp.live),
            *_sample(
                "datagrams_dropped_total",
                "counter",
                "Datagrams lost here.",
                self._udp.dropped + self._fronts.datagrams_lost,
            ),
        ]
        return "\n".join(lines) + "\n"


def _head(name: str, kind: str, about: str) -> Iterator[str]:
    yield f"# HELP kubehop_gateway_{name} {about}"
    yield f"# TYPE kubehop_gateway_{name} {kind}"


def _sample(name: str, kind: str, about: str, value: int) -> Iterator[str]:
    yield from _head(name, kind, about)
    yield f"kubehop_gateway_{name} {value}"


def _family(
    name: str, kind: str, about: str, label: str, values: Mapping[str, int]
) -> Iterator[str]:
    yield from _head(name, kind, about)
    for each, value in values.items():
        yield f'kubehop_gateway_{name}{{{label}="{each}"}} {value}'
