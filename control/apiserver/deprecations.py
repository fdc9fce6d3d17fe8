"""What clients are warned of whatever they do with a kind: that it is on its way out.

Pure: data, and what definitions say of their versions. Spec: S-148. Source: kubernetes.io,
"Kubernetes Deprecation Policy".
"""

from cluster.objects.resources import ENDPOINTS
from control.resources.kinds import Kind

_WARNINGS = {
    ENDPOINTS: "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
}


def deprecations(kind: Kind) -> tuple[str, ...]:
    """The warnings that come with every answer about a kind."""
    if kind.custom is not None:
        return (kind.custom.deprecation,) if kind.custom.deprecation else ()
    return (_WARNINGS[kind.resource],) if kind.resource in _WARNINGS else ()
