"""What healthCheckNodePort answers: how many pods of a Service this node has, for balancers.

Pure: views in, answers out; a change costs what has changed. Terminating pods are not counted, so
that a balancer leaves before the last of them is gone. Spec: S-43, S-118 to S-120.
"""

from typing import Any

from cluster.dataclass import dataclass
from cluster.dataplane.node_view import NodeView
from cluster.dataplane.service_table import Held
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


Change = tuple[int, HealthCheck] | None  # the port, and what is answered there


def check_changes(before: NodeView, after: NodeView) -> dict[Key, Change]:
    """The checks of Services that are served otherwise than before; None has none."""
    return {
        key: (held.health_check_port, HealthCheck(key, _local_endpoints(held, after.node_name)))
        if held.health_check_port
        else None
        for key, old, held in after.services.changed_since(before.services)
        if old.health_check_port or held.health_check_port
    }


def _local_endpoints(held: Held, node: str) -> int:
    """The ready endpoints of a Service on a node; each address counts once."""
    here = {
        backend.address.ip
        for served in held.ports
        for backend in served.backends
        if backend.node == node and backend.ready and not backend.terminating
    }
    return len(here)
