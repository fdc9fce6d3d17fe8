"""Applying: the cases that people rely on, and what holds for any of them."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from control.resources.apply import tracking
from control.resources.apply.apply import Applied, apply
from control.resources.apply.conflicts import spelled
from control.resources.apply.field_set import paths
from control.resources.apply.managers import UPDATE, Manager, Managers
from control.resources.schema import Node
from tests.control.resources.apply.schemas import CONFIG_MAP, DEPLOYMENT

LABELS = {"app": "web"}


class World:
    """One object and its managers."""

    def __init__(self, node: Node, document: Any | None = None) -> None:
        self.node = node
        self.document: Any = document or {"metadata": {"name": "web"}}
        self.managers: Managers = ()

    def apply(self, name: str, config: Any, *, force: bool = False) -> Applied:
        entry = tracking.applied(self.node, config, _writer(name), status_apart=True)
        made = apply(
            self.node, self.document, config, self.managers, entry, force=force, status_apart=True
        )
        if not made.conflicts or force:
            self.document, self.managers = made.document, made.managers
        return made

    def update(self, name: str, document: Any) -> None:
        self.managers = tracking.updated(
            self.node, self.document, document, self.managers, _writer(name), status_apart=True
        )
        self.document = document

    def owned(self, name: str) -> set[str]:
        return {
            spelled(path)
            for each in self.managers
            if each.name == name
            for path in paths(each.fields)
        }


def _writer(name: str) -> Manager:
    return Manager(name, UPDATE, "v1", None, "now")


def conflicts(made: Applied) -> dict[str, list[str]]:
    return {each.name: [spelled(path) for path in paths(fields)] for each, fields in made.conflicts}


def data(**values: str) -> dict[str, Any]:
    return {"data": values}


def deployment(*containers: Any, **spec: Any) -> dict[str, Any]:
    template = {"metadata": {"labels": LABELS}, "spec": {"containers": list(containers)}}
    return {"spec": {**spec, "selector": {"matchLabels": LABELS}, "template": template}}


def test_two_who_want_the_same_share_it_and_the_last_takes_it_along() -> None:
    world = World(CONFIG_MAP)
    world.apply("one", data(a="1"))
    assert not world.apply("two", data(a="1")).conflicts
    world.apply("one", {})
    assert world.document["data"] == {"a": "1"}
    world.apply("two", {})
    assert "data" not in world.document and world.document["metadata"] == {"name": "web"}


def test_what_is_left_out_goes() -> None:
    world = World(CONFIG_MAP)
    world.apply("me", data(a="1", b="2"))
    world.apply("me", data(b="2"))
    assert world.document["data"] == {"b": "2"}
    assert world.owned("me") == {".data.b"}


def test_another_value_is_a_conflict_and_force_takes_it() -> None:
    world = World(CONFIG_MAP)
    world.apply("one", data(a="1", b="1"))
    assert conflicts(world.apply("two", data(a="2"))) == {"one": [".data.a"]}
    assert world.document["data"]["a"] == "1"
    world.apply("two", data(a="2"), force=True)
    assert world.document["data"] == {"a": "2", "b": "1"}
    assert world.owned("one") == {".data.b"} and world.owned("two") == {".data.a"}


def test_who_scales_keeps_the_number_when_the_applier_lets_go() -> None:
    world = World(DEPLOYMENT)
    world.apply("me", deployment({"name": "web", "image": "echo"}, replicas=1))
    scaled = {**world.document, "spec": {**world.document["spec"], "replicas": 5}}
    world.update("scaler", scaled)
    again = world.apply("me", deployment({"name": "web", "image": "echo"}, replicas=1))
    assert conflicts(again) == {"scaler": [".spec.replicas"]}
    assert not world.apply("me", deployment({"name": "web", "image": "echo"})).conflicts
    assert world.document["spec"]["replicas"] == 5


def test_an_item_lives_as_long_as_somebody_wants_the_item() -> None:
    world = World(DEPLOYMENT)
    world.apply("me", deployment({"name": "web", "image": "echo"}, {"name": "side", "image": "s"}))
    touched = deployment(
        {"name": "web", "image": "echo"}, {"name": "side", "image": "s", "tty": True}
    )
    world.update("other", {**world.document, **touched})
    world.apply("me", deployment({"name": "web", "image": "echo"}))
    containers = world.document["spec"]["template"]["spec"]["containers"]
    assert [each["name"] for each in containers] == ["web"]
    assert world.owned("other") == set()


def test_a_field_of_an_item_goes_alone() -> None:
    world = World(DEPLOYMENT)
    env = [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]
    world.apply("me", deployment({"name": "web", "image": "echo", "env": env}))
    world.apply("me", deployment({"name": "web", "image": "echo", "env": env[1:]}))
    (web,) = world.document["spec"]["template"]["spec"]["containers"]
    assert web["env"] == env[1:]
    world.apply("me", deployment({"name": "web", "image": "echo"}))
    (web,) = world.document["spec"]["template"]["spec"]["containers"]
    assert web == {"name": "web", "image": "echo"}


def test_a_ports_key_has_its_default() -> None:
    world = World(DEPLOYMENT)
    port = {"containerPort": 80, "protocol": "TCP", "name": "http"}
    world.update("me", {**world.document, **deployment({"name": "web", "ports": [port]})})
    named = {"containerPort": 80, "name": "web"}
    made = world.apply("you", deployment({"name": "web", "ports": [named]}))
    assert list(conflicts(made)) == ["me"]
    world.apply("you", deployment({"name": "web", "ports": [named]}), force=True)
    (web,) = world.document["spec"]["template"]["spec"]["containers"]
    assert web["ports"] == [{**port, "name": "web"}]


def test_what_is_one_value_has_one_owner() -> None:
    world = World(DEPLOYMENT)
    world.apply("me", {"spec": {"selector": {"matchLabels": {"a": "1"}}}})
    assert world.owned("me") == {".spec.selector"}
    made = world.apply("you", {"spec": {"selector": {"matchLabels": {"b": "2"}}}})
    assert conflicts(made) == {"me": [".spec.selector"]}


# -- whatever is done, in whatever order

VALUES = st.dictionaries(st.sampled_from("abc"), st.sampled_from("12"), max_size=3)
NAMES = st.sampled_from(["one", "two", "three"])
STEPS = st.lists(
    st.tuples(st.sampled_from(["apply", "force", "update"]), NAMES, VALUES), max_size=12
)


@settings(max_examples=200)
@given(STEPS)
def test_no_owned_field_vanishes_and_owners_are_of_fields_that_are_there(steps: Any) -> None:
    world = World(CONFIG_MAP)
    for what, name, values in steps:
        before, owners = dict(world.document.get("data", {})), world.managers
        if what == "update":
            world.update(name, {**world.document, "data": values})
            assert world.document["data"] == values
        else:
            made = world.apply(name, {"data": values}, force=what == "force")
            if made.conflicts and what != "force":
                assert world.document.get("data", {}) == before and world.managers == owners
                continue
            now = world.document.get("data", {})
            assert {**now, **values} == now  # what was applied is there
            for each in owners:
                theirs = {path[1] for path in paths(each.fields) if len(path) == 2}
                gone = {f"f:{key}" for key in before} - {f"f:{key}" for key in now}
                assert each.name == name or not theirs & gone
        there = {f"f:{key}" for key in world.document.get("data", {})}
        for each in world.managers:
            assert {path[1] for path in paths(each.fields) if len(path) == 2} <= there


@given(STEPS, NAMES, VALUES)
def test_to_apply_the_same_again_changes_nothing(steps: Any, name: str, values: Any) -> None:
    world = World(CONFIG_MAP)
    for what, who, given_ in steps:
        if what == "update":
            world.update(who, {**world.document, "data": given_})
        else:
            world.apply(who, {"data": given_}, force=True)
    world.apply(name, {"data": values}, force=True)
    document, managers = world.document, set(map(str, world.managers))
    again = world.apply(name, {"data": values})
    assert not again.conflicts
    assert world.document == document and set(map(str, world.managers)) == managers


@given(VALUES, VALUES)
def test_to_apply_nothing_undoes_an_apply(live: Any, values: Any) -> None:
    world = World(CONFIG_MAP)
    world.update("other", {**world.document, "data": live})
    world.apply("me", {"data": values}, force=True)
    world.apply("me", {})
    mine = {key for key, value in values.items() if live.get(key) != value}
    assert world.document.get("data", {}) == {k: v for k, v in live.items() if k not in mine}


@pytest.mark.parametrize("force", [True, False])
def test_lists_without_order_keep_both(force: bool) -> None:
    world = World(CONFIG_MAP)
    world.apply("one", {"metadata": {"finalizers": ["a"]}})
    assert not world.apply("two", {"metadata": {"finalizers": ["b"]}}, force=force).conflicts
    assert sorted(world.document["metadata"]["finalizers"]) == ["a", "b"]
    world.apply("one", {"metadata": {"finalizers": []}})
    assert world.document["metadata"]["finalizers"] == ["b"]
