"""The network interfaces of a pod and its routes, as its kernel would list them.

Pure: values from the pod's address. A pod's eth0 is one end of a veth pair on its node's bridge,
whose address is the first of the node's range; a pod of the host's network has the node's own.
"""

import ipaddress

from cluster.dataclass import dataclass

POD_PREFIX, NODE_PREFIX = 24, 16
MTU, LOOPBACK_MTU = 1450, 65536


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """One interface."""

    index: int
    name: str
    peer: str = ""  # "@if5" of a veth
    flags: str
    mtu: int
    state: str
    kind: str  # "loopback" or "ether"
    mac: str
    mac_broadcast: str
    ip: str
    prefix: int
    scope: str

    @property
    def network(self) -> ipaddress.IPv4Network:
        """The addresses that are on this link."""
        return ipaddress.IPv4Network(f"{self.ip}/{self.prefix}", strict=False)


@dataclass(frozen=True, slots=True)
class Route:
    """One route: to a range ("default" is all), by a gateway or on the link."""

    target: str
    device: str
    gateway: str = ""
    source: str = ""


def loopback() -> Interface:
    """lo."""
    return Interface(
        index=1, name="lo", flags="LOOPBACK,UP,LOWER_UP", mtu=LOOPBACK_MTU, state="UNKNOWN",
        kind="loopback", mac="00:00:00:00:00:00", mac_broadcast="00:00:00:00:00:00",
        ip="127.0.0.1", prefix=8, scope="host",
    )  # fmt: skip


def ethernet(ip: str, *, host_network: bool) -> Interface:
    """eth0 of a pod, or of its node."""
    last = int(ip.rpartition(".")[2])
    return Interface(
        index=2, name="eth0", peer="" if host_network else f"@if{last + 3}",
        flags="BROADCAST,MULTICAST,UP,LOWER_UP", mtu=MTU, state="UP", kind="ether",
        mac=mac_of(ip), mac_broadcast="ff:ff:ff:ff:ff:ff", ip=ip,
        prefix=NODE_PREFIX if host_network else POD_PREFIX, scope="global",
    )  # fmt: skip


def interfaces(ip: str, *, host_network: bool = False) -> tuple[Interface, Interface]:
    """Both interfaces of a pod."""
    return loopback(), ethernet(ip, host_network=host_network)


def mac_of(ip: str) -> str:
    """The hardware address that bridge plug-ins give: 0a:58 and the address."""
    return "0a:58:" + ":".join(f"{int(part):02x}" for part in ip.split("."))


def routes(interface: Interface, *, host_network: bool = False) -> tuple[Route, ...]:
    """The main table."""
    network = interface.network
    gateway = "" if host_network else str(network.network_address + 1)
    return (
        Route("default", interface.name, gateway),
        Route(str(network), interface.name, "", interface.ip),
    )
