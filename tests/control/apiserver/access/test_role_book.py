"""Roles found by whom they are for."""

from typing import Any

from cluster.objects.resources import Resource
from control.apiserver.access.attributes import Attributes
from control.apiserver.access.role_book import GROUP, RoleBook
from control.apiserver.identity import ADMIN, User
from control.apiserver.options import WriteOptions
from control.apiserver.registry import Registry
from control.resources.kinds import find_kind

CLUSTER_ROLES = Resource(GROUP, "v1", "clusterroles", "ClusterRole", namespaced=False)
BINDINGS = Resource(GROUP, "v1", "rolebindings", "RoleBinding")
RULE = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}
WANTED = Attributes(verb="get", resource="pods", namespace="shop")


async def put(registry: Registry, resource: Resource, namespace: str | None, body: Any) -> None:
    kind = find_kind(resource.group, resource.version, resource.plural)
    assert kind is not None
    named = {"apiVersion": resource.api_version, "kind": resource.kind, **body}
    await registry.create(kind, namespace, named, WriteOptions())


async def test_a_cluster_role_bound_in_a_namespace_holds_there(registry: Registry) -> None:
    book = RoleBook(registry.store)
    robot = User("system:serviceaccount:shop:robot")
    assert not book.allows(robot, WANTED) and book.allows(ADMIN, WANTED)
    await put(registry, CLUSTER_ROLES, None, {"metadata": {"name": "r"}, "rules": [RULE]})
    subject = {"kind": "ServiceAccount", "name": "robot", "namespace": "shop"}
    reference = {"apiGroup": GROUP, "kind": "ClusterRole", "name": "r"}
    body = {"metadata": {"name": "b"}, "roleRef": reference, "subjects": [subject]}
    await put(registry, BINDINGS, "shop", body)
    assert book.allows(robot, WANTED)
    assert book.rules_of(robot, "default") == []
    assert book.rules_of_role(reference, "shop") == [RULE]
    assert book.rules_of_role({"kind": "Role", "name": "none"}, "shop") is None


async def test_a_binding_to_a_role_that_is_not_there_gives_nothing(registry: Registry) -> None:
    reference = {"apiGroup": GROUP, "kind": "Role", "name": "none"}
    subject = {"apiGroup": GROUP, "kind": "User", "name": "jane"}
    body = {"metadata": {"name": "b"}, "roleRef": reference, "subjects": [subject]}
    await put(registry, BINDINGS, "shop", body)
    assert RoleBook(registry.store).rules_of(User("jane"), "shop") == []
