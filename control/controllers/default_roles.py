"""The ClusterRoles and bindings that every cluster has.

Pure: documents. Source: kubernetes.io, "Using RBAC Authorization", default roles and role bindings.
The roles of upstream's own controllers are left out: here they are parts of one process.
"""

from collections.abc import Iterator, Sequence
from typing import Any

RBAC = "rbac.authorization.k8s.io"
READ = ("get", "list", "watch")
WRITE = ("create", "delete", "deletecollection", "patch", "update")
ALL = (*READ, *WRITE)
HEALTH = ("/healthz", "/livez", "/readyz", "/version", "/version/")
DISCOVERY = ("/api", "/api/*", "/apis", "/apis/*", "/openapi", "/openapi/*", *HEALTH)
MONITORED = ("/healthz/*", "/livez/*", "/metrics", "/metrics/slis", "/readyz/*", *HEALTH[:3])
BOOTSTRAP = {"kubernetes.io/bootstrapping": "rbac-defaults"}
AUTOUPDATE = {f"{RBAC}/autoupdate": "true"}
AUTHENTICATED, UNAUTHENTICATED = "system:authenticated", "system:unauthenticated"

Document = dict[str, Any]
Rule = dict[str, Any]


def on(group: str, resources: str, verbs: Sequence[str]) -> Rule:
    """A rule on resources of one group; they are written with blanks between them."""
    return {"apiGroups": [group], "resources": resources.split(), "verbs": list(verbs)}


def on_paths(paths: Sequence[str]) -> Rule:
    """A rule on paths that are no resources."""
    return {"nonResourceURLs": list(paths), "verbs": ["get"]}


