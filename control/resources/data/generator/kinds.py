"""The kinds that are served, from what a real API server says in discovery."""

from collections.abc import Iterator
from typing import Any

from control.resources.data.generator.inputs import Schema

# In discovery's order: that of kubectl api-resources, and of who wins a short name.
GROUP_VERSIONS = (
    "v1",
    "apiregistration.k8s.io/v1",
    "apps/v1",
    "events.k8s.io/v1",
    "autoscaling/v2",
    "autoscaling/v1",
    "batch/v1",
    "certificates.k8s.io/v1",
    "networking.k8s.io/v1",
    "policy/v1",
    "rbac.authorization.k8s.io/v1",
    "storage.k8s.io/v1",
    "admissionregistration.k8s.io/v1",
    "apiextensions.k8s.io/v1",
    "scheduling.k8s.io/v1",
    "coordination.k8s.io/v1",
    "node.k8s.io/v1",
    "discovery.k8s.io/v1",
    "flowcontrol.apiserver.k8s.io/v1",
    "resource.k8s.io/v1",
    "storagemigration.k8s.io/v1",
)
# Versions of an object that is stored as another one: group, version, plural of both.
STORED_AS = {
    ("autoscaling", "v1", "horizontalpodautoscalers"): (
        "autoscaling",
        "v2",
        "horizontalpodautoscalers",
    ),
    ("events.k8s.io", "v1", "events"): ("", "v1", "events"),
}
# Subresources that the API server answers.
SUBRESOURCES = (
    "status",
    "scale",
    "log",
    "binding",
    "finalize",
    "exec",
    "attach",
    "portforward",
    "ephemeralcontainers",
    "resize",
    "eviction",
    "token",
    "approval",
)
# Newer than the discovery dump: name, kind, whether it has namespaces, a status; short names.
ADDED: dict[str, tuple[tuple[str, str, bool, bool, tuple[str, ...]], ...]] = {
    "admissionregistration.k8s.io/v1": (
        ("mutatingadmissionpolicies", "MutatingAdmissionPolicy", False, False, ()),
        ("mutatingadmissionpolicybindings", "MutatingAdmissionPolicyBinding", False, False, ()),
    ),
    "certificates.k8s.io/v1": (
        ("clustertrustbundles", "ClusterTrustBundle", False, False, ()),
        ("podcertificaterequests", "PodCertificateRequest", True, True, ()),
    ),
    "resource.k8s.io/v1": (
        ("deviceclasses", "DeviceClass", False, False, ()),
        ("devicetaintrules", "DeviceTaintRule", False, True, ()),
        ("resourceclaims", "ResourceClaim", True, True, ()),
        ("resourceclaimtemplates", "ResourceClaimTemplate", True, False, ()),
        ("resourceslices", "ResourceSlice", False, False, ()),
    ),
    "storage.k8s.io/v1": (
        ("volumeattributesclasses", "VolumeAttributesClass", False, False, ("vac",)),
    ),
    "storagemigration.k8s.io/v1": (
        ("storageversionmigrations", "StorageVersionMigration", False, True, ()),
    ),
}
ALL_VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]


def kind_rows(lists: list[Schema]) -> list[dict[str, Any]]:
    """A row for each kind that can be stored; virtual ones, such as reviews, are left out."""
    by_version = {each["groupVersion"]: each["resources"] for each in lists}
    rows: list[dict[str, Any]] = []
    for group_version in GROUP_VERSIONS:
        resources = [*by_version.get(group_version, ()), *_added(group_version)]
        names = {each["name"] for each in resources}
        for resource in sorted(resources, key=lambda each: str(each["name"])):
            if "/" not in resource["name"] and {"create", "list"} <= set(resource["verbs"]):
                rows.append(_row(group_version, resource, names))
    return rows


def _added(group_version: str) -> Iterator[Schema]:
    for plural, kind, namespaced, status, short_names in ADDED.get(group_version, ()):
        yield {
            "name": plural,
            "singularName": kind.lower(),
            "namespaced": namespaced,
            "kind": kind,
            "shortNames": list(short_names),
            "verbs": ALL_VERBS,
        }
        if status:
            yield {"name": f"{plural}/status", "verbs": ["get", "patch", "update"]}


def _row(group_version: str, resource: Schema, names: set[str]) -> dict[str, Any]:
    group, _, version = group_version.rpartition("/")
    plural = resource["name"]
    row: dict[str, Any] = {
        "group": group,
        "version": version,
        "plural": plural,
        "kind": resource["kind"],
        "namespaced": resource["namespaced"],
        "singular": resource["singularName"],
    }
    optional = {
        "short_names": resource.get("shortNames", []),
        "categories": resource.get("categories", []),
        "verbs": [] if sorted(resource["verbs"]) == ALL_VERBS else sorted(resource["verbs"]),
        "subresources": [each for each in SUBRESOURCES if f"{plural}/{each}" in names],
    }
    stored_as = STORED_AS.get((group, version, plural))
    made = {**row, **{key: value for key, value in optional.items() if value}}
    return {**made, "stored_as": list(stored_as)} if stored_as else made
