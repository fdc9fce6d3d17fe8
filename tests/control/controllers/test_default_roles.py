"""The roles that every cluster has."""

from typing import Any

from control.apiserver.access.attributes import Attributes
from control.apiserver.access.rules import allows
from control.controllers import default_roles
from control.controllers.cluster_role_aggregation import aggregated

ROLES: dict[str, Any] = {each["metadata"]["name"]: each for each in default_roles.cluster_roles()}


def may(role: str, verb: str, resource: str, group: str = "") -> bool:
    wanted = Attributes(verb=verb, group=group, resource=resource, namespace="shop")
    return any(allows(rule, wanted) for rule in ROLES[role]["rules"])


def test_who_views_sees_no_secrets_and_changes_nothing() -> None:
    assert may("view", "list", "pods") and may("view", "get", "pods/log")
    assert may("view", "list", "deployments", "apps")
    assert not may("view", "get", "secrets") and not may("view", "create", "pods")


def test_who_edits_works_and_gives_no_rights() -> None:
    assert may("edit", "create", "pods/exec") and may("edit", "get", "secrets")
    assert may("edit", "delete", "deployments", "apps") and may("edit", "list", "pods")
    assert not may("edit", "create", "roles", default_roles.RBAC)


def test_who_administers_gives_rights() -> None:
    assert may("admin", "create", "rolebindings", default_roles.RBAC)
    assert may("admin", "create", "pods") and may("admin", "get", "configmaps")
    assert not may("admin", "create", "nodes")
    assert may("cluster-admin", "anything", "whatever", "where")


def test_aggregated_roles_begin_with_what_aggregation_makes_of_them() -> None:
    for name in ("admin", "edit", "view"):
        rules = aggregated(ROLES[name], ROLES.values())
        assert sorted(map(str, rules)) == sorted(map(str, ROLES[name]["rules"])), name


def test_every_binding_is_to_a_role() -> None:
    for binding in default_roles.cluster_role_bindings():
        assert binding["roleRef"]["name"] in ROLES
    paths = Attributes(verb="get", path="/openapi/v3")
    assert any(allows(rule, paths) for rule in ROLES["system:discovery"]["rules"])
