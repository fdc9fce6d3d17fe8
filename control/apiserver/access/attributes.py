"""What a request wants, as rules speak of it.

Pure. Source: kubernetes.io, "Authorization Overview", request attributes.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from control.apiserver.identity import User
from control.apiserver.paths import ResourcePath, flag

_ONE = {"GET": "get", "HEAD": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_MANY = {"GET": "list", "HEAD": "list", "POST": "create", "DELETE": "deletecollection"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Attributes:
    """A verb on a resource, or on a path that is none."""

    verb: str
    group: str = ""
    version: str = ""
    resource: str = ""  # with its subresource: "pods/log"
    namespace: str = ""
    name: str = ""
    path: str = ""  # of what is no resource

    @property
    def bare_resource(self) -> str:
        """The resource without its subresource."""
        return self.resource.partition("/")[0]


def attributes_of(
    method: str, url_path: str, path: ResourcePath | None, query: Mapping[str, str]
) -> Attributes:
    """The attributes of a request."""
    verb = verb_of(method, path, query)
    if path is None:
        return Attributes(verb=verb, path=url_path)
    resource = f"{path.plural}/{path.subresource}" if path.subresource else path.plural
    named = path.namespace or (path.name if path.plural == "namespaces" else None)
    return Attributes(
        verb=verb,
        group=path.group,
        version=path.version,
        resource=resource,
        namespace=named or "",
        name=path.name or "",
    )


def verb_of(method: str, path: ResourcePath | None, query: Mapping[str, str]) -> str:
    """As RBAC calls it; of what is no resource, the method in small letters."""
    if path is None:
        return method.lower()
    if method == "GET" and path.subresource is None and flag(query, "watch"):
        return "watch"
    verbs = _MANY if path.name is None else {**_ONE, "POST": "create"}
    return verbs.get(method, method.lower())


def denial(user: User, wanted: Attributes) -> str:
    """Why not, in upstream's words."""
    who = f'User "{user.name}" cannot {wanted.verb}'
    if wanted.path:
        return f'{who} path "{wanted.path}"'
    where = (
        f' in the namespace "{wanted.namespace}"' if wanted.namespace else " at the cluster scope"
    )
    return f'{who} resource "{wanted.resource}" in API group "{wanted.group}"{where}'
