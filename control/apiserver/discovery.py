"""What kinds there are, as clients ask for it: legacy lists a group, and aggregated documents.

Pure: the table of kinds in, documents out. Source: kubernetes.io, "API Discovery"; k8s.io/api's
apidiscovery/v2 and apimachinery's meta/v1.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from control.resources.kinds import Kind

Document = dict[str, Any]

# Subresources by what can be done with them.
SUBRESOURCE_VERBS = {
    "status": ("get", "patch", "update"),
    "scale": ("get", "patch", "update"),
    "log": ("get",),
    "binding": ("create",),
    "eviction": ("create",),
    "finalize": ("update",),
    "token": ("create",),
    "exec": ("create", "get"),
    "attach": ("create", "get"),
    "portforward": ("create", "get"),
    "ephemeralcontainers": ("get", "patch", "update"),
    "resize": ("get", "patch", "update"),
    "approval": ("get", "patch", "update"),
}
# Those that answer with another kind than their resource: group, version, kind.
SUBRESOURCE_KINDS = {
    "scale": ("autoscaling", "v1", "Scale"),
    "binding": ("", "v1", "Binding"),
    "eviction": ("policy", "v1", "Eviction"),
    "token": ("authentication.k8s.io", "v1", "TokenRequest"),
    "exec": ("", "v1", "PodExecOptions"),
    "attach": ("", "v1", "PodAttachOptions"),
    "portforward": ("", "v1", "PodPortForwardOptions"),
}


def api_versions() -> Document:
    """GET /api in its legacy form."""
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}


def api_group_list(kinds: Iterable[Kind]) -> Document:
    """GET /apis in its legacy form: every group but the core's."""
    groups = [_group(name, members) for name, members in _groups(kinds) if name]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}


def api_group(kinds: Iterable[Kind], name: str) -> Document | None:
    """GET /apis/{group}; None if there is no such group."""
    members = dict(_groups(kinds)).get(name)
    if not name or members is None:
        return None
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(name, members)}


def api_resource_list(kinds: Iterable[Kind], group: str, version: str) -> Document | None:
    """GET /api/v1 or /apis/{group}/{version}; None if there is no such version."""
    members = dict(_versions(dict(_groups(kinds)).get(group, ()))).get(version)
    if members is None:
        return None
    return {
        "kind": "APIResourceList",
        **({"apiVersion": "v1"} if group else {}),  # the core group's is older than the field
        "groupVersion": f"{group}/{version}" if group else version,
        "resources": [row for kind in members for row in _rows(kind)],
    }


def aggregated(kinds: Iterable[Kind], core: bool, version: str) -> Document:
    """GET /api (the core group) or /apis (the others), whole; v2 and v2beta1 have one shape."""
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": f"apidiscovery.k8s.io/{version}",
        "metadata": {},
        "items": [
            {
                "metadata": {"name": name} if name else {},
                "versions": [_version(each, found) for each, found in _versions(members)],
            }
            for name, members in _groups(kinds)
            if core == (name == "")
        ],
    }


# -- grouping; the order of the table is the order of preference


def _groups(kinds: Iterable[Kind]) -> Iterator[tuple[str, list[Kind]]]:
    found: dict[str, list[Kind]] = {}
    for kind in kinds:
        found.setdefault(kind.resource.group, []).append(kind)
    yield from found.items()


def _versions(members: Iterable[Kind]) -> Iterator[tuple[str, list[Kind]]]:
    found: dict[str, list[Kind]] = {}
    for kind in members:
        found.setdefault(kind.resource.version, []).append(kind)
    yield from found.items()


# -- legacy


def _group(name: str, members: Iterable[Kind]) -> Document:
    versions = [
        {"groupVersion": f"{name}/{version}", "version": version}
        for version, _ in _versions(members)
    ]
    return {"name": name, "versions": versions, "preferredVersion": versions[0]}


def _rows(kind: Kind) -> Iterator[Document]:
    resource = kind.resource
    yield {
        "name": resource.plural,
        "singularName": kind.singular,
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": list(kind.verbs),
        **_names(kind),
    }
    for subresource in sorted(kind.subresources):
        group, version, answer = _answer(kind, subresource)
        foreign = (group, version) != (resource.group, resource.version)
        yield {
            "name": f"{resource.plural}/{subresource}",
            "singularName": "",
            "namespaced": resource.namespaced,
            **({"group": group, "version": version} if foreign else {}),
            "kind": answer,
            "verbs": list(SUBRESOURCE_VERBS[subresource]),
        }


def _names(kind: Kind) -> Document:
    given = {"shortNames": kind.short_names, "categories": kind.categories}
    return {key: list(value) for key, value in given.items() if value}


def _answer(kind: Kind, subresource: str) -> tuple[str, str, str]:
    resource = kind.resource
    own = resource.group, resource.version, resource.kind
    return SUBRESOURCE_KINDS.get(subresource, own)


# -- aggregated


def _version(version: str, members: Iterable[Kind]) -> Document:
    return {
        "version": version,
        "resources": [_aggregated(kind) for kind in members],
        "freshness": "Current",
    }


def _aggregated(kind: Kind) -> Document:
    resource = kind.resource
    made: Document = {
        "resource": resource.plural,
        "responseKind": _named(resource.group, resource.version, resource.kind),
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": kind.singular,
        "verbs": list(kind.verbs),
        **_names(kind),
    }
    subresources = [
        {
            "subresource": each,
            "responseKind": _named(*_answer(kind, each)),
            "verbs": list(SUBRESOURCE_VERBS[each]),
        }
        for each in sorted(kind.subresources)
    ]
    return {**made, **({"subresources": subresources} if subresources else {})}


def _named(group: str, version: str, kind: str) -> Document:
    return {"group": group, "version": version, "kind": kind}
