"""Who has which cluster IP and node port: given out to Services, taken back, restored at a start.

Pure: state only; chance is handed in. A Service is admitted whole or not at all: what was claimed
for one that is refused, or only tried out, goes back at once.
Spec: S-8, S-21, S-24 to S-35, S-41 to S-49.
"""

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from typing import Any

from cluster.client.interface import Document
from cluster.dataclass import dataclass
from cluster.errors import ClusterError, PoolExhausted
from control.resources.bands import Bands, Draw, static_band
from control.resources.causes import Cause
from control.resources.service_families import HEADLESS, IPV4, IPV6, family_causes, with_families
from control.resources.validation.refusals import invalid

NODE_PORT_FIRST, NODE_PORT_LAST = 30000, 32767
ADDRESSES_MAX = 1 << 16  # of a larger range only so many are given out
API_SERVICE = ("default", "kubernetes")
TAKEN_PORT, TAKEN_IP = "provided port is already allocated", "provided IP is already allocated"


class Rejected(ClusterError):
    """A Service asks for what it cannot have."""

    def __init__(self, causes: Sequence[Cause]) -> None:
        super().__init__("; ".join(f"{each.field}: {each.message}" for each in causes))
        self.causes = list(causes)


@dataclass(slots=True)
class _Holding:
    """What one Service has: addresses as numbers, node ports."""

    ips: set[int] = field(default_factory=set)
    ports: set[int] = field(default_factory=set)


