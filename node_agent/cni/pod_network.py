"""The network as one pod sees it: what its socket calls do, and the OSErrors that Linux gives.

`node_agent.loop` sends every socket call of a pod's task here. Ports are the pod's own
(`port_table`); a connection asks the router, which decides, and comes back as a real connected
socket with emulated names in front of it (`transport`).
Spec: P-1 to P-11, D-68 to D-92.
"""

import asyncio
import contextvars
import errno
import os
import socket
from collections.abc import Callable
from typing import Any, Protocol

from cluster.dns.resolver import NameNotResolved
from cluster.wire.addresses import Protocol as Transport
from cluster.wire.addresses import SocketAddress
from cluster.wire.datagrams import payload_bytes_max
from cluster.wire.flow import Flow, FlowContext, FlowKind, Origin, OriginKind
from node_agent.cni.connections import Connections
from node_agent.cni.datagram_flow import Way
from node_agent.cni.interface import PodSpec
from node_agent.cni.names import PodNames
from node_agent.cni.numeric import loopback, numeric, reached
from node_agent.cni.pod_context import POD
from node_agent.cni.pod_datagrams import PodDatagramTransport
from node_agent.cni.pod_server import PodListener, PodServer, Tls
from node_agent.cni.port_table import LOOPBACK, WILDCARD, PortTable
from node_agent.cni.transport import Factory, Greeter, PodTransport, client_names


class Router(Protocol):
    """What a pod's network asks of its node (`node_agent.cni.routes`)."""

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

    def unresolved(self, origin: Origin, flow: Flow, error: NameNotResolved) -> str: ...

    def send(
        self, network: "PodNetwork", endpoint: PodDatagramTransport, flow: Flow, data: bytes
    ) -> Way | None: ...


