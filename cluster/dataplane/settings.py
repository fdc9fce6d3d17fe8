"""The ranges of one cluster's network, as its data plane is told them.

Pure: values only. See docs/architecture.md, "Addresses".
"""

from dataclasses import field

from cluster.dataclass import dataclass
from cluster.wire.addresses import Cidr


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSettings:
    """Emulated address ranges, as text; what lies in none of them is outside."""

    pod_cidr: str = "10.244.0.0/16"
    service_cidr: str = "10.96.0.0/16"
    node_cidr: str = "172.30.0.0/16"
    outside_cidr: str = "203.0.113.0/24"
    control_plane_ip: str = "172.30.255.254"
    cluster_domain: str = "cluster.local"
    pods: Cidr = field(init=False)  # the ranges again, parsed
    services: Cidr = field(init=False)
    nodes: Cidr = field(init=False)
    outside: Cidr = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "pods", Cidr.parse(self.pod_cidr))
        object.__setattr__(self, "services", Cidr.parse(self.service_cidr))
        object.__setattr__(self, "nodes", Cidr.parse(self.node_cidr))
        object.__setattr__(self, "outside", Cidr.parse(self.outside_cidr))
