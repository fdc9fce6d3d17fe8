"""What a role would give away, in words; `test_gate` sees it happen."""

from typing import Any

import pytest

from cluster.errors import ApiError
from control.apiserver.access.escalation import check_escalation
from control.apiserver.access.role_book import RoleBook
from control.apiserver.identity import ADMIN, User
from control.apiserver.registry import Registry
from control.resources.kinds import find_kind

RULES = [{"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get"]}]


def role(**more: Any) -> dict[str, Any]:
    return {"metadata": {"name": "r", "namespace": "shop"}, "rules": RULES, **more}


async def test_the_refusal_names_groups_and_rules(registry: Registry) -> None:
    kind = find_kind("rbac.authorization.k8s.io", "v1", "roles")
    assert kind is not None
    book = RoleBook(registry.store)
    check_escalation(book, ADMIN, kind, role(), None)
    with pytest.raises(ApiError) as refused:
        check_escalation(book, User("jane", ("dev",)), kind, role(), None)
    assert 'user "jane" (groups=["dev"]) is attempting' in str(refused.value)
    assert '{APIGroups:["apps"], Resources:["deployments"], Verbs:["get"]}' in str(refused.value)
    check_escalation(book, User("jane"), kind, role(), role())  # nothing new in it


async def test_other_kinds_give_nothing_away(registry: Registry) -> None:
    kind = find_kind("", "v1", "configmaps")
    assert kind is not None
    check_escalation(RoleBook(registry.store), User("jane"), kind, role(), None)
