"""The network as one pod sees it: what its socket calls do, and the OSErrors that Linux gives.

`node_agent.loop` sends every socket call of a pod's task here. Ports are the pod's own
(`port_table`); a connection asks the router, which decides, and comes back as a real connected
socket with emulated names in front of it (`transport`).
Spec: P-1 to P-11, D-68 to D-92.
"""

import asyncio
import contextvars
import socket
import ssl
from collections.abc import Callable
from typing import Any, Protocol
from weakref import WeakKeyDictionary, WeakSet

from cluster.wire.addresses import Protocol as Transport
from cluster.wire.addresses import SocketAddress
from cluster.wire.flow import Flow, FlowKind, Origin, OriginKind
from node_agent.cni.interface import PodSpec
from node_agent.cni.names import PodNames
from node_agent.cni.pod_context import POD
from node_agent.cni.pod_datagrams import PodDatagramTransport
from node_agent.cni.pod_server import PodListener, PodServer
from node_agent.cni.port_table import LOOPBACK, WILDCARD, PortTable
from node_agent.cni.transport import Factory, Greeter, PodTransport, client_names

DNS_PORT = 53


class Router(Protocol):
    """What a pod's network asks of its node (`node_agent.cni.router`)."""

    async def connect(
        self,
        origin: Origin,
        flow: Flow,
        *,
        kind: FlowKind,
        sock: socket.socket | None,
        resolved: dict[str, Any] | None,
    ) -> socket.socket: ...

    async def pair(
        self, network: "PodNetwork", flow: Flow, sock: socket.socket | None
    ) -> socket.socket: ...

    def send(
        self, network: "PodNetwork", endpoint: PodDatagramTransport, flow: Flow, data: bytes
    ) -> None: ...


class RealCalls(Protocol):
    """The event loop's own calls, past the pod's network."""

    async def real_server(
        self, factory: Factory, host: str, tls: ssl.SSLContext | None
    ) -> asyncio.Server: ...

    async def real_connection(
        self, factory: Factory, sock: socket.socket, **options: Any
    ) -> tuple[asyncio.Transport, Any]: ...


