"""Streams and datagrams behind one object, as a pod's network asks for them."""

import socket
from typing import Any

from cluster.dns.resolver import NameNotResolved, Resolution
from cluster.wire.addresses import Protocol, SocketAddress
from cluster.wire.flow import Flow, FlowKind, Origin, OriginKind
from node_agent.cni.routes import PodRoutes


class Told:
    """Notes what it is asked, by name."""

    def __init__(self, calls: list[Any]) -> None:
        self._calls = calls

    async def connect(self, *arguments: Any, **options: Any) -> str:
        self._calls.append(("connect", arguments, options))
        return "connected"

    async def pair(self, *arguments: Any) -> str:
        self._calls.append(("pair", arguments))
        return "paired"

    def unresolved(self, *arguments: Any) -> str:
        self._calls.append(("unresolved", arguments))
        return "00c0ffee00c0ffee"

    def send(self, *arguments: Any) -> None:
        self._calls.append(("send", arguments))


async def test_each_call_goes_to_the_router_of_its_protocol() -> None:
    streams: list[Any] = []
    datagrams: list[Any] = []
    routes = PodRoutes(Told(streams), Told(datagrams))  # type: ignore[arg-type]
    origin = Origin(OriginKind.POD, "default/web", "node-1")
    address = SocketAddress("10.244.1.5", 80)
    flow = Flow(Protocol.TCP, address, address)
    error = NameNotResolved(socket.EAI_NONAME, Resolution("web", (), ()))
    network: Any = object()
    options = {"kind": FlowKind.TRAFFIC, "sock": None, "resolved": {"name": "web"}}
    assert await routes.connect(origin, flow, **options) == "connected"  # type: ignore[arg-type]
    assert await routes.pair(network, flow, None) == "paired"  # type: ignore[comparison-overlap]
    assert routes.unresolved(origin, flow, error) == "00c0ffee00c0ffee"
    routes.send(network, network, flow, b"data")
    assert streams == [
        ("connect", (origin, flow), options),
        ("pair", (network, flow, None)),
        ("unresolved", (origin, flow, error)),
    ]
    assert datagrams == [("send", (network, network, flow, b"data"))]
