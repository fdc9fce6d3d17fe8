"""ClusterRoles made of others."""

from typing import Any

from cluster.objects.resources import CLUSTER_ROLES
from control.controllers.cluster_role_aggregation import controller, reconcile
from control.controllers.view import Key, Objects, View
from control.controllers.writes import Patch

LABEL = "example.com/part-of"


def role(name: str, verb: str = "", part_of: str = "", **more: Any) -> dict[str, Any]:
    labels = {LABEL: part_of} if part_of else {}
    rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": [verb]}] if verb else []
    metadata = {"name": name, "uid": name, "resourceVersion": "1", "labels": labels}
    return {"kind": "ClusterRole", "metadata": metadata, "rules": rules, **more}


def made_of(name: str, part: str) -> dict[str, Any]:
    selector = {"matchLabels": {LABEL: part}}
    return role(name, aggregationRule={"clusterRoleSelectors": [selector]})


def view_of(*roles: dict[str, Any]) -> View:
    objects = Objects()
    for each in roles:
        objects.put(CLUSTER_ROLES, each)
    return View(objects=objects, now=0.0, monotonic=0.0)


def test_a_role_gets_the_rules_of_those_that_it_chooses() -> None:
    one, two, other = role("b", "get", "x"), role("a", "list", "x"), role("c", "watch", "y")
    view = view_of(made_of("all", "x"), one, two, other)
    [patch] = reconcile(view, Key(CLUSTER_ROLES, "", "all"))
    assert isinstance(patch, Patch)
    assert patch.changes["rules"] == [*two["rules"], *one["rules"]]


def test_what_is_as_it_should_be_is_left() -> None:
    one = role("a", "get", "x")
    whole = {**made_of("all", "x"), "rules": one["rules"]}
    assert reconcile(view_of(whole, one), Key(CLUSTER_ROLES, "", "all")) == ()
    assert reconcile(view_of(one), Key(CLUSTER_ROLES, "", "a")) == ()


def test_a_part_concerns_what_it_is_or_was_a_part_of() -> None:
    keys_of = controller().watches[CLUSTER_ROLES]
    objects = view_of(made_of("xs", "x"), made_of("ys", "y"), role("a", "get", "x")).objects
    moved = list(keys_of(objects, role("a", "get", "x"), role("a", "get", "y")))
    assert {key.name for key in moved} == {"xs", "ys"}
    assert [key.name for key in keys_of(objects, None, role("a", "get", "z"))] == []
    assert [key.name for key in keys_of(objects, None, made_of("xs", "x"))] == ["xs"]