class ServiceAddresses:
    """The addresses of the Service range and the node ports, with who may have them."""

    def __init__(self, cidr: str, draw: Draw) -> None:
        self._network = ipaddress.ip_network(cidr)
        self._family = IPV4 if self._network.version == 4 else IPV6
        first, count = _usable(self._network)
        self._api_address = first
        self._ips = Bands(first, count, static_band(count, share=16, most=256), draw)
        ports = NODE_PORT_LAST - NODE_PORT_FIRST + 1
        static = static_band(ports, share=32, most=128)
        self._ports = Bands(NODE_PORT_FIRST, ports, static, draw)
        self._ips.claim(first)  # only the API's own Service gets it (S-21)

    def restore(self, services: Iterable[Document]) -> list[str]:
        """Forget everything, then take what stored Services have; what two of them have, in words.

        Addresses outside of the ranges, as after a change of the ranges, are the user's to mend.
        """
        self._ips.clear()
        self._ports.clear()
        self._ips.claim(self._api_address)
        conflicts: list[str] = []
        for service in services:
            name = f"{service['metadata']['namespace']}/{service['metadata']['name']}"
            held = self._holding(service)
            for ip in sorted(held.ips - self._own(service)):
                if ip not in self._ips or not self._ips.claim(ip):
                    conflicts.append(f"{name}: {self._text(ip)} is not free")
            for port in sorted(held.ports):
                if port not in self._ports or not self._ports.claim(port):
                    conflicts.append(f"{name}: node port {port} is not free")
        return conflicts

    def admit_create(self, service: Document, *, dry_run: bool = False) -> dict[str, Any]:
        """A new Service with its addresses; Rejected, or PoolExhausted."""
        return self._admit(service, _Holding(ips=self._own(service)), dry_run=dry_run)

    def admit_update(
        self, new: Document, old: Document, *, dry_run: bool = False
    ) -> dict[str, Any]:
        """A changed Service with its addresses; those that it gave up are free."""
        held = self._holding(old)
        held.ips |= self._own(new)
        return self._admit(new, held, dry_run=dry_run)

    def release(self, service: Document) -> None:
        """A Service is gone."""
        held = self._holding(service)
        self._ips.release(held.ips - self._own(service))
        self._ports.release(held.ports)

    # -- inside

    def _admit(self, service: Document, held: _Holding, *, dry_run: bool) -> dict[str, Any]:
        claimed = _Holding()
        try:
            spec = self._completed(dict(service["spec"]), held, claimed)
        except (Rejected, PoolExhausted):
            self._give_back(claimed)
            raise
        admitted = {**service, "spec": spec}
        if dry_run:
            self._give_back(claimed)
        else:
            kept = self._holding(admitted)
            own = self._own(service)
            self._give_back(_Holding(held.ips - kept.ips - own, held.ports - kept.ports))
        return admitted

    def _completed(self, spec: dict[str, Any], held: _Holding, claimed: _Holding) -> dict[str, Any]:
        if spec["type"] == "ExternalName":
            return spec
        causes = family_causes(spec, self._family)
        if causes:
            raise Rejected(causes)
        spec = with_families(spec, self._family)
        spec = self._with_address(spec, held, claimed)
        if spec["type"] not in ("NodePort", "LoadBalancer"):
            return spec
        spec = self._with_node_ports(spec, held, claimed)
        return self._with_health_port(spec, held, claimed)

    def _with_address(
        self, spec: dict[str, Any], held: _Holding, claimed: _Holding
    ) -> dict[str, Any]:
        wanted = spec.get("clusterIP")
        if wanted == HEADLESS:
            return {**spec, "clusterIPs": spec.get("clusterIPs") or [HEADLESS]}
        if not wanted:
            try:
                number = self._ips.draw()
            except PoolExhausted as error:
                raise PoolExhausted(f"failed to allocate a serviceIP: {error}") from error
            claimed.ips.add(number)
            wanted = self._text(number)
        else:
            self._claim_address(wanted, held, claimed)
        return {**spec, "clusterIP": wanted, "clusterIPs": [wanted]}

    def _claim_address(self, wanted: str, held: _Holding, claimed: _Holding) -> None:
        number = self._number(wanted)
        if number in held.ips:
            return
        why = TAKEN_IP
        if number is None or number not in self._ips:
            why = f"the provided IP ({wanted}) is not in the valid range. "
            why += f"The range of valid IPs is {self._network}"
        elif self._ips.claim(number):
            claimed.ips.add(number)
            return
        words = f"failed to allocate IP {wanted}: {why}"
        raise Rejected([invalid("spec.clusterIPs", [wanted], words)])

    def _with_node_ports(
        self, spec: dict[str, Any], held: _Holding, claimed: _Holding
    ) -> dict[str, Any]:
        """A node port for each port; one for the same number over several protocols (S-28)."""
        ports: list[dict[str, Any]] = list(spec.get("ports") or ())
        used: dict[int, int] = {}  # node port -> the port it stands for
        for index, port in enumerate(ports):
            wanted = port.get("nodePort")
            if wanted and used.get(wanted) != port["port"]:
                path = f"spec.ports[{index}].nodePort"
                if wanted in used:
                    raise Rejected([invalid(path, wanted, TAKEN_PORT)])
                self._claim_port(path, wanted, held, claimed)
                used[wanted] = port["port"]
        if spec["type"] == "LoadBalancer" and not spec.get("allocateLoadBalancerNodePorts", True):
            return spec
        shared = {port: node_port for node_port, port in reversed(used.items())}
        for index, port in enumerate(ports):
            if not port.get("nodePort"):
                if port["port"] not in shared:
                    shared[port["port"]] = self._draw_port("nodePort", claimed)
                ports[index] = {**port, "nodePort": shared[port["port"]]}
        return {**spec, "ports": ports}

    def _with_health_port(
        self, spec: dict[str, Any], held: _Holding, claimed: _Holding
    ) -> dict[str, Any]:
        if spec["type"] != "LoadBalancer" or spec.get("externalTrafficPolicy") != "Local":
            return spec
        wanted = spec.get("healthCheckNodePort")
        if wanted:
            self._claim_port("spec.healthCheckNodePort", wanted, held, claimed)
            return spec
        return {**spec, "healthCheckNodePort": self._draw_port("healthCheckNodePort", claimed)}

    def _claim_port(self, path: str, wanted: int, held: _Holding, claimed: _Holding) -> None:
        if wanted in held.ports:
            return
        if wanted not in self._ports:
            words = "provided port is not in the valid range. The range of valid ports is "
            words += f"{NODE_PORT_FIRST}-{NODE_PORT_LAST}"
            raise Rejected([invalid(path, wanted, words)])
        if not self._ports.claim(wanted):
            raise Rejected([invalid(path, wanted, TAKEN_PORT)])
        claimed.ports.add(wanted)

    def _draw_port(self, what: str, claimed: _Holding) -> int:
        try:
            port = self._ports.draw()
        except PoolExhausted as error:
            raise PoolExhausted(f"failed to allocate a {what}: {error}") from error
        claimed.ports.add(port)
        return port

    def _give_back(self, holding: _Holding) -> None:
        self._ips.release(holding.ips)
        self._ports.release(holding.ports)

    def _holding(self, service: Document) -> _Holding:
        spec = service["spec"]
        listed = spec.get("clusterIPs") or [spec.get("clusterIP")]
        numbers = {self._number(each) for each in listed if each and each != HEADLESS}
        ports = {port.get("nodePort") for port in spec.get("ports") or ()}
        ports.add(spec.get("healthCheckNodePort"))
        return _Holding({each for each in numbers if each is not None}, {p for p in ports if p})

    def _own(self, service: Document) -> set[int]:
        """The address that only the API's own Service may have, and always has."""
        return {self._api_address} if _name(service) == API_SERVICE else set()

    def _number(self, ip: str) -> int | None:
        try:
            address = ipaddress.ip_address(ip)
        except ValueError:
            return None
        return int(address) if address.version == self._network.version else None

    def _text(self, number: int) -> str:
        return str(type(self._network.network_address)(number))


def _name(service: Mapping[str, Any]) -> tuple[str, str]:
    metadata = service["metadata"]
    return metadata.get("namespace", ""), metadata.get("name", "")


def _usable(network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> tuple[int, int]:
    """The first address and how many: never the network's own, nor IPv4's broadcast (S-33)."""
    first = int(network.network_address)
    count = min(network.num_addresses, ADDRESSES_MAX)
    if count <= 2:
        return first, count
    whole = network.version == 4 and count == network.num_addresses
    return first + 1, count - (2 if whole else 1)
