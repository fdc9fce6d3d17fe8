"""Nobody gives away more than he has: roles and bindings are checked as they are written.

Pure, given the roles. Source: kubernetes.io, "Using RBAC Authorization", privilege escalation.
"""

from typing import Any

from cluster.client.interface import Document
from control.apiserver import statuses
from control.apiserver.access.attributes import Attributes
from control.apiserver.access.role_book import GROUP, RoleBook
from control.apiserver.access.rules import EVERYTHING, Rule, uncovered
from control.apiserver.identity import MASTERS, User
from control.resources.kinds import Kind

ROLES, BINDINGS = ("roles", "clusterroles"), ("rolebindings", "clusterrolebindings")
FREE = ("finalizers", "ownerReferences", "managedFields", "resourceVersion", "generation")


def check_escalation(
    roles: RoleBook, user: User, kind: Kind, new: Document, old: Document | None
) -> None:
    """ApiError 403 names the rules that the writer lacks; a role to bind that is none is a 404."""
    resource = kind.resource
    if resource.group != GROUP or MASTERS in user.groups:
        return
    if old is not None and _settled(old) == _settled(new):
        return
    namespace = str(new["metadata"].get("namespace", ""))
    if resource.plural in BINDINGS:
        reference = new.get("roleRef") or {}
        verb, name = "bind", str(reference.get("name", ""))
        of = "clusterroles" if reference.get("kind") == "ClusterRole" else "roles"
        wanted = roles.rules_of_role(reference, namespace)
    elif resource.plural in ROLES:
        verb, name, of = "escalate", str(new["metadata"]["name"]), resource.plural
        wanted = _held(new, old or {})
    else:
        return
    right = Attributes(
        verb=verb, group=GROUP, version="v1", resource=of, namespace=namespace, name=name
    )
    if roles.allows(user, right):
        return
    if wanted is None:
        raise statuses.refusal(404, "NotFound", f'{of}.{GROUP} "{name}" not found')
    missing = uncovered(roles.rules_of(user, namespace), wanted)
    if missing:
        raise _refused(kind, new, user, missing)


def _held(role: Document, before: Document) -> list[Rule]:
    """What a role gives; one that gathers others' rules may come to give anything."""
    gathers = role.get("aggregationRule") or before.get("aggregationRule")
    return list(EVERYTHING if gathers else role.get("rules") or ())


def _settled(document: Document) -> dict[str, Any]:
    """A document without what the collection of garbage changes, which everybody may.

    Labels are no such thing: they choose what is gathered into other roles.
    """
    metadata = {key: value for key, value in document["metadata"].items() if key not in FREE}
    return {**document, "metadata": metadata}


def _refused(kind: Kind, new: Document, user: User, missing: list[Rule]) -> Exception:
    groups = "".join(f' "{group}"' for group in user.groups).strip()
    lines = "\n".join(map(_spelled, missing))
    why = (
        f'user "{user.name}" (groups=[{groups}]) is attempting to grant RBAC permissions not '
        f"currently held:\n{lines}"
    )
    return statuses.forbidden(kind.resource, str(new["metadata"]["name"]), why)


def _spelled(rule: Rule) -> str:
    """`{APIGroups:[""], Resources:["pods"], Verbs:["get"]}`."""
    named = (
        ("APIGroups", "apiGroups"),
        ("Resources", "resources"),
        ("ResourceNames", "resourceNames"),
        ("NonResourceURLs", "nonResourceURLs"),
        ("Verbs", "verbs"),
    )
    parts = (
        f"{title}:[{' '.join(_quoted(each) for each in rule[key])}]"
        for title, key in named
        if rule.get(key)
    )
    return "{" + ", ".join(parts) + "}"


def _quoted(text: str) -> str:
    return f'"{text}"'
