"""ClusterRoles made of others: their rules are those of every role that their selectors choose.

Pure: `reconcile` from a view to writes. Source: kubernetes.io, "Using RBAC Authorization",
aggregated ClusterRoles.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from cluster.client.interface import Document
from cluster.objects.resources import CLUSTER_ROLES
from control.controllers.definition import Controller, present
from control.controllers.selection import selects
from control.controllers.view import Key, Objects, View, key_of, labels_of
from control.controllers.writes import Patch, Write


def reconcile(view: View, key: Key) -> Sequence[Write]:
    """Write the rules, where they are others than before."""
    role = view.objects.at(key)
    if role is None or not _selectors(role):
        return ()
    rules = aggregated(role, view.objects.each(CLUSTER_ROLES))
    if rules == list(role.get("rules") or ()):
        return ()
    changes = {
        "metadata": {"resourceVersion": role["metadata"]["resourceVersion"]},
        "rules": rules,
    }
    return [Patch(CLUSTER_ROLES, "", key.name, changes)]


def aggregated(role: Document, others: Iterable[Document]) -> list[dict[str, Any]]:
    """The rules of the chosen roles, in the order of their names, each once."""
    name = role["metadata"]["name"]
    chosen = [
        each
        for each in others
        if each["metadata"]["name"] != name
        and any(selects(selector, labels_of(each)) for selector in _selectors(role))
    ]
    rules: list[dict[str, Any]] = []
    for each in sorted(chosen, key=lambda each: str(each["metadata"]["name"])):
        rules += [rule for rule in each.get("rules") or () if rule not in rules]
    return rules


def _selectors(role: Document) -> list[Document]:
    return list((role.get("aggregationRule") or {}).get("clusterRoleSelectors") or ())


def _aggregating(objects: Objects, old: Document | None, new: Document | None) -> Iterable[Key]:
    """The role itself if it is made of others, and those that it is, or was, a part of."""
    for each in objects.each(CLUSTER_ROLES):
        if not _selectors(each):
            continue
        itself = each["metadata"]["name"] == present(old, new)["metadata"]["name"]
        if itself or any(_part_of(each, state) for state in (old, new)):
            yield key_of(CLUSTER_ROLES, each)


def _part_of(role: Document, other: Document | None) -> bool:
    return other is not None and any(
        selects(selector, labels_of(other)) for selector in _selectors(role)
    )


def controller() -> Controller:
    """The aggregation of ClusterRoles."""
    return Controller(
        name="cluster-role-aggregation",
        reconcile=reconcile,
        watches={CLUSTER_ROLES: _aggregating},
        component="clusterrole-aggregation-controller",
    )
