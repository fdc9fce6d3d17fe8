"""Requests as other users: what they may, what they may not, and what they are told."""

from typing import Any

import pytest
from aiohttp.test_utils import make_mocked_request

from control.apiserver.access.gate import Gate
from control.apiserver.access.role_book import RoleBook
from control.apiserver.access.service_accounts import ServiceAccounts
from control.apiserver.registry import Registry
from tests.control.apiserver.conftest import Client

PODS = "/api/v1/namespaces/shop/pods"
REVIEWS = "/apis/authorization.k8s.io/v1"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
READ_PODS = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}


async def test_nobody_may_what_no_rule_allows(as_user: Any) -> None:
    jane = as_user("jane")
    refused = await jane("GET", PODS)
    assert (refused.status, refused.document["reason"]) == (403, "Forbidden")
    assert refused.document["message"] == (
        'pods is forbidden: User "jane" cannot list resource "pods" in API group "" '
        'in the namespace "shop"'
    )
    named = await jane("DELETE", f"{PODS}/web")
    assert named.document["message"].startswith(
        'pods "web" is forbidden: User "jane" cannot delete'
    )
    assert (await jane("GET", "/metrics")).document["message"] == (
        'forbidden: User "jane" cannot get path "/metrics"'
    )


async def test_rules_hold_where_they_are_bound(as_user: Any, grant: Any) -> None:
    await grant("jane", READ_PODS)
    jane = as_user("jane")
    assert (await jane("GET", PODS)).status == 200
    assert (await jane("GET", "/api/v1/namespaces/default/pods")).status == 403
    assert (await jane("POST", PODS, {"metadata": {"name": "x"}})).status == 403
    await grant("joe", READ_PODS, everywhere=True)
    assert (await as_user("joe")("GET", "/api/v1/pods")).status == 200


async def test_a_change_of_roles_counts_at_once(client: Client, as_user: Any, grant: Any) -> None:
    await grant("jane", READ_PODS)
    assert (await as_user("jane")("GET", PODS)).status == 200
    await client("DELETE", f"{RBAC}/namespaces/shop/rolebindings/of-jane")
    assert (await as_user("jane")("GET", PODS)).status == 403


async def test_groups_and_service_accounts_are_subjects_too(as_user: Any, grant: Any) -> None:
    await grant("system:serviceaccounts", READ_PODS, kind="Group")
    robot = as_user("system:serviceaccount:default:robot")
    assert (await robot("GET", PODS)).status == 200


async def test_impersonation_is_a_right(client: Client, as_user: Any, grant: Any) -> None:
    rule = {"apiGroups": [""], "resources": ["users"], "verbs": ["impersonate"]}
    await grant("jane", {**rule, "resourceNames": ["joe"]}, everywhere=True)
    # the administrator asks as jane; jane has no way to ask as joe, for headers do not nest
    body: dict[str, Any] = {
        "spec": {"user": "jane", "resourceAttributes": {"verb": "impersonate", "resource": "users"}}
    }
    body["spec"]["resourceAttributes"]["name"] = "joe"
    review = f"{REVIEWS}/subjectaccessreviews"
    assert (await client("POST", review, body)).document["status"] == {"allowed": True}
    body["spec"]["resourceAttributes"]["name"] = "ann"
    assert (await client("POST", review, body)).document["status"] == {"allowed": False}


async def test_reviews_answer_and_are_not_stored(client: Client, as_user: Any, grant: Any) -> None:
    await grant("jane", READ_PODS)
    everybody = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["create"]}
    await grant("asker", everybody, everywhere=True)
    wanted = {"resourceAttributes": {"verb": "list", "resource": "pods", "namespace": "shop"}}
    path = f"{REVIEWS}/selfsubjectaccessreviews"
    mine = await client("POST", path, {"spec": wanted})
    assert mine.status == 201 and mine.document["status"] == {"allowed": True}
    assert mine.document["kind"] == "SelfSubjectAccessReview"
    assert (await client("GET", path)).status == 405
    assert (await client("POST", f"{path}/x", {})).status == 405
    local = f"{REVIEWS}/namespaces/shop/localsubjectaccessreviews"
    asked = await client("POST", local, {"spec": {**wanted, "user": "jane"}})
    assert asked.document["status"] == {"allowed": True}
    elsewhere: dict[str, Any] = {
        "resourceAttributes": {**wanted["resourceAttributes"], "namespace": "default"}
    }
    assert (await client("POST", local, {"spec": {**elsewhere, "user": "jane"}})).status == 400
    rules = await client(
        "POST", f"{REVIEWS}/selfsubjectrulesreviews", {"spec": {"namespace": "shop"}}
    )
    assert {"verbs": ["*"], "nonResourceURLs": ["*"]} in rules.document["status"][
        "nonResourceRules"
    ]


