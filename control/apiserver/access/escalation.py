"""Nobody gives away more than he has: roles and bindings are checked as they are written.

Pure, given the roles. Source: kubernetes.io, "Using RBAC Authorization", privilege escalation.
"""

from cluster.client.interface import Document
from control.apiserver import statuses
from control.apiserver.access.attributes import Attributes
from control.apiserver.access.role_book import GROUP, RoleBook
from control.apiserver.access.rules import Rule, uncovered
from control.apiserver.identity import MASTERS, User
from control.resources.kinds import Kind

ROLES, BINDINGS = ("roles", "clusterroles"), ("rolebindings", "clusterrolebindings")


def check_escalation(
    roles: RoleBook, user: User, kind: Kind, new: Document, old: Document | None
) -> None:
    """ApiError 403 names the rules that the writer lacks."""
    resource = kind.resource
    if resource.group != GROUP or MASTERS in user.groups:
        return
    namespace = str(new["metadata"].get("namespace", ""))
    if resource.plural in ROLES:
        if old is not None and old.get("rules") == new.get("rules"):
            return
        wanted, verb, of = list(new.get("rules") or ()), "escalate", resource.plural
        name = str(new["metadata"]["name"])
    elif resource.plural in BINDINGS:
        reference = new.get("roleRef") or {}
        if old is not None and _same_grant(old, new):
            return
        wanted = roles.rules_of_role(reference, namespace) or []
        verb, name = "bind", str(reference.get("name", ""))
        of = "clusterroles" if reference.get("kind") == "ClusterRole" else "roles"
    else:
        return
    right = Attributes(
        verb=verb, group=GROUP, version="v1", resource=of, namespace=namespace, name=name
    )
    if roles.allows(user, right):
        return
    missing = uncovered(roles.rules_of(user, namespace), wanted)
    if missing:
        raise _refused(kind, new, user, missing)


def _same_grant(old: Document, new: Document) -> bool:
    parts = ("subjects", "roleRef")
    return all((old.get(part) or None) == (new.get(part) or None) for part in parts)


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
