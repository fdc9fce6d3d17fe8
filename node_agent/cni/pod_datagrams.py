"""A pod's UDP sockets: no descriptor, one datagram in, one datagram out, through the router.

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
from node_agent.cni.pod_server import PodSocket
from node_agent.cni.port_table import LOOPBACK, WILDCARD

if TYPE_CHECKING:
    from node_agent.cni.pod_network import PodNetwork

DATAGRAM_BYTES_MAX = 65507 - 128  # what is left of an IPv4 datagram after our encapsulation


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
        self._context = contextvars.copy_context()
        self._loop = asyncio.get_running_loop()
        self._closing = False

    def sendto(self, data: Any, addr: Any = None) -> None:
        if self._closing:
            return
        target = self._target(addr)
        if len(data) > DATAGRAM_BYTES_MAX:
            error = OSError(errno.EMSGSIZE, os.strerror(errno.EMSGSIZE))
            self._loop.call_soon(self._protocol.error_received, error, context=self._context)
            return
        source = self.local
        if source.ip == WILDCARD:
            ip = LOOPBACK if target.ip.startswith("127.") else self._network.ip
            source = SocketAddress(ip, source.port)
        self._network.send(self, Flow(Protocol.UDP, source, target), bytes(data))

    def _target(self, addr: Any) -> SocketAddress:
        if addr is None:
            if self._remote is None:
                raise OSError(errno.EDESTADDRREQ, os.strerror(errno.EDESTADDRREQ))
            return self._remote
        target = SocketAddress(addr[0], addr[1])
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
        error = ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))
        self._loop.call_soon(self._protocol.error_received, error, context=self._context)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        match name:
            case "sockname":
                return tuple(self.local)
            case "peername":
                return tuple(self._remote) if self._remote else default
            case "socket":
                return PodSocket(self.local.ip, self.local.port, socket.SOCK_DGRAM)
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
