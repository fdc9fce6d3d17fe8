"""What clients are warned of whatever they do with a kind: that it is on its way out.

Pure: data. Spec: S-148. Source: kubernetes.io, "Kubernetes Deprecation Policy".
"""

from cluster.objects.resources import ENDPOINTS, Resource

_WARNINGS = {
    ENDPOINTS: "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
}


def deprecations(resource: Resource) -> tuple[str, ...]:
    """The warnings that come with every answer about a kind."""
    return (_WARNINGS[resource],) if resource in _WARNINGS else ()
