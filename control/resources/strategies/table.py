"""Which strategy a kind has.

Pure: data.
"""

from control.resources.kinds import Kind
from control.resources.strategies import (
    classes,
    cluster,
    configuration,
    machinery,
    networking,
    workloads,
)
from control.resources.strategies.autoscaling import AUTOSCALER
from control.resources.strategies.custom_resources import DEFINITION
from control.resources.strategies.pods import POD
from control.resources.strategies.services import SERVICE
from control.resources.strategies.signing_requests import SIGNING_REQUEST
from control.resources.strategies.strategy import Strategy

_PLAIN = Strategy()

_ADMISSION = "admissionregistration.k8s.io"
_TABLE: dict[tuple[str, str], Strategy] = {
    ("", "configmaps"): configuration.CONFIG_MAP,
    ("", "endpoints"): networking.ENDPOINTS,
    ("", "namespaces"): cluster.NAMESPACE,
    ("", "nodes"): cluster.NODE,
    ("", "persistentvolumeclaims"): cluster.CLAIM,
    ("", "persistentvolumes"): classes.VOLUME,
    ("", "pods"): POD,
    ("", "podtemplates"): workloads.POD_TEMPLATE,
    ("", "replicationcontrollers"): workloads.REPLICATION_CONTROLLER,
    ("", "resourcequotas"): classes.QUOTA,
    ("", "secrets"): configuration.SECRET,
    ("", "serviceaccounts"): cluster.RETURNED,
    ("", "services"): SERVICE,
    (_ADMISSION, "mutatingadmissionpolicies"): machinery.POLICY,
    (_ADMISSION, "mutatingadmissionpolicybindings"): machinery.POLICY,
    (_ADMISSION, "mutatingwebhookconfigurations"): machinery.WEBHOOKS,
    (_ADMISSION, "validatingadmissionpolicies"): machinery.POLICY,
    (_ADMISSION, "validatingadmissionpolicybindings"): machinery.POLICY,
    (_ADMISSION, "validatingwebhookconfigurations"): machinery.WEBHOOKS,
    ("apiextensions.k8s.io", "customresourcedefinitions"): DEFINITION,
    ("apiregistration.k8s.io", "apiservices"): machinery.API_SERVICE,
    ("apps", "controllerrevisions"): cluster.REVISION,
    ("apps", "daemonsets"): workloads.DAEMON_SET,
    ("apps", "deployments"): workloads.DEPLOYMENT,
    ("apps", "replicasets"): workloads.REPLICA_SET,
    ("apps", "statefulsets"): workloads.STATEFUL_SET,
    ("autoscaling", "horizontalpodautoscalers"): AUTOSCALER,
    ("batch", "cronjobs"): workloads.CRON_JOB,
    ("batch", "jobs"): workloads.JOB,
    ("certificates.k8s.io", "certificatesigningrequests"): SIGNING_REQUEST,
    ("coordination.k8s.io", "leases"): cluster.LEASE,
    ("discovery.k8s.io", "endpointslices"): networking.ENDPOINT_SLICE,
    ("flowcontrol.apiserver.k8s.io", "flowschemas"): cluster.COUNTED,
    ("flowcontrol.apiserver.k8s.io", "prioritylevelconfigurations"): cluster.COUNTED,
    ("networking.k8s.io", "ingressclasses"): classes.INGRESS_CLASS,
    ("networking.k8s.io", "ingresses"): networking.INGRESS,
    ("networking.k8s.io", "networkpolicies"): networking.NETWORK_POLICY,
    ("node.k8s.io", "runtimeclasses"): classes.RUNTIME_CLASS,
    ("policy", "poddisruptionbudgets"): cluster.BUDGET,
    ("rbac.authorization.k8s.io", "clusterrolebindings"): cluster.CLUSTER_ROLE_BINDING,
    ("rbac.authorization.k8s.io", "clusterroles"): cluster.CLUSTER_ROLE,
    ("rbac.authorization.k8s.io", "rolebindings"): cluster.ROLE_BINDING,
    ("rbac.authorization.k8s.io", "roles"): cluster.ROLE,
    ("resource.k8s.io", "deviceclasses"): cluster.COUNTED,
    ("resource.k8s.io", "devicetaintrules"): cluster.COUNTED,
    ("resource.k8s.io", "resourceslices"): cluster.COUNTED,
    ("scheduling.k8s.io", "priorityclasses"): cluster.PRIORITY_CLASS,
    ("storage.k8s.io", "csidrivers"): classes.DRIVER,
    ("storage.k8s.io", "storageclasses"): classes.STORAGE_CLASS,
}

# Groups all of whose kinds answer a deletion with the object.
_RETURNING = {"storage.k8s.io": cluster.RETURNED}


def strategy_of(kind: Kind) -> Strategy:
    """How a kind is written."""
    resource = kind.resource
    found = _TABLE.get((resource.group, resource.plural))
    return found or _RETURNING.get(resource.group, _PLAIN)