async def test_a_review_that_makes_no_sense_is_refused(client: Client) -> None:
    odd: tuple[Any, ...] = ({"resourceAttributes": {}}, {"resourceAttributes": 5}, {"groups": "x"})
    for spec in ({}, 5, *odd):
        reply = await client("POST", f"{REVIEWS}/selfsubjectaccessreviews", {"spec": spec})
        assert reply.status == 400, spec
    nobody = {"resourceAttributes": {"verb": "get", "resource": "pods"}}
    reply = await client("POST", f"{REVIEWS}/subjectaccessreviews", {"spec": nobody})
    assert reply.status == 422
    assert (await client("POST", f"{REVIEWS}/selfsubjectrulesreviews", {})).status == 400


async def test_who_am_i(client: Client) -> None:
    for version in ("v1", "v1beta1"):
        path = f"/apis/authentication.k8s.io/{version}/selfsubjectreviews"
        reply = await client("POST", path, {}, Impersonate_User="jane")
        if reply.status == 403:  # jane is not bound to system:basic-user here
            reply = await client("POST", path, {})
        assert reply.document["status"]["userInfo"]["username"] == "system:admin"


async def test_nobody_gives_away_more_than_he_has(as_user: Any, grant: Any) -> None:
    write_roles = {
        "apiGroups": ["rbac.authorization.k8s.io"],
        "resources": ["roles", "rolebindings"],
        "verbs": ["create", "update", "patch", "get"],
    }
    await grant("jane", write_roles, READ_PODS)
    jane = as_user("jane")
    roles = f"{RBAC}/namespaces/shop/roles"
    less = {"metadata": {"name": "less"}, "rules": [{**READ_PODS, "verbs": ["get"]}]}
    assert (await jane("POST", roles, less)).status == 201
    more = {"metadata": {"name": "more"}, "rules": [{**READ_PODS, "verbs": ["get", "delete"]}]}
    refused = await jane("POST", roles, more)
    assert refused.status == 403
    assert (
        "is attempting to grant RBAC permissions not currently held" in refused.document["message"]
    )
    assert '{APIGroups:[""], Resources:["pods"], Verbs:["delete"]}' in refused.document["message"]
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "less"}
    subject = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "joe"}
    binding: dict[str, Any] = {
        "metadata": {"name": "b"},
        "roleRef": reference,
        "subjects": [subject],
    }
    bindings = f"{RBAC}/namespaces/shop/rolebindings"
    assert (await jane("POST", bindings, binding)).status == 201
    admin = {**binding, "roleRef": {**reference, "name": "of-jane"}, "metadata": {"name": "c"}}
    assert (await jane("POST", bindings, admin)).status == 201  # what jane has herself


MERGE = "application/merge-patch+json"


async def test_a_role_is_changed_by_who_has_what_it_gives(
    client: Client, as_user: Any, grant: Any
) -> None:
    """Labels count: by them a role is gathered into others."""
    role = {"metadata": {"name": "strong"}, "rules": [{**READ_PODS, "verbs": ["*"]}]}
    await client("POST", f"{RBAC}/namespaces/shop/roles", role)
    patch = {
        "apiGroups": ["rbac.authorization.k8s.io"],
        "resources": ["roles"],
        "verbs": ["patch"],
    }
    await grant("jane", patch)
    jane, path = as_user("jane"), f"{RBAC}/namespaces/shop/roles/strong"
    for change, code in (
        ({"metadata": {"finalizers": ["example.com/x"]}}, 200),
        ({"metadata": {"labels": {"a": "b"}}}, 403),
        ({"rules": [{**READ_PODS, "verbs": ["escalate"]}]}, 403),
    ):
        assert (await jane("PATCH", path, change, Content_Type=MERGE)).status == code, change


async def test_who_gathers_rules_has_all_of_them(client: Client, as_user: Any, grant: Any) -> None:
    """An aggregated role could be bound while it is empty, and filled afterwards."""
    write = {
        "apiGroups": ["rbac.authorization.k8s.io"],
        "resources": ["clusterroles", "clusterrolebindings"],
        "verbs": ["create", "patch"],
    }
    await grant("jane", write, everywhere=True)
    jane, roles = as_user("jane"), f"{RBAC}/clusterroles"
    selector = {"matchLabels": {"rbac.authorization.k8s.io/aggregate-to-admin": "true"}}
    gathers = {
        "metadata": {"name": "mine"},
        "aggregationRule": {"clusterRoleSelectors": [selector]},
        "rules": [],
    }
    refused = await jane("POST", roles, gathers)
    assert refused.status == 403 and 'Verbs:["*"]' in refused.document["message"]
    assert (await client("POST", roles, gathers)).status == 201
    taken_off = {"aggregationRule": None}
    path = f"{roles}/mine"
    assert (await jane("PATCH", path, taken_off, Content_Type=MERGE)).status == 403


