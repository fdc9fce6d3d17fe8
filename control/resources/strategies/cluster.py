"""Namespaces, nodes and the kinds that need little: accounts, volumes, roles, classes.

Pure: documents in, documents out. Spec: N-40, P-19; kubernetes.io, "Namespaces".
"""

from collections.abc import Iterator
from dataclasses import replace

from control.resources.strategies.strategy import Document, Strategy
from control.resources.validation import claims, cluster, persistent_volumes, rbac
from control.resources.validation.budgets import budget_causes
from control.resources.validation.names import label_faults, path_segment_faults

NAME_LABEL = "kubernetes.io/metadata.name"
FINALIZER = "kubernetes"
SECURITY_PREFIX = "pod-security.kubernetes.io/"


def _labelled(namespace: Document) -> Document:
    """Selectable by name, whatever the client says (N-40)."""
    metadata = namespace["metadata"]
    labels = {**(metadata.get("labels") or {}), NAME_LABEL: metadata.get("name", "")}
    return {**namespace, "metadata": {**metadata, "labels": labels}}


def _held(namespace: Document) -> Document:
    """Kept until it is empty."""
    spec = namespace.get("spec") or {}
    finalizers = list(spec.get("finalizers") or ())
    if FINALIZER not in finalizers:
        finalizers.append(FINALIZER)
    return {**namespace, "spec": {**spec, "finalizers": finalizers}}


def _unenforced(namespace: Document) -> Iterator[str]:
    """Standards that nobody holds pods to."""
    for key in namespace["metadata"].get("labels") or {}:
        if key.startswith(SECURITY_PREFIX):
            yield f"metadata.labels[{key}]: stored, but kubehop does not act on it"


def _finalizers_kept(new: Document, old: Document) -> Document:
    """Only `/finalize` takes finalizers away."""
    return {**new, "spec": old.get("spec") or {}}


def _active(namespace: Document) -> Document:
    return {"phase": "Active"}


def _pending(document: Document) -> Document:
    return {"phase": "Pending"}


def _reported(node: Document) -> Document:
    """A kubelet registers its node with its status."""
    return dict(node.get("status") or {})


def _with_cidrs(node: Document) -> Document:
    """Either of podCIDR and podCIDRs says the other."""
    spec = node.get("spec") or {}
    one, many = spec.get("podCIDR"), spec.get("podCIDRs")
    if one and not many:
        return {**node, "spec": {**spec, "podCIDRs": [one]}}
    if many and not one:
        return {**node, "spec": {**spec, "podCIDR": many[0]}}
    return node


def _with_groups(binding: Document) -> Document:
    """Users and groups are RBAC's own."""
    subjects = [
        {**each, "apiGroup": rbac.GROUP}
        if each.get("kind") in ("User", "Group") and not each.get("apiGroup")
        else each
        for each in binding.get("subjects") or ()
    ]
    return {**binding, "subjects": subjects} if subjects else binding


NAMESPACE = Strategy(
    name_faults=label_faults,
    status=_active,
    created=_held,
    defaults=_labelled,
    updated=_finalizers_kept,
    warnings=_unenforced,
)
NODE = Strategy(
    status=_reported,
    defaults=_with_cidrs,
    causes=cluster.node_causes,
    update_causes=cluster.node_update_causes,
)
LEASE = Strategy(causes=cluster.lease_causes)
ROLE = Strategy(name_faults=path_segment_faults, causes=rbac.role_causes)
CLUSTER_ROLE = Strategy(name_faults=path_segment_faults, causes=rbac.cluster_role_causes)
ROLE_BINDING = Strategy(
    name_faults=path_segment_faults,
    defaults=_with_groups,
    causes=rbac.role_binding_causes,
    update_causes=cluster.binding_update_causes,
)
CLUSTER_ROLE_BINDING = replace(ROLE_BINDING, causes=rbac.cluster_role_binding_causes)
BUDGET = Strategy(generation=True, causes=budget_causes)
REVISION = Strategy(update_causes=cluster.revision_update_causes)
PRIORITY_CLASS = Strategy(
    generation=True,
    causes=cluster.priority_causes,
    update_causes=cluster.priority_update_causes,
)
CLAIM = Strategy(
    status=_pending,
    causes=claims.claim_causes,
    update_causes=claims.claim_update_causes,
    returned_when_deleted=True,
)
VOLUME = Strategy(
    status=_pending,
    causes=persistent_volumes.persistent_volume_causes,
    update_causes=persistent_volumes.persistent_volume_update_causes,
    returned_when_deleted=True,
)
RETURNED = Strategy(returned_when_deleted=True)
COUNTED = Strategy(generation=True)
