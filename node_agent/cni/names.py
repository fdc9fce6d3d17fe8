"""Names as a pod sees them: /etc/hosts, resolv.conf, and a resolver that asks by the pod's network.

Queries are flows of the pod like any other, so a policy that cuts DNS cuts them. What was resolved
is remembered for a while, so that a connection's trace can say which name led to it (O-13).
Spec: D-68 to D-87; getaddrinfo(3) for the shape of answers.
"""

import asyncio
import socket
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from cluster.dns.resolv_conf import ResolvConf
from cluster.dns.resolver import Resolution, resolve, resolve_address
from cluster.wire.addresses import SocketAddress
from cluster.wire.flow import FlowKind

if TYPE_CHECKING:
    from node_agent.cni.pod_network import PodNetwork

RESOLVED_REMEMBERED_MAX = 256
DNS_ANSWER_BYTES_MAX = 65535

AddressInfo = tuple[int, int, int, str, tuple[Any, ...]]


class PodNames:
    """The resolver of one pod."""

    def __init__(self, conf: ResolvConf, hosts: dict[str, str], hosts_file: str) -> None:
        self._conf = conf
        self._hosts = {"localhost": "127.0.0.1", **hosts}
        self._hosts_file = hosts_file
        self._resolved: OrderedDict[str, Resolution] = OrderedDict()

    def resolv_conf(self) -> str:
        """/etc/resolv.conf."""
        return self._conf.format()

    def hosts_file(self) -> str:
        """/etc/hosts."""
        return self._hosts_file

    def resolved(self, ip: str) -> dict[str, Any] | None:
        """The name that last led to this address, and the queries it took; None if none did."""
        resolution = self._resolved.get(ip)
        if resolution is None:
            return None
        return {
            "name": resolution.name,
            "queries": [query.to_json() for query in resolution.queries],
        }

    async def getaddrinfo(
        self,
        pod: "PodNetwork",
        host: Any,
        port: Any,
        family: int = 0,
        type: int = 0,
        proto: int = 0,
        flags: int = 0,
    ) -> list[AddressInfo]:
        """As `loop.getaddrinfo`: (family, type, proto, canonname, address) for each address."""
        number = _port_number(port)
        if host is None:
            addresses = ["0.0.0.0" if flags & socket.AI_PASSIVE else "127.0.0.1"]
        else:
            addresses = await self._addresses(pod, _text(host), family, flags)
        kinds = _SOCKET_TYPES if type == 0 else [(type, proto or _PROTOCOLS.get(type, 0))]
        return [
            (socket.AF_INET, kind, protocol, "", (address, number))
            for address in addresses
            for kind, protocol in kinds
        ]

    async def _addresses(self, pod: "PodNetwork", host: str, family: int, flags: int) -> list[str]:
        if _is_address(host):
            return [host]
        if flags & socket.AI_NUMERICHOST or family == socket.AF_INET6:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        known = self._hosts.get(host.rstrip(".").lower())
        if known is not None:
            return [known]
        # glibc asks for both families at once unless told that the host has only one (D-81)
        both = family == socket.AF_UNSPEC and not flags & socket.AI_ADDRCONFIG
        resolution = await resolve(host, self._conf, Exchange(pod), both_families=both)
        for address in resolution.addresses:
            self._remember(address, resolution)
        return list(resolution.addresses)

    def _remember(self, address: str, resolution: Resolution) -> None:
        self._resolved[address] = resolution
        self._resolved.move_to_end(address)
        if len(self._resolved) > RESOLVED_REMEMBERED_MAX:
            self._resolved.popitem(last=False)

    async def getnameinfo(self, pod: "PodNetwork", address: Any, flags: int) -> tuple[str, str]:
        """As `loop.getnameinfo`: the PTR name of an address, or the address itself."""
        ip, port = address[0], address[1]
        if flags & socket.NI_NUMERICHOST:
            return ip, str(port)
        name = await resolve_address(ip, self._conf, Exchange(pod))
        if name is None and flags & socket.NI_NAMEREQD:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return name or ip, str(port)


class Exchange:
    """One DNS question and its answer over the pod's network, by UDP or TCP."""

    def __init__(self, pod: "PodNetwork") -> None:
        self._pod = pod

    async def udp(self, server: SocketAddress, query: bytes) -> bytes:
        """Ask by datagram; the caller bounds the time."""
        answered: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        transport, _ = await self._pod.create_datagram_endpoint(
            lambda: _OneAnswer(answered, query[:2]), None, server, kind=FlowKind.DNS
        )
        try:
            transport.sendto(query)
            return await answered
        finally:
            transport.close()

    async def tcp(self, server: SocketAddress, query: bytes) -> bytes:
        """Ask by TCP, when the datagram's answer was truncated."""
        sock, _ = await self._pod.open(server, kind=FlowKind.DNS)
        loop = asyncio.get_running_loop()
        try:
            await loop.sock_sendall(sock, len(query).to_bytes(2, "big") + query)
            length = int.from_bytes(await _exactly(sock, 2), "big")
            return await _exactly(sock, length)
        finally:
            sock.close()


class _OneAnswer(asyncio.DatagramProtocol):
    def __init__(self, answered: "asyncio.Future[bytes]", query_id: bytes) -> None:
        self._answered = answered
        self._query_id = query_id

    def datagram_received(self, data: bytes, _: Any) -> None:
        if data[:2] == self._query_id and not self._answered.done():
            self._answered.set_result(data)

    def error_received(self, error: Exception) -> None:
        if not self._answered.done():
            self._answered.set_exception(error)


async def _exactly(sock: socket.socket, count: int) -> bytes:
    loop = asyncio.get_running_loop()
    parts: list[bytes] = []
    while count:
        part = await loop.sock_recv(sock, count)
        if not part:
            raise ConnectionResetError("the DNS server closed the connection in mid-answer")
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


_PROTOCOLS = {socket.SOCK_STREAM: socket.IPPROTO_TCP, socket.SOCK_DGRAM: socket.IPPROTO_UDP}
_SOCKET_TYPES = [*_PROTOCOLS.items(), (int(socket.SOCK_RAW), 0)]


def _is_address(host: str) -> bool:
    try:
        socket.inet_pton(socket.AF_INET, host)
    except OSError:
        return False
    return True


def _text(host: Any) -> str:
    return host.decode("ascii") if isinstance(host, bytes) else str(host)


def _port_number(port: Any) -> int:
    if port is None:
        return 0
    text = _text(port)
    return int(text) if text.isdecimal() else socket.getservbyname(text)