_WORKLOADS = (
    "daemonsets deployments deployments/rollback deployments/scale replicasets replicasets/scale "
    "statefulsets statefulsets/scale"
)
_SEEN_WORKLOADS = (
    "controllerrevisions daemonsets daemonsets/status deployments deployments/scale "
    "deployments/status replicasets replicasets/scale replicasets/status statefulsets "
    "statefulsets/scale statefulsets/status"
)
_EDIT = (
    on("", "pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy", READ),
    on("", "serviceaccounts", ("impersonate",)),
    on("", "pods pods/attach pods/exec pods/portforward pods/proxy", WRITE),
    on("", "pods/eviction", ("create",)),
    on(
        "",
        "configmaps events persistentvolumeclaims replicationcontrollers "
        "replicationcontrollers/scale secrets serviceaccounts services services/proxy",
        WRITE,
    ),
    on("", "serviceaccounts/token", ("create",)),
    on("apps", _WORKLOADS, WRITE),
    on("autoscaling", "horizontalpodautoscalers", WRITE),
    on("batch", "cronjobs jobs", WRITE),
    on("policy", "poddisruptionbudgets", WRITE),
    on("networking.k8s.io", "ingresses networkpolicies", WRITE),
    on("coordination.k8s.io", "leases", ALL),
)
_VIEW = (
    on(
        "",
        "configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods "
        "replicationcontrollers replicationcontrollers/scale serviceaccounts services "
        "services/status",
        READ,
    ),
    on(
        "",
        "bindings events limitranges namespaces/status pods/log pods/status "
        "replicationcontrollers/status resourcequotas resourcequotas/status",
        READ,
    ),
    on("", "namespaces", READ),
    on("discovery.k8s.io", "endpointslices", READ),
    on("apps", _SEEN_WORKLOADS, READ),
    on("autoscaling", "horizontalpodautoscalers horizontalpodautoscalers/status", READ),
    on("batch", "cronjobs cronjobs/status jobs jobs/status", READ),
    on("policy", "poddisruptionbudgets poddisruptionbudgets/status", READ),
    on("networking.k8s.io", "ingresses ingresses/status networkpolicies", READ),
)
_ADMIN = (
    on("authorization.k8s.io", "localsubjectaccessreviews", ("create",)),
    on(RBAC, "roles rolebindings", ALL),
)
_NODE = (
    on("", "nodes", ("create", *READ, "delete", "patch", "update")),
    on("", "nodes/status", ("patch", "update")),
    on("", "pods", (*READ, "create", "delete")),
    on("", "pods/status", ("patch", "update")),
    on("", "pods/eviction serviceaccounts/token", ("create",)),
    on("", "configmaps secrets persistentvolumeclaims persistentvolumes services", READ),
    on("", "events", ("create", "patch", "update")),
    on("authentication.k8s.io", "tokenreviews", ("create",)),
    on("authorization.k8s.io", "localsubjectaccessreviews subjectaccessreviews", ("create",)),
    on("coordination.k8s.io", "leases", ("create", "delete", "get", "patch", "update")),
)
_PROXY = (
    on("", "endpoints services", ("list", "watch")),
    on("", "nodes", READ),
    on("", "events", ("create", "patch", "update")),
    on("discovery.k8s.io", "endpointslices", ("list", "watch")),
)
_REVIEWS = (
    on("authorization.k8s.io", "selfsubjectaccessreviews selfsubjectrulesreviews", ("create",)),
    on("authentication.k8s.io", "selfsubjectreviews", ("create",)),
)
_DELEGATOR = (
    on("authentication.k8s.io", "tokenreviews", ("create",)),
    on("authorization.k8s.io", "subjectaccessreviews", ("create",)),
)
_ROLES: tuple[tuple[str, Sequence[Rule], str], ...] = (  # name, rules, what it is a part of
    ("cluster-admin", ({**on("*", "*", ("*",))}, {"nonResourceURLs": ["*"], "verbs": ["*"]}), ""),
    ("system:aggregate-to-admin", _ADMIN, "admin"),
    ("system:aggregate-to-edit", _EDIT, "edit"),
    ("system:aggregate-to-view", _VIEW, "view"),
    ("system:discovery", (on_paths(DISCOVERY),), ""),
    ("system:basic-user", _REVIEWS, ""),
    ("system:public-info-viewer", (on_paths(HEALTH),), ""),
    ("system:monitoring", (on_paths(MONITORED),), ""),
    ("system:auth-delegator", _DELEGATOR, ""),
    ("system:node", _NODE, ""),
    ("system:node-proxier", _PROXY, ""),
    ("system:kube-dns", (on("", "endpoints services", ("list", "watch")),), ""),
)
_AGGREGATED = (("admin", ""), ("edit", "admin"), ("view", "edit"))
_BINDINGS: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (  # role, subjects
    ("cluster-admin", (("Group", "system:masters"),)),
    ("system:discovery", (("Group", AUTHENTICATED),)),
    ("system:basic-user", (("Group", AUTHENTICATED),)),
    ("system:public-info-viewer", (("Group", AUTHENTICATED), ("Group", UNAUTHENTICATED))),
    ("system:monitoring", (("Group", "system:monitoring"),)),
    ("system:node-proxier", (("User", "system:kube-proxy"),)),
    ("system:node", ()),
)


def cluster_roles() -> Iterator[Document]:
    """Every default ClusterRole; the aggregated ones with the rules that they begin with."""
    parts = {part: list(rules) for _, rules, part in _ROLES if part}
    for name, rules, part in _ROLES:
        yield {**_named("ClusterRole", name, part), "rules": list(rules)}
    held: list[Rule] = []
    for name, part in reversed(_AGGREGATED):  # each has what the one below it has
        held = [*parts[name], *held]
        selector = {"matchLabels": {f"{RBAC}/aggregate-to-{name}": "true"}}
        yield {
            **_named("ClusterRole", name, part),
            "aggregationRule": {"clusterRoleSelectors": [selector]},
            "rules": held,
        }


def cluster_role_bindings() -> Iterator[Document]:
    """Every default ClusterRoleBinding."""
    for name, subjects in _BINDINGS:
        yield {
            **_named("ClusterRoleBinding", name, ""),
            "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": name},
            "subjects": [
                {"apiGroup": RBAC, "kind": kind, "name": subject} for kind, subject in subjects
            ],
        }


def _named(kind: str, name: str, part: str) -> Document:
    labels = {**BOOTSTRAP, **({f"{RBAC}/aggregate-to-{part}": "true"} if part else {})}
    metadata = {"name": name, "labels": labels, "annotations": AUTOUPDATE}
    return {"apiVersion": f"{RBAC}/v1", "kind": kind, "metadata": metadata}
