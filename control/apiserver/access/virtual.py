"""Kinds that are asked and stored nowhere: reviews. They stand in discovery as all others do.

Pure: data.
"""

from collections.abc import Iterator
from functools import cache

from cluster.objects.resources import Resource
from control.apiserver.paths import ResourcePath
from control.resources.kinds import Kind

AUTHENTICATION, AUTHORIZATION = "authentication.k8s.io", "authorization.k8s.io"
_ROWS = (
    (AUTHENTICATION, "v1", "selfsubjectreviews", "SelfSubjectReview", False),
    (AUTHENTICATION, "v1", "tokenreviews", "TokenReview", False),
    (AUTHENTICATION, "v1beta1", "selfsubjectreviews", "SelfSubjectReview", False),
    (AUTHORIZATION, "v1", "localsubjectaccessreviews", "LocalSubjectAccessReview", True),
    (AUTHORIZATION, "v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview", False),
    (AUTHORIZATION, "v1", "selfsubjectrulesreviews", "SelfSubjectRulesReview", False),
    (AUTHORIZATION, "v1", "subjectaccessreviews", "SubjectAccessReview", False),
)


@cache
def virtual_kinds() -> tuple[Kind, ...]:
    """The kinds, in discovery's order."""
    return tuple(_kinds())


def find_virtual(path: ResourcePath) -> Kind | None:
    """The kind at a path, or None."""
    wanted = path.group, path.version, path.plural
    return next((each for each in virtual_kinds() if _path(each) == wanted), None)


def _kinds() -> Iterator[Kind]:
    for group, version, plural, kind, namespaced in _ROWS:
        resource = Resource(group, version, plural, kind, namespaced=namespaced)
        yield Kind(resource, kind.lower(), verbs=("create",), subresources=())


def _path(kind: Kind) -> tuple[str, str, str]:
    return kind.resource.group, kind.resource.version, kind.resource.plural