class PodNetwork:
    """One pod's network namespace, from ADD to DEL."""

    def __init__(
        self,
        spec: PodSpec,
        ip: str,
        *,
        router: Router,
        names: PodNames,
        calls: RealCalls,
        node_name: str,
        node_ip: str,
        real_host: str,
    ) -> None:
        self.spec = spec
        self.names = names
        self.origin = Origin(OriginKind.POD, f"{spec.namespace}/{spec.name}", node_name)
        self.ports: PortTable[PodListener] = PortTable(ip)
        self.datagrams: PortTable[PodDatagramTransport] = PortTable(ip)
        self._ip = ip
        self._router = router
        self._calls = calls
        self._node_ip = node_ip
        self._real_host = real_host
        self._connected: WeakKeyDictionary[socket.socket, Flow] = WeakKeyDictionary()
        self._transports: WeakSet[PodTransport] = WeakSet()
        self._closed = False

    # What the kubelet sees (PodAttachment)

    @property
    def ip(self) -> str:
        """The pod's address."""
        return self._ip

    def context(self) -> contextvars.Context:
        """A fresh context in which everything that runs uses this network."""
        context = contextvars.Context()
        context.run(POD.set, self)
        return context

    def resolv_conf(self) -> str:
        """/etc/resolv.conf as the pod sees it."""
        return self.names.resolv_conf()

    def hosts_file(self) -> str:
        """/etc/hosts as the pod sees it."""
        return self.names.hosts_file()

    def listening(self) -> frozenset[tuple[str, str, int]]:
        """(protocol, address bound, port) of every listening socket."""
        return self.ports.entries() | self.datagrams.entries()

    def real_address(self, port: int) -> tuple[str, int] | None:
        """The real address that reaches the TCP listener of `port`, for the node only."""
        listener = self.ports.find(Transport.TCP, self._ip, port)
        return listener.real_address if listener else None

    # What a program's calls do

    async def create_server(
        self,
        factory: Factory,
        host: Any,
        port: int | None,
        *,
        tls: ssl.SSLContext | None,
        start_serving: bool,
    ) -> PodServer:
        """Listen on the pod's address; EADDRINUSE and EADDRNOTAVAIL as Linux gives them."""
        loop = asyncio.get_running_loop()
        hosts = [host] if host is None or isinstance(host, str) else list(host)
        addresses = dict.fromkeys(self.ports.local_address(each) for each in hosts)
        listeners: list[PodListener] = []
        try:
            for address in addresses:
                listener = PodListener(factory, address, tls=tls, loop=loop)
                listener.port = self.ports.bind(Transport.TCP, address, port or 0, listener)
                listener.accepting = start_serving
                listeners.append(listener)
                if address != LOOPBACK:
                    greeter = listener.greeter(self._node_ip, self._ip)
                    listener.real = await self._calls.real_server(greeter, self._real_host, tls)
        except OSError:
            for listener in listeners:
                self._release(listener)
            raise
        return PodServer(listeners, self._ip, self._release, loop)

    def _release(self, listener: PodListener) -> None:
        listener.close()
        self.ports.release(Transport.TCP, listener.address, listener.port)

    async def open(
        self,
        destination: SocketAddress,
        *,
        sock: socket.socket | None = None,
        kind: FlowKind = FlowKind.TRAFFIC,
    ) -> tuple[socket.socket, Flow]:
        """A connected TCP socket to an emulated address, and the flow as the pod sees it."""
        if destination.ip == WILDCARD:
            destination = SocketAddress(LOOPBACK, destination.port)
        local = destination.ip.startswith("127.")
        source = SocketAddress(LOOPBACK if local else self._ip, self.ports.ephemeral(Transport.TCP))
        flow = Flow(Transport.TCP, source, destination)
        if local:
            return await self._router.pair(self, flow, sock), flow
        resolved = self.names.resolved(destination.ip)
        connected = await self._router.connect(
            self.origin, flow, kind=kind, sock=sock, resolved=resolved
        )
        return connected, flow

    async def sock_connect(self, sock: socket.socket, address: Any) -> None:
        """`loop.sock_connect`: the program's own socket becomes the connection."""
        ip = address[0]
        if not _numeric(ip):
            ip = (await self.names.getaddrinfo(self, ip, address[1], socket.AF_INET))[0][4][0]
        connected, flow = await self.open(SocketAddress(ip, address[1]), sock=sock)
        assert connected is sock
        self._connected[sock] = flow

    def flow_of(self, sock: socket.socket) -> Flow | None:
        """The flow of a socket that `sock_connect` connected; None for a foreign socket."""
        return self._connected.get(sock)

    async def create_connection(
        self, factory: Factory, host: str, port: int, **options: Any
    ) -> tuple[PodTransport, asyncio.BaseProtocol]:
        """Resolve, then try each address in turn, as `loop.create_connection` does."""
        found = await self.names.getaddrinfo(self, host, port, options.pop("family", 0))
        if options.get("ssl") and not options.get("server_hostname"):
            options["server_hostname"] = host
        failures: list[OSError] = []
        for *_, address in found:
            try:
                sock, flow = await self.open(SocketAddress(address[0], address[1]))
            except OSError as error:
                failures.append(error)
                continue
            return await self.wrap(factory, sock, flow, **options)
        raise failures[0]

    async def wrap(
        self, factory: Factory, sock: socket.socket, flow: Flow, **options: Any
    ) -> tuple[PodTransport, asyncio.BaseProtocol]:
        """A connected socket as a transport with emulated names, and the program's protocol."""
        own, peer = client_names(flow)
        loop = asyncio.get_running_loop()
        greeter = Greeter(factory, own, peer, loop, self.track)
        await self._calls.real_connection(lambda: greeter, sock, **options)
        assert greeter.transport is not None and greeter.protocol is not None
        return greeter.transport, greeter.protocol

    def track(self, transport: PodTransport) -> None:
        """Know a live connection, to end it with the pod."""
        self._transports.add(transport)

    async def create_datagram_endpoint(
        self,
        factory: Callable[[], asyncio.DatagramProtocol],
        local: Any,
        remote: Any,
        *,
        kind: FlowKind = FlowKind.TRAFFIC,
    ) -> tuple[PodDatagramTransport, asyncio.DatagramProtocol]:
        """A UDP socket of the pod, bound, and connected when there is a remote address."""
        target = await self._datagram_target(remote)
        address = self.datagrams.local_address(local[0] if local else None)
        if target is not None and address == WILDCARD:
            address = LOOPBACK if target.ip.startswith("127.") else self._ip
        protocol = factory()
        wanted = SocketAddress(address, local[1] if local else 0)
        transport = PodDatagramTransport(self, protocol, wanted, target, kind)
        port = self.datagrams.bind(Transport.UDP, address, wanted.port, transport)
        transport.local = SocketAddress(address, port)
        protocol.connection_made(transport)
        return transport, protocol

    async def _datagram_target(self, remote: Any) -> SocketAddress | None:
        if remote is None:
            return None
        if _numeric(remote[0]):
            return SocketAddress(remote[0], remote[1])
        found = await self.names.getaddrinfo(self, remote[0], remote[1], socket.AF_INET)
        return SocketAddress(*found[0][4][:2])

    def release_datagrams(self, transport: PodDatagramTransport) -> None:
        """The program closed its UDP socket."""
        self.datagrams.release(Transport.UDP, transport.local.ip, transport.local.port)

    def send(self, endpoint: PodDatagramTransport, flow: Flow, data: bytes) -> None:
        """One datagram on its way; loopback stays here, everything else asks the router."""
        if not flow.destination.ip.startswith("127."):
            self._router.send(self, endpoint, flow, data)
            return
        target = self.datagrams.find(Transport.UDP, flow.destination.ip, flow.destination.port)
        if target is None:
            endpoint.refuse()
        else:
            target.receive(data, flow.source)

    def close(self) -> None:
        """The pod is gone: nothing listens, every connection is reset, as after a sandbox's end."""
        self._closed = True
        for listener in list(self.ports):
            self._release(listener)
        for endpoint in list(self.datagrams):
            endpoint.close()
        for transport in list(self._transports):
            transport.abort()


def _numeric(host: str) -> bool:
    try:
        socket.inet_pton(socket.AF_INET, host)
    except OSError:
        return False
    return True
