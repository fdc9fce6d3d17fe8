"""The kinds that are served, from what a real API server says in discovery."""

from typing import Any

from control.resources.data.generator.inputs import Schema

# In discovery's order: that of kubectl api-resources, and of who wins a short name. One version
# each: versions share their objects, and nothing converts between unlike ones.
GROUP_VERSIONS = (
    "v1",
    "apps/v1",
    "events.k8s.io/v1",
    "autoscaling/v2",
    "batch/v1",
    "networking.k8s.io/v1",
    "policy/v1",
    "rbac.authorization.k8s.io/v1",
    "storage.k8s.io/v1",
    "scheduling.k8s.io/v1",
    "coordination.k8s.io/v1",
    "node.k8s.io/v1",
    "discovery.k8s.io/v1",
    "apiextensions.k8s.io/v1",
)
# Subresources that the API server answers; upstream's others need tokens.
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
)
# Newer than the discovery dump.
ADDED = {
    "storage.k8s.io/v1": {
        "name": "volumeattributesclasses",
        "singularName": "volumeattributesclass",
        "namespaced": False,
        "kind": "VolumeAttributesClass",
        "shortNames": ["vac"],
    }
}
ALL_VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]


def kind_rows(lists: list[Schema]) -> list[dict[str, Any]]:
    """A row for each kind that can be stored; virtual ones, such as reviews, are left out."""
    by_version = {each["groupVersion"]: each["resources"] for each in lists}
    rows: list[dict[str, Any]] = []
    for group_version in GROUP_VERSIONS:
        resources = list(by_version[group_version])
        if group_version in ADDED:
            resources.append({"verbs": ALL_VERBS, **ADDED[group_version]})
        names = {each["name"] for each in resources}
        for resource in sorted(resources, key=lambda each: str(each["name"])):
            if "/" not in resource["name"] and {"create", "list"} <= set(resource["verbs"]):
                rows.append(_row(group_version, resource, names))
    return rows


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
    return {**row, **{key: value for key, value in optional.items() if value}}
