"""A pod's UDP sockets: no descriptor, one datagram in, one datagram out, through the router.

What cannot be sent is told as the kernel tells it: by an error to the protocol, in its own time.
Spec: P-5, S-85 (a refused datagram is an ICMP answer: only a connected socket hears of it).
"""

import asyncio
import contextvars
import errno
import os
import socket
from typing import TYPE_CHECKING, Any

from cluster.wire.addresses import Protocol, SocketAddress
from cluster.wire.flow import Flow, FlowKind
from node_agent.cni.connections import Holder, holder
from node_agent.cni.numeric import loopback, numeric, reached
from node_agent.cni.port_table import LOOPBACK, WILDCARD
from node_agent.cni.socket_views import PodSocket

if TYPE_CHECKING:
    from node_agent.cni.pod_network import PodNetwork


class PodDatagramTransport(asyncio.DatagramTransport):
    """What `create_datagram_endpoint` gives to a pod's program."""

    def __init__(
        self,
        network: "PodNetwork",
        protocol: asyncio.DatagramProtocol,
        local: SocketAddress,
        remote: SocketAddress | None,
        kind: FlowKind,
    ) -> None:
        self.kind = kind
        self.local = local
        self._network = network
        self._protocol = protocol
        self._remote = remote
        self.holder: Holder = holder()
        self._context = contextvars.copy_context()
        self._loop = asyncio.get_running_loop()
        self._closing = False

    def sendto(self, data: Any, addr: Any = None) -> None:
        if self._closing:
            return
        target = self._target(addr)
        if len(data) > self._network.datagram_bytes_max:
            self._fail(errno.EMSGSIZE)
        elif ":" in target.ip:
            self._fail(errno.ENETUNREACH)  # pods have IPv4 only
        else:
            self._network.send(self, Flow(Protocol.UDP, self._source(target), target), bytes(data))

    def _source(self, target: SocketAddress) -> SocketAddress:
        if self.local.ip != WILDCARD:
            return self.local
        ip = LOOPBACK if loopback(target.ip) else self._network.ip
        return SocketAddress(ip, self.local.port)

    def _fail(self, number: int) -> None:
        error = OSError(number, os.strerror(number))
        self._loop.call_soon(self._protocol.error_received, error, context=self._context)

    def _target(self, addr: Any) -> SocketAddress:
        if addr is None:
            if self._remote is None:
                raise OSError(errno.EDESTADDRREQ, os.strerror(errno.EDESTADDRREQ))
            return self._remote
        target = _numeric_address(addr)
        if self._remote is not None and target != self._remote:
            raise ValueError(f"Invalid address: must be None or {tuple(self._remote)}")
        return target

    def receive(self, data: bytes, peer: SocketAddress) -> None:
        """Hand a datagram to the program, in its own context."""
        if self._closing or (self._remote is not None and peer != self._remote):
            return
        received = self._protocol.datagram_received
        self._loop.call_soon(received, data, tuple(peer), context=self._context)

    def refuse(self) -> None:
        """An ICMP port-unreachable came back: a connected socket gets ECONNREFUSED (S-85)."""
        if self._closing or self._remote is None:
            return
        self._fail(errno.ECONNREFUSED)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        match name:
            case "sockname":
                return tuple(self.local)
            case "peername":
                return tuple(self._remote) if self._remote else default
            case "socket":
                peer = (self._remote.ip, self._remote.port) if self._remote else None
                return PodSocket(*self.local, socket.SOCK_DGRAM, peer)
        return default

    def is_closing(self) -> bool:
        return self._closing

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._protocol

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        assert isinstance(protocol, asyncio.DatagramProtocol)
        self._protocol = protocol

    def close(self) -> None:
        if self._closing:
            return
        self._closing = True
        self._network.release_datagrams(self)
        self._loop.call_soon(self._protocol.connection_lost, None, context=self._context)

    def abort(self) -> None:
        self.close()

    def get_write_buffer_size(self) -> int:
        return 0


def _numeric_address(addr: Any) -> SocketAddress:
    """Where a datagram goes; asyncio resolves no name here either."""
    ip, port = addr[0], addr[1]
    if not numeric(ip):
        raise ValueError(f"{ip!r} is not an IP address: resolve the name first")
    return reached(ip, port)
