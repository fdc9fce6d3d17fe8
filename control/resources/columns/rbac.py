"""The row of a RoleBinding or a ClusterRoleBinding: which role, and who has it.

Pure: documents in, text out. Source: Kubernetes API reference, rbac.authorization.k8s.io/v1.
"""

from datetime import datetime

from cluster.client.interface import Document
from control.resources.columns.ages import age
from control.resources.columns.printer import AGE, NAME, Column, Printer, Row, wide
from control.resources.columns.reading import items, name_of, part


def _binding(binding: Document, now: datetime) -> Row:
    role = part(binding, "roleRef")
    return [
        name_of(binding),
        f"{role.get('kind', '')}/{role.get('name', '')}",
        age(binding, now),
        _subjects(binding, "User"),
        _subjects(binding, "Group"),
        _subjects(binding, "ServiceAccount"),
    ]


def _subjects(binding: Document, kind: str) -> str:
    chosen = (each for each in items(binding, "subjects") if each.get("kind") == kind)
    if kind == "ServiceAccount":
        return ", ".join(f"{each.get('namespace', '')}/{each.get('name', '')}" for each in chosen)
    return ", ".join(str(each.get("name", "")) for each in chosen)


BINDINGS = Printer(
    (
        NAME,
        Column("Role", "What the subjects may do."),
        AGE,
        wide("Users", "The users that it is for."),
        wide("Groups", "The groups that it is for."),
        wide("ServiceAccounts", "The service accounts that it is for."),
    ),
    _binding,
)
