"""Names as a pod sees them: /etc/hosts, resolv.conf, and a resolver that asks by the pod's network.

Queries are flows of the pod like any other, so a policy that cuts DNS cuts them. What was resolved
is remembered for a while, so that a connection's trace can say which name led to it (O-13); a name
that led nowhere gets a trace of its own.
Spec: D-68 to D-87; getaddrinfo(3) for the shape of answers.
"""

import socket
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from cluster.dns.resolv_conf import ResolvConf
from cluster.dns.resolver import DNS_PORT, NameNotResolved, Resolution, resolve, resolve_address
from cluster.wire.addresses import SocketAddress
from node_agent.cni.exchange import PodExchange
from node_agent.cni.numeric import numeric
from node_agent.cni.resolution import resolution_json

if TYPE_CHECKING:
    from node_agent.cni.pod_network import PodNetwork

RESOLVED_REMEMBERED_MAX = 256

AddressInfo = tuple[int, int, int, str, tuple[Any, ...]]

_PROTOCOLS: dict[int, int] = {
    socket.SOCK_STREAM: socket.IPPROTO_TCP,
    socket.SOCK_DGRAM: socket.IPPROTO_UDP,
}
_SOCKET_TYPES = [*_PROTOCOLS.items(), (int(socket.SOCK_RAW), 0)]
_FAMILIES = (socket.AF_UNSPEC, socket.AF_INET, socket.AF_INET6)
_UNKNOWN = "Name or service not known"


class FlowNotResolved(NameNotResolved):
    """The error glibc gives, with the name of the trace that shows the questions asked."""

    def __init__(self, error: NameNotResolved, flow_id: str) -> None:
        super().__init__(error.errno or socket.EAI_NONAME, error.resolution)
        self.flow_id = flow_id


class PodNames:
    """The resolver of one pod."""

    def __init__(self, conf: ResolvConf, hosts: dict[str, str], hosts_file: str) -> None:
        self._conf = conf
        self._hosts = {"localhost": "127.0.0.1", **hosts}
        self._hosts_file = hosts_file
        self._resolved: OrderedDict[str, Resolution] = OrderedDict()

    @property
    def server(self) -> SocketAddress:
        """Whom the pod asks first."""
        return SocketAddress(self._conf.servers[0], DNS_PORT)

    def resolv_conf(self) -> str:
        """/etc/resolv.conf."""
        return self._conf.format()

    def hosts_file(self) -> str:
        """/etc/hosts."""
        return self._hosts_file

    def resolved(self, ip: str) -> dict[str, Any] | None:
        """The name that last led to this address, and the queries it took; None if none did."""
        resolution = self._resolved.get(ip)
        return None if resolution is None else resolution_json(resolution)

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
        if family not in _FAMILIES:
            raise socket.gaierror(socket.EAI_FAMILY, "ai_family not supported")
        number = _port_number(port)
        if host is None or host in ("", b""):
            addresses = ["0.0.0.0" if flags & socket.AI_PASSIVE else "127.0.0.1"]
        else:
            addresses = await self._addresses(pod, _text(host), family, flags)
        kinds = _SOCKET_TYPES if type == 0 else [(type, proto or _PROTOCOLS.get(type, 0))]
        return [
            _address_info(address, number, kind, protocol)
            for address in addresses
            for kind, protocol in kinds
        ]

    async def _addresses(self, pod: "PodNetwork", host: str, family: int, flags: int) -> list[str]:
        if numeric(host):
            return [_of_family(host, family)]
        if flags & socket.AI_NUMERICHOST:
            raise socket.gaierror(socket.EAI_NONAME, _UNKNOWN)
        known = self._hosts.get(host.rstrip(".").lower())
        if known is not None:
            return [_of_family(known, family)]
        # glibc asks for both families at once unless told that the host has only one (D-81)
        both = family == socket.AF_UNSPEC and not flags & socket.AI_ADDRCONFIG
        return await self._ask(pod, host, family or socket.AF_INET, both)

    async def _ask(self, pod: "PodNetwork", host: str, family: int, both: bool) -> list[str]:
        try:
            resolution = await resolve(
                host, self._conf, PodExchange(pod), family=family, both_families=both
            )
        except NameNotResolved as error:
            raise FlowNotResolved(error, pod.unresolved(error)) from None
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
        name = await resolve_address(ip, self._conf, PodExchange(pod))
        if name is None and flags & socket.NI_NAMEREQD:
            raise socket.gaierror(socket.EAI_NONAME, _UNKNOWN)
        return name or ip, str(port)


def _of_family(ip: str, family: int) -> str:
    """An address that needs no question, if it is of the family that was asked for."""
    actual = socket.AF_INET6 if ":" in ip else socket.AF_INET
    if family not in (socket.AF_UNSPEC, actual):
        raise socket.gaierror(socket.EAI_ADDRFAMILY, "Address family for hostname not supported")
    return ip


def _address_info(ip: str, port: int, kind: int, protocol: int) -> AddressInfo:
    if ":" in ip:
        return socket.AF_INET6, kind, protocol, "", (ip, port, 0, 0)
    return socket.AF_INET, kind, protocol, "", (ip, port)


def _text(host: Any) -> str:
    return host.decode("ascii") if isinstance(host, bytes) else str(host)


def _port_number(port: Any) -> int:
    """A port by number or by the name of its service."""
    if port is None:
        return 0
    text = _text(port)
    if text.isdecimal():
        return int(text)
    try:
        return socket.getservbyname(text)
    except OSError:
        text = "Servname not supported for ai_socktype"
        raise socket.gaierror(socket.EAI_SERVICE, text) from None
