"""The CNI plugin of this node: ADD and DEL for pods, and the node's own way to them.

Spec: P-1, P-8, P-21 to P-23, P-28, P-48, P-99, P-100.
"""

import socket
from collections.abc import Callable

from cluster.ipam import IpPool
from cluster.wire.addresses import Protocol, SocketAddress
from cluster.wire.flow import Flow, FlowKind
from node_agent.cni.interface import PodSpec
from node_agent.cni.pod_datagrams import PodDatagramTransport
from node_agent.cni.pod_network import PodNetwork
from node_agent.cni.pod_server import PodListener
from node_agent.cni.port_table import LOOPBACK, PortTable
from node_agent.cni.router import Router, node_origin

Build = Callable[[PodSpec, str], PodNetwork]
Detached = Callable[[PodNetwork], None]


class NodeNetwork:
    """Implements `cni.interface.Network`: pods by uid and by address."""

    def __init__(self, node: str, node_ip: str) -> None:
        self._node = node
        self._node_ip = node_ip
        self._by_uid: dict[str, PodNetwork] = {}
        self._by_ip: dict[str, PodNetwork] = {}
        self._pool: IpPool | None = None
        self._build: Build | None = None
        self._router: Router | None = None
        self._node_ports: PortTable[None] = PortTable(node_ip)
        self._detached: Detached | None = None

    def start(self, pool: IpPool, router: Router, build: Build, detached: Detached) -> None:
        """Begin to attach pods, once the node knows its pod range; `detached` hears of each DEL."""
        self._pool, self._router, self._build = pool, router, build
        self._detached = detached

    async def add(self, pod: PodSpec) -> PodNetwork:
        """ADD; a second ADD of the same uid gives the same attachment."""
        attached = self._by_uid.get(pod.uid)
        if attached is not None:
            return attached
        assert self._pool is not None and self._build is not None, "pods wait for the pod range"
        ip = self._node_ip if pod.host_network else self._pool.take(pod.wanted_ip)
        network = self._build(pod, ip)
        self._by_uid[pod.uid] = network
        self._by_ip.setdefault(ip, network)
        return network

    async def delete(self, uid: str) -> None:
        """DEL; unknown is fine (P-100)."""
        network = self._by_uid.pop(uid, None)
        if network is None:
            return
        network.close()
        if self._by_ip.get(network.ip) is network:
            del self._by_ip[network.ip]
        if self._pool is not None and not network.spec.host_network:
            self._pool.release(network.ip)
        if self._detached is not None:
            self._detached(network)

    def listener_of(self, flow: Flow) -> PodListener | None:
        """Who accepts a TCP flow's destination in a pod of this node."""
        network = self._by_ip.get(flow.destination.ip)
        if network is None:
            return None
        destination = flow.destination
        listener = network.ports.find(Protocol.TCP, destination.ip, destination.port)
        return listener if listener is not None and listener.accepting else None

    def endpoint_of(self, flow: Flow) -> PodDatagramTransport | None:
        """Who receives a UDP flow's destination in a pod of this node."""
        network = self._by_ip.get(flow.destination.ip)
        if network is None:
            return None
        return network.datagrams.find(Protocol.UDP, flow.destination.ip, flow.destination.port)

    def listening(self, flow: Flow) -> bool:
        """Whether something listens where the flow goes."""
        found = self.listener_of if flow.protocol is Protocol.TCP else self.endpoint_of
        return found(flow) is not None

    async def dial(
        self,
        ip: str,
        port: int,
        *,
        kind: FlowKind = FlowKind.PROBE,
        from_pod: str | None = None,
        localhost: bool = False,
    ) -> socket.socket:
        """A connected socket from the node itself, or from inside the pod with uid `from_pod`."""
        assert self._router is not None, "nobody dials before the node's data plane runs"
        if from_pod is None:
            source = SocketAddress(self._node_ip, self._node_ports.ephemeral(Protocol.TCP))
            flow = Flow(Protocol.TCP, source, SocketAddress(ip, port))
            return await self._router.connect(node_origin(self._node), flow, kind=kind)
        network = self._by_uid.get(from_pod)
        if network is None:
            raise LookupError(f"no pod with uid {from_pod} runs on {self._node}")
        target = SocketAddress(LOOPBACK if localhost else ip, port)
        sock, _ = await network.open(target, kind=kind)
        return sock

    def flow_id_of(self, sock: socket.socket) -> str:
        """The flow id of a socket that `dial` returned; "" if it is not one."""
        return self._router.flow_id_of(sock) if self._router is not None else ""

    def pod_with(self, ip: str) -> PodNetwork | None:
        """The pod of this node that has an address."""
        return self._by_ip.get(ip)

    def pods(self) -> list[PodNetwork]:
        """Every attached pod."""
        return list(self._by_uid.values())

    async def close(self) -> None:
        """Detach every pod."""
        for uid in list(self._by_uid):
            await self.delete(uid)
