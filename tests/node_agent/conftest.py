"""Fixtures for the node's parts: its own event loop, and a network of pods without a cluster."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cluster.dns.resolv_conf import ResolvConf
from cluster.wire.addresses import SocketAddress
from cluster.wire.flow import Flow, FlowKind, Origin
from node_agent.cni.interface import PodSpec
from node_agent.cni.names import PodNames
from node_agent.cni.pod_datagrams import PodDatagramTransport
from node_agent.cni.pod_network import PodNetwork
from node_agent.loop import NodeLoop


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Tests of the node run on the node's own event loop."""
    return {"node": NodeLoop}


class Fabric:
    """A router without decisions: every address is a pod, sockets are joined on loopback."""

    def __init__(self) -> None:
        self.pods: dict[str, PodNetwork] = {}
        self.connections: list[tuple[Origin, Flow, FlowKind]] = []
        self.resolved: list[dict[str, Any] | None] = []
        self.datagrams: list[Flow] = []

    def pod(self, name: str, ip: str, hosts: dict[str, str] | None = None) -> PodNetwork:
        """Attach a pod."""
        loop = asyncio.get_running_loop()
        assert isinstance(loop, NodeLoop)
        spec = PodSpec(namespace="default", name=name, uid=name, hostname=name)
        network = PodNetwork(
            spec,
            ip,
            router=self,
            names=PodNames(ResolvConf.parse("nameserver 10.96.0.10\n"), hosts or {}, ""),
            calls=loop,
            node_name="node-1",
            node_ip="172.30.0.1",
            real_host="127.0.0.1",
        )
        self.pods[ip] = network
        return network

    async def connect(
        self,
        origin: Origin,
        flow: Flow,
        *,
        kind: FlowKind,
        sock: socket.socket | None,
        resolved: dict[str, Any] | None,
    ) -> socket.socket:
        self.connections.append((origin, flow, kind))
        self.resolved.append(resolved)
        return await self._join(self.pods.get(flow.destination.ip), flow, sock)

    async def pair(
        self, network: PodNetwork, flow: Flow, sock: socket.socket | None
    ) -> socket.socket:
        return await self._join(network, flow, sock)

    async def _join(
        self, target: PodNetwork | None, flow: Flow, sock: socket.socket | None
    ) -> socket.socket:
        found = target and target.ports.find(
            flow.protocol, flow.destination.ip, flow.destination.port
        )
        if target is None or found is None:
            raise ConnectionRefusedError
        with socket.create_server(("127.0.0.1", 0)) as door:
            client = sock or socket.socket()
            client.setblocking(True)
            client.connect(door.getsockname())
            client.setblocking(False)
            server, _ = door.accept()
            server.setblocking(False)
        found.take(server, flow, target.track)
        return client

    def send(
        self, network: PodNetwork, endpoint: PodDatagramTransport, flow: Flow, data: bytes
    ) -> None:
        self.datagrams.append(flow)
        target = self.pods.get(flow.destination.ip)
        found = target and target.datagrams.find(
            flow.protocol, flow.destination.ip, flow.destination.port
        )
        if found:
            found.receive(data, SocketAddress(*flow.source))
        else:
            endpoint.refuse()


@pytest.fixture
def fabric() -> Iterator[Fabric]:
    fabric = Fabric()
    yield fabric
    for pod in fabric.pods.values():
        pod.close()
