"""Roles and bindings as they are now, found by whom they are for.

Read from the store's memory, and anew after one of them has changed: a decision costs a look at the
rules of the one who asks.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from cluster.client.interface import Document
from control.apiserver.access.attributes import Attributes
from control.apiserver.access.rules import Rule, allows
from control.apiserver.identity import ACCOUNT, MASTERS, User
from control.store.record import ObjectKey
from control.store.store import Store

GROUP = "rbac.authorization.k8s.io"
RESOURCES = tuple(
    (GROUP, plural) for plural in ("roles", "rolebindings", "clusterroles", "clusterrolebindings")
)
ROLES, ROLE_BINDINGS, CLUSTER_ROLES, CLUSTER_ROLE_BINDINGS = RESOURCES

Subject = tuple[str, str]  # "User" or "Group", and the name
Grant = tuple[str, list[Rule]]  # the namespace, "" for all, and the rules


class RoleBook:
    """Answers what a user may do."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._seen: tuple[int, ...] = ()
        self._grants: dict[Subject, list[Grant]] = {}

    def allows(self, user: User, wanted: Attributes) -> bool:
        """Whether the user may do this."""
        if MASTERS in user.groups:
            return True
        return any(allows(rule, wanted) for rule in self.rules_of(user, wanted.namespace))

    def rules_of(self, user: User, namespace: str = "") -> list[Rule]:
        """Every rule that holds for a user in a namespace; without one, in the whole cluster."""
        self._refresh()
        return [
            rule
            for subject in _subjects(user)
            for where, rules in self._grants.get(subject, ())
            if where in ("", namespace)
            for rule in rules
        ]

    def rules_of_role(self, reference: Document, namespace: str) -> list[Rule] | None:
        """The rules of the role that a binding refers to; None if there is none."""
        name = str(reference.get("name", ""))
        if reference.get("kind") == "ClusterRole":
            record = self._store.get(CLUSTER_ROLES, ObjectKey("", name))
        else:
            record = self._store.get(ROLES, ObjectKey(namespace, name))
        return None if record is None else list(record.document.get("rules") or ())

    def _refresh(self) -> None:
        seen = tuple(self._store.feed(each).newest for each in RESOURCES)
        if seen == self._seen:
            return
        grants: dict[Subject, list[Grant]] = defaultdict(list)
        for subject, grant in self._all_grants():
            grants[subject].append(grant)
        self._grants, self._seen = dict(grants), seen

    def _all_grants(self) -> Iterator[tuple[Subject, Grant]]:
        for resource in (CLUSTER_ROLE_BINDINGS, ROLE_BINDINGS):
            for record in self._store.list(resource):
                namespace = record.key.namespace
                rules = self.rules_of_role(record.document.get("roleRef") or {}, namespace)
                for subject in _named(record.document.get("subjects") or (), namespace):
                    yield subject, (namespace, rules or [])


def _named(subjects: Iterable[Any], namespace: str) -> Iterator[Subject]:
    for each in subjects:
        if each.get("kind") == "ServiceAccount":
            yield "User", f"{ACCOUNT}{each.get('namespace') or namespace}:{each['name']}"
        else:
            yield str(each.get("kind")), str(each.get("name"))


def _subjects(user: User) -> Iterator[Subject]:
    yield "User", user.name
    for group in user.groups:
        yield "Group", group
