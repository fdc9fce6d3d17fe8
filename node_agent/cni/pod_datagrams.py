"""A pod's UDP sockets: no descriptor, one datagram in, one datagram out, through the router.

What cannot be sent is told as the kernel tells it: by an error to the protocol, in its own time.
Spec: P-5, S-85 (a refused datagram is an ICMP answer: only a connected socket hears of it).
"""

import asyncio
import contextvars
import errno
import os
import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cluster.wire.addresses import Protocol, SocketAddress
from cluster.wire.flow import Flow, FlowKind
from node_agent.cni.connections import Holder, holder
from node_agent.cni.datagram_flow import Ways
from node_agent.cni.numeric import loopback, numeric, reached
from node_agent.cni.port_table import LOOPBACK, WILDCARD
from node_agent.cni.socket_views import PodSocket

if TYPE_CHECKING:
    from node_agent.cni.pod_network import PodNetwork


WAYS_MAX = 1024


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
        self._ways = Ways(WAYS_MAX)  # by the addresses that the program sends to

    def sendto(self, data: Any, addr: Any = None) -> None:
        if self._closing:
            return
        known = addr is None or type(addr) is tuple
        way = self._ways.find(addr) if known else None
        fits = len(data) <= self._network.datagram_bytes_max
        if way is not None and fits and way.send((bytes(data),)):
            return
        target = self._target(addr)
        if not fits:
            self._fail(errno.EMSGSIZE)
        elif ":" in target.ip:
            self._fail(errno.ENETUNREACH)  # pods have IPv4 only
        else:
            flow = Flow(Protocol.UDP, self._source(target), target)
            way = self._network.send(self, flow, bytes(data))
            if known:
                self._ways.keep(addr, way)

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
        """Hand a datagram to the program, in its own context and time."""
        self.receive_all((data,), peer, at_once=False)

    def receive_all(self, payloads: Sequence[bytes], peer: SocketAddress, at_once: bool) -> None:
        """Hand datagrams to the program; `at_once`: no program is at work now."""
        if self._closing or (self._remote is not None and peer != self._remote):
            return
        source = (peer.ip, peer.port)
        if at_once:
            self._context.run(self._hand_over, payloads, source)
            return
        received = self._protocol.datagram_received
        for data in payloads:
            self._loop.call_soon(received, data, source, context=self._context)

    def _hand_over(self, payloads: Sequence[bytes], source: tuple[str, int]) -> None:
        for data in payloads:
            if self._closing:
                return
            try:
                self._protocol.datagram_received(data, source)
            except Exception as error:
                self._loop.call_exception_handler(
                    {
                        "message": "datagram_received of a pod's program failed",
                        "exception": error,
                        "protocol": self._protocol,
                        "transport": self,
                    }
                )

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