async def test_a_role_that_is_not_there_is_bound_by_who_may_bind_it(
    as_user: Any, grant: Any
) -> None:
    bind = {
        "apiGroups": ["rbac.authorization.k8s.io"],
        "resources": ["rolebindings"],
        "verbs": ["create"],
    }
    await grant("jane", bind)
    binding = {
        "metadata": {"name": "early"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "later"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "jane"}],
    }
    path = f"{RBAC}/namespaces/shop/rolebindings"
    refused = await as_user("jane")("POST", path, binding)
    assert refused.status == 404 and '"later" not found' in refused.document["message"]
    right = {**bind, "resources": ["roles"], "resourceNames": ["later"], "verbs": ["bind"]}
    await grant("joe", bind, right)
    assert (await as_user("joe")("POST", path, binding)).status == 201


async def test_an_apply_that_creates_needs_the_right_to_create(as_user: Any, grant: Any) -> None:
    maps = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["patch"]}
    await grant("jane", maps)
    path = "/api/v1/namespaces/shop/configmaps/new?fieldManager=jane"
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "new"}}
    apply = "application/apply-patch+yaml"
    refused = await as_user("jane")("PATCH", path, config, Content_Type=apply)
    assert refused.status == 403
    assert 'cannot create resource "configmaps"' in refused.document["message"]
    await grant("joe", {**maps, "verbs": ["patch", "create"]})
    for code in (201, 200):
        applied = await as_user("joe")("PATCH", path, config, Content_Type=apply)
        assert applied.status == code
    assert (await as_user("jane")("PATCH", path, config, Content_Type=apply)).status == 200


async def test_who_may_list_one_name_selects_it(as_user: Any, grant: Any) -> None:
    maps = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["list"]}
    await grant("jane", {**maps, "resourceNames": ["mine"]})
    jane, path = as_user("jane"), "/api/v1/namespaces/shop/configmaps"
    assert (await jane("GET", path)).status == 403
    assert (await jane("GET", f"{path}?fieldSelector=metadata.name=mine")).status == 200
    assert (await jane("GET", f"{path}?fieldSelector=metadata.name=other")).status == 403


async def test_a_connection_that_is_gone_is_nobodys(registry: Registry, clock: Any) -> None:
    """Only one that is there can show that it is the local socket, the administrator's."""
    accounts = ServiceAccounts(registry.store, b"key", clock)
    gate = Gate(RoleBook(registry.store), accounts, {})
    request = make_mocked_request("GET", PODS)
    request.protocol.transport = None
    with pytest.raises(ConnectionError):
        gate.user_of(request)


ODD: tuple[Any, ...] = (5, "x", [5], [{}], [[]], {"a": 5}, {"a": {}}, True)
PODS_WANTED = {"verb": "get", "resource": "pods"}
ASKED = (
    f"{REVIEWS}/subjectaccessreviews",
    f"{REVIEWS}/selfsubjectaccessreviews",
    f"{REVIEWS}/selfsubjectrulesreviews",
    f"{REVIEWS}/namespaces/shop/localsubjectaccessreviews",
    "/apis/authentication.k8s.io/v1/tokenreviews",
    "/apis/authentication.k8s.io/v1/selfsubjectreviews",
    "/api/v1/namespaces/shop/serviceaccounts/robot/token",
)


@pytest.mark.parametrize("value", ODD, ids=repr)
async def test_odd_values_are_never_a_fault_of_the_server(client: Client, value: Any) -> None:
    robot = {"metadata": {"name": "robot"}}
    await client("POST", "/api/v1/namespaces/shop/serviceaccounts", robot)
    sane = {"user": "jane", "resourceAttributes": PODS_WANTED}
    more = ("boundObjectRef", "expirationSeconds", "resourceAttributes", "nonResourceAttributes")
    keys = ("user", "groups", "extra", "token", "audiences", "namespace", *more)
    specs = [value, *({**sane, key: value} for key in keys)]
    specs += [{**sane, "resourceAttributes": {**PODS_WANTED, key: value}} for key in PODS_WANTED]
    specs += [
        {"boundObjectRef": {"kind": "Pod", "name": value}},
        {"boundObjectRef": {"kind": value}},
    ]
    for path in ASKED:
        for body in (value, {"metadata": value}, *({"spec": spec} for spec in specs)):
            reply = await client("POST", path, body)
            assert reply.status in (201, 400, 404, 422), (path, body, reply)