class RealCalls(Protocol):
    """The event loop's own calls, past the pod's network."""

    async def real_connection(
        self, factory: Factory, sock: socket.socket, **options: Any
    ) -> tuple[asyncio.BaseTransport, Any]: ...


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
    ) -> None:
        self.spec = spec
        self.names = names
        self.origin = Origin(OriginKind.POD, f"{spec.namespace}/{spec.name}", node_name)
        self.ports: PortTable[PodListener] = PortTable(ip)
        self.datagrams: PortTable[PodDatagramTransport] = PortTable(ip)
        self.connections = Connections()
        self.datagram_bytes_max = _datagram_bytes_max(self.origin, ip)
        self._ip = ip
        self._router = router
        self._calls = calls
        self._listeners: set[PodListener] = set()
        self._endpoints: set[PodDatagramTransport] = set()

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

    def release(self, container: object) -> None:
        """Close what one container opened, as a kernel closes a dead process's descriptors."""
        self._abandon([each for each in self._listeners if each.holder is container])
        for endpoint in [each for each in self._endpoints if each.holder is container]:
            endpoint.close()
        self.connections.end(container)

    def close(self) -> None:
        """The pod is gone: nothing listens, every connection ends, as after a sandbox's end."""
        self._abandon(list(self._listeners))
        for endpoint in list(self._endpoints):
            endpoint.close()
        self.connections.end_all()

    # TCP, for servers

    async def create_server(
        self,
        factory: Factory,
        host: Any,
        port: int | None,
        *,
        tls: Tls | None = None,
        start_serving: bool = True,
    ) -> PodServer:
        """Listen on the pod's address; EADDRINUSE and EADDRNOTAVAIL as Linux gives them."""
        if host is None and port is None:
            raise ValueError("Neither host/port nor sock were specified")
        loop = asyncio.get_running_loop()
        listeners: list[PodListener] = []
        try:
            for address in await self._bound_addresses(host):
                track = self.connections.add_held
                listener = PodListener(factory, address, loop=loop, on_made=track, tls=tls)
                listener.port = self.ports.bind(Transport.TCP, address, port or 0, listener)
                listener.accepting = start_serving
                listeners.append(listener)
        except OSError:
            self._abandon(listeners)
            raise
        self._listeners.update(listeners)
        return PodServer(listeners, self._stop, loop)

    async def _bound_addresses(self, host: Any) -> list[str]:
        """The pod's own addresses that a program names, by number or by name."""
        hosts = [host] if host is None or isinstance(host, str) else list(host)
        addresses: dict[str, None] = {}
        for each in hosts:
            named = each and each != "localhost" and not numeric(each)
            found = (await self._lookup(each, 0))[0].ip if named else each
            addresses[self.ports.local_address(found)] = None
        return list(addresses)

    def _stop(self, listener: PodListener) -> None:
        listener.close()
        self._listeners.discard(listener)
        if self.ports.find(Transport.TCP, listener.address, listener.port) is listener:
            self.ports.release(Transport.TCP, listener.address, listener.port)

    def _abandon(self, listeners: list[PodListener]) -> None:
        for listener in listeners:
            self._stop(listener)
            listener.abandon()

    # TCP, for clients

    async def open(
        self,
        destination: SocketAddress,
        *,
        sock: socket.socket | None = None,
        local: tuple[Any, int] | None = None,
        kind: FlowKind = FlowKind.TRAFFIC,
    ) -> tuple[socket.socket, Flow]:
        """A connected TCP socket to an emulated address, and the flow as the pod sees it."""
        destination = reached(*destination)
        if ":" in destination.ip:  # pods have IPv4 only
            raise OSError(errno.ENETUNREACH, f"{os.strerror(errno.ENETUNREACH)}: {destination}")
        source = self._source(destination, local)
        flow = Flow(Transport.TCP, source, destination)
        if loopback(destination.ip):
            return await self._router.pair(self, flow, sock), flow
        resolved = self.names.resolved(destination.ip)
        connected = await self._router.connect(
            self.origin, flow, kind=kind, sock=sock, resolved=resolved
        )
        return connected, flow

    def _source(self, destination: SocketAddress, local: tuple[Any, int] | None) -> SocketAddress:
        inside = LOOPBACK if loopback(destination.ip) else self._ip
        bound = self.ports.local_address(local[0] if local else None)
        port = (local[1] if local else 0) or self.ports.ephemeral(Transport.TCP)
        return SocketAddress(inside if bound == WILDCARD else bound, port)

    async def sock_connect(self, sock: socket.socket, address: Any) -> None:
        """`loop.sock_connect`: the program's own socket becomes the connection."""
        target = (await self._lookup(address[0], address[1]))[0]
        connected, flow = await self.open(target, sock=sock)
        assert connected is sock
        self.connections.add_socket(sock, flow)

    async def create_connection(
        self, factory: Factory, host: Any, port: Any, *, family: int = 0, **options: Any
    ) -> tuple[PodTransport, asyncio.BaseProtocol]:
        """Resolve, then try each address in turn, as `loop.create_connection` does."""
        if host is None and port is None:
            raise ValueError("host and port was not specified and no sock specified")
        local = options.pop("local_addr", None)
        if options.get("ssl") and options.get("server_hostname") is None:
            options["server_hostname"] = host
        failures: list[OSError] = []
        for address in await self._lookup(host, port, family):
            try:
                sock, flow = await self.open(address, local=local)
            except OSError as error:
                failures.append(error)
                continue
            return await self.wrap(factory, sock, flow, **options)
        raise _one_of(failures)

    async def wrap(
        self, factory: Factory, sock: socket.socket, flow: Flow, **options: Any
    ) -> tuple[PodTransport, asyncio.BaseProtocol]:
        """A connected socket as a transport with emulated names, and the program's protocol."""
        loop = asyncio.get_running_loop()
        self.connections.forget_socket(sock)
        try:
            protocol = factory()
            greeter = Greeter(
                lambda: protocol, *client_names(flow), loop, on_made=self.connections.add
            )
            await self._calls.real_connection(lambda: greeter, sock, **options)
        except BaseException:
            sock.close()  # unless the loop holds it: then it is closed by the loop
            raise
        if greeter.transport is None:  # closed by its peer before anybody could greet it
            raise ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))
        return greeter.transport, protocol

    # UDP

    async def create_datagram_endpoint(
        self,
        factory: Callable[[], asyncio.DatagramProtocol],
        local: Any,
        remote: Any,
        *,
        kind: FlowKind = FlowKind.TRAFFIC,
    ) -> tuple[PodDatagramTransport, asyncio.DatagramProtocol]:
        """A UDP socket of the pod, bound, and connected when there is a remote address."""
        target = (await self._lookup(remote[0], remote[1]))[0] if remote else None
        address = (await self._bound_addresses(local[0] if local else None))[0]
        if target is not None and ":" in target.ip:
            raise OSError(errno.ENETUNREACH, f"{os.strerror(errno.ENETUNREACH)}: {target}")
        if target is not None and address == WILDCARD:
            address = LOOPBACK if loopback(target.ip) else self._ip
        protocol = factory()
        wanted = SocketAddress(address, local[1] if local else 0)
        transport = PodDatagramTransport(self, protocol, wanted, target, kind)
        port = self.datagrams.bind(Transport.UDP, address, wanted.port, transport)
        transport.local = SocketAddress(address, port)
        self._endpoints.add(transport)
        protocol.connection_made(transport)
        return transport, protocol

    def release_datagrams(self, transport: PodDatagramTransport) -> None:
        """The program closed its UDP socket."""
        self._endpoints.discard(transport)
        self.datagrams.release(Transport.UDP, transport.local.ip, transport.local.port)

    def send(self, endpoint: PodDatagramTransport, flow: Flow, data: bytes) -> Way | None:
        """One datagram on its way; loopback stays here, everything else asks the router, who tells
        the way that the next ones may take."""
        if not loopback(flow.destination.ip):
            return self._router.send(self, endpoint, flow, data)
        target = self.datagrams.find(Transport.UDP, flow.destination.ip, flow.destination.port)
        if target is None:
            endpoint.refuse()
        else:
            target.receive(data, flow.source)
        return None

    # Names

    async def _lookup(
        self, host: Any, port: Any, family: int = socket.AF_INET
    ) -> list[SocketAddress]:
        """The addresses of a host, in order; a numeric one is itself."""
        if numeric(host) and isinstance(port, int):
            return [reached(host, port)]
        found = await self.names.getaddrinfo(self, host, port, family, socket.SOCK_STREAM)
        return [reached(*address[:2]) for *_, address in found]

    def unresolved(self, error: NameNotResolved) -> str:
        """Note that a name led nowhere; the name of the flow that therefore never began."""
        flow = Flow(Transport.UDP, SocketAddress(self._ip, 0), self.names.server)
        return self._router.unresolved(self.origin, flow, error)


def _datagram_bytes_max(origin: Origin, ip: str) -> int:
    """What is left of an IPv4 datagram after the encapsulation of this pod's flows."""
    anywhere = SocketAddress(ip, 0)
    flow = Flow(Transport.UDP, anywhere, anywhere)
    return payload_bytes_max(
        FlowContext(flow_id="0" * 16, flow=flow, original=flow, origin=origin, sender=origin.node)
    )


def _one_of(failures: list[OSError]) -> OSError:
    """What asyncio raises when no address could be reached."""
    texts = {str(each) for each in failures}
    if len(texts) == 1:
        return failures[0]
    return OSError("Multiple exceptions: {}".format(", ".join(str(each) for each in failures)))
