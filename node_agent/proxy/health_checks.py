"""What healthCheckNodePort answers: how many pods of a Service this node has, for balancers.

Pure: objects in, answers out. Terminating pods are not counted, so that a balancer leaves before
the last of them is gone. Spec: S-43, S-118 to S-120.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from cluster.dataclass import dataclass
from cluster.objects.discovery import EndpointSlice, parse_endpoint_slice
from cluster.objects.meta import Key

SERVING, FAILING = 200, 503


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """One Service's health on this node."""

    service: Key
    local_endpoints: int

    @property
    def status(self) -> int:
        """200 as long as one ready pod is here."""
        return SERVING if self.local_endpoints else FAILING

    def headers(self) -> dict[str, str]:
        """As kube-proxy has them."""
        return {
            "X-Content-Type-Options": "nosniff",
            "X-Load-Balancing-Endpoint-Weight": str(self.local_endpoints),
        }

    def document(self) -> dict[str, Any]:
        """The answer's body."""
        namespace, name = self.service
        return {
            "service": {"namespace": namespace, "name": name},
            "localEndpoints": self.local_endpoints,
            "serviceProxyHealthy": True,
        }


def health_checks(
    services: Iterable[Mapping[str, Any]], slices: Iterable[Mapping[str, Any]], node: str
) -> dict[int, HealthCheck]:
    """Every health check of a node, by port."""
    ports = {
        port: (each["metadata"]["namespace"], each["metadata"]["name"])
        for each in services
        if (port := (each.get("spec") or {}).get("healthCheckNodePort"))
    }
    if not ports:
        return {}
    local = _local_addresses([parse_endpoint_slice(each) for each in slices], node)
    return {
        port: HealthCheck(service, len(local.get(service, ()))) for port, service in ports.items()
    }


def _local_addresses(slices: Iterable[EndpointSlice], node: str) -> dict[Key, set[str]]:
    """The addresses of the ready endpoints of each Service on this node; each counts once."""
    found: dict[Key, set[str]] = {}
    for each in slices:
        here = {
            endpoint.ip
            for endpoint in each.endpoints
            if endpoint.node == node and endpoint.ready and not endpoint.terminating
        }
        found.setdefault((each.meta.namespace, each.service), set()).update(here)
    return found
