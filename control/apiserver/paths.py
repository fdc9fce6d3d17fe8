"""Reads the URLs of the API.

Pure: text in, values out. Source: kubernetes.io, "Kubernetes API Concepts", resource URIs.
"""

from collections.abc import Mapping

from cluster.dataclass import dataclass

# The only namespace subresources: everything else below a namespace is a collection in it.
NAMESPACE_SUBRESOURCES = frozenset({"status", "finalize"})


@dataclass(frozen=True, slots=True)
class ResourcePath:
    """A collection, an object, or a subresource of one."""

    group: str
    version: str
    plural: str
    namespace: str | None = None
    name: str | None = None
    subresource: str | None = None
    rest: tuple[str, ...] = ()  # below the subresource, as in .../proxy/metrics


def parse_path(path: str) -> ResourcePath | None:
    """The resource that a path names; None for discovery and everything else."""
    parts = [part for part in path.split("/") if part]
    if len(parts) >= 3 and parts[0] == "api":
        group, version, parts = "", parts[1], parts[2:]
    elif len(parts) >= 4 and parts[0] == "apis":
        group, version, parts = parts[1], parts[2], parts[3:]
    else:
        return None
    namespace = None
    if parts[0] == "namespaces" and len(parts) >= 3 and parts[2] not in NAMESPACE_SUBRESOURCES:
        namespace, parts = parts[1], parts[2:]
    return ResourcePath(
        group,
        version,
        parts[0],
        namespace,
        parts[1] if len(parts) > 1 else None,
        parts[2] if len(parts) > 2 else None,
        tuple(parts[3:]),
    )


def flag(query: Mapping[str, str], name: str) -> bool:
    """A query boolean by Go's rule: absent, "0" or "false" is false, all else is true."""
    value = query.get(name)
    return value is not None and value != "0" and value.lower() != "false"
