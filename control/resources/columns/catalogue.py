"""Which printer prints which kind.

Pure: data. A kind that nobody wrote columns for shows its name and age.
"""

from cluster.objects.resources import Resource
from control.resources.columns import (
    apps,
    autoscaling,
    batch,
    coordination,
    core,
    discovery,
    events,
    networking,
    nodes,
    pods,
    policy,
    rbac,
    scheduling,
    services,
    storage,
    volumes,
)
from control.resources.columns.printer import Printer

PRINTERS: dict[tuple[str, str], Printer] = {
    ("", "ConfigMap"): core.CONFIG_MAPS,
    ("", "Endpoints"): services.ENDPOINTS,
    ("", "Event"): events.EVENTS,
    ("", "LimitRange"): core.CREATION_ONLY,
    ("", "Namespace"): core.NAMESPACES,
    ("", "Node"): nodes.NODES,
    ("", "PersistentVolume"): volumes.PERSISTENT_VOLUMES,
    ("", "PersistentVolumeClaim"): volumes.PERSISTENT_VOLUME_CLAIMS,
    ("", "Pod"): pods.PODS,
    ("", "PodTemplate"): core.POD_TEMPLATES,
    ("", "ReplicationController"): core.REPLICATION_CONTROLLERS,
    ("", "ResourceQuota"): core.RESOURCE_QUOTAS,
    ("", "Secret"): core.SECRETS,
    ("", "Service"): services.SERVICES,
    ("", "ServiceAccount"): core.SERVICE_ACCOUNTS,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): core.CREATION_ONLY,
    ("apps", "ControllerRevision"): apps.CONTROLLER_REVISIONS,
    ("apps", "DaemonSet"): apps.DAEMON_SETS,
    ("apps", "Deployment"): apps.DEPLOYMENTS,
    ("apps", "ReplicaSet"): apps.REPLICA_SETS,
    ("apps", "StatefulSet"): apps.STATEFUL_SETS,
    ("autoscaling", "HorizontalPodAutoscaler"): autoscaling.HORIZONTAL_POD_AUTOSCALERS,
    ("autoscaling", "Scale"): autoscaling.SCALES,
    ("batch", "CronJob"): batch.CRON_JOBS,
    ("batch", "Job"): batch.JOBS,
    ("coordination.k8s.io", "Lease"): coordination.LEASES,
    ("discovery.k8s.io", "EndpointSlice"): discovery.ENDPOINT_SLICES,
    ("events.k8s.io", "Event"): events.EVENTS,
    ("networking.k8s.io", "Ingress"): networking.INGRESSES,
    ("networking.k8s.io", "IngressClass"): networking.INGRESS_CLASSES,
    ("networking.k8s.io", "IPAddress"): networking.IP_ADDRESSES,
    ("networking.k8s.io", "NetworkPolicy"): networking.NETWORK_POLICIES,
    ("networking.k8s.io", "ServiceCIDR"): networking.SERVICE_CIDRS,
    ("node.k8s.io", "RuntimeClass"): scheduling.RUNTIME_CLASSES,
    ("policy", "PodDisruptionBudget"): policy.POD_DISRUPTION_BUDGETS,
    ("rbac.authorization.k8s.io", "ClusterRole"): core.CREATION_ONLY,
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): rbac.BINDINGS,
    ("rbac.authorization.k8s.io", "Role"): core.CREATION_ONLY,
    ("rbac.authorization.k8s.io", "RoleBinding"): rbac.BINDINGS,
    ("scheduling.k8s.io", "PriorityClass"): scheduling.PRIORITY_CLASSES,
    ("storage.k8s.io", "CSIDriver"): storage.CSI_DRIVERS,
    ("storage.k8s.io", "CSINode"): storage.CSI_NODES,
    ("storage.k8s.io", "CSIStorageCapacity"): storage.CSI_STORAGE_CAPACITIES,
    ("storage.k8s.io", "StorageClass"): storage.STORAGE_CLASSES,
    ("storage.k8s.io", "VolumeAttachment"): storage.VOLUME_ATTACHMENTS,
    ("storage.k8s.io", "VolumeAttributesClass"): storage.VOLUME_ATTRIBUTES_CLASSES,
}


def printer_of(resource: Resource) -> Printer:
    """The printer of a kind, whatever its version."""
    return PRINTERS.get((resource.group, resource.kind), core.AGE_ONLY)
