"""What a request wants, as rules speak of it.

Pure. Source: kubernetes.io, "Authorization Overview", request attributes.
"""

import re
from collections.abc import Mapping

from cluster.client.interface import Document
from cluster.dataclass import dataclass
from cluster.objects.resources import Resource
from control.apiserver.identity import User
from control.apiserver.paths import ResourcePath, flag

_ONE = {"GET": "get", "HEAD": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_MANY = {"GET": "list", "HEAD": "list", "POST": "create", "DELETE": "deletecollection"}
_CHOOSING = ("list", "watch", "deletecollection")
_ONE_NAME = re.compile(r"metadata\.name==?(?P<name>[^=]+)")


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
        name=path.name or (_named_one(query) if verb in _CHOOSING else ""),
    )


def creation_of(resource: Resource, document: Document) -> Attributes:
    """The attributes of a new object."""
    metadata = document["metadata"]
    return Attributes(
        verb="create",
        group=resource.group,
        version=resource.version,
        resource=resource.plural,
        namespace=str(metadata.get("namespace") or ""),
        name=str(metadata.get("name") or ""),
    )


def _named_one(query: Mapping[str, str]) -> str:
    """The only name that a field selector leaves: a rule that names objects speaks of it too."""
    selector = query.get("fieldSelector", "")
    terms = () if "\\" in selector else selector.split(",")  # an escaped comma ends no term
    names = [found["name"] for each in terms if (found := _ONE_NAME.fullmatch(each.strip()))]
    return names[0] if len(names) == 1 else ""


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
