"""What the controllers are told about the cluster: ranges, addresses, names.

Pure: values only.
"""

from cluster.dataclass import dataclass
from cluster.objects.resources import (
    CLUSTER_ROLES,
    CONFIG_MAPS,
    CONTROLLER_REVISIONS,
    CRON_JOBS,
    CUSTOM_RESOURCE_DEFINITIONS,
    DAEMON_SETS,
    DEPLOYMENTS,
    DISRUPTION_BUDGETS,
    ENDPOINT_SLICES,
    ENDPOINTS,
    JOBS,
    LEASES,
    NAMESPACES,
    NETWORK_POLICIES,
    NODES,
    POD_AUTOSCALERS,
    PODS,
    REPLICA_SETS,
    REPLICATION_CONTROLLERS,
    RESOURCE_QUOTAS,
    SECRETS,
    SERVICE_ACCOUNTS,
    SERVICES,
    STATEFUL_SETS,
    STORAGE_CLASSES,
    VOLUME_CLAIMS,
    VOLUMES,
    Resource,
)

# What the controllers watch. An owner or dependent of another resource is left alone by the garbage
# collector, unless the composition root names its resource too.
WATCHED: tuple[Resource, ...] = (
    NAMESPACES,
    NODES,
    LEASES,
    SERVICES,
    DEPLOYMENTS,
    REPLICA_SETS,
    PODS,
    ENDPOINT_SLICES,
    ENDPOINTS,
    CONFIG_MAPS,
    SECRETS,
    SERVICE_ACCOUNTS,
    NETWORK_POLICIES,
    STATEFUL_SETS,
    DAEMON_SETS,
    CONTROLLER_REVISIONS,
    JOBS,
    CRON_JOBS,
    REPLICATION_CONTROLLERS,
    DISRUPTION_BUDGETS,
    VOLUME_CLAIMS,
    VOLUMES,
    STORAGE_CLASSES,
    RESOURCE_QUOTAS,
    POD_AUTOSCALERS,
    CUSTOM_RESOURCE_DEFINITIONS,
    CLUSTER_ROLES,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ControllerSettings:
    """Ranges and addresses of one cluster; see docs/architecture.md, "Addresses"."""

    pod_cidr: str = "10.244.0.0/16"
    node_mask: int = 24  # P-18: each node's share of the pod range
    node_range: str = "172.30.0.0/23"  # node N of this range is wished the Nth share
    service_cidr: str = "10.96.0.0/16"
    dns_address: str = "10.96.0.10"
    load_balancer_addresses: str = "127.65.0.0/24"
    api_address: str = "172.30.255.254"
    api_port: int = 6443
    api_reached: str = ""  # where the nodes' routers really find it, as "IP:PORT"
    cluster_domain: str = "cluster.local"
    ca_certificate: str = ""  # PEM, for each namespace's kube-root-ca.crt
    # Watched beyond WATCHED: other resources whose objects are collected with their owners.
    more_resources: tuple[Resource, ...] = ()
    # Emptied besides the watched ones when a namespace is deleted.
    more_namespaced: tuple[Resource, ...] = ()
