"""Lists whose items have keys, below each other, whoever applies and updates them in any order."""

from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from control.resources.apply import tracking
from control.resources.apply.apply import Applied, apply
from control.resources.apply.field_set import paths
from control.resources.apply.managers import UPDATE, Manager, Managers
from control.resources.apply.typed import KEYED, items_of
from tests.control.resources.apply.schemas import POD, place

VALUES = st.sampled_from("12")
ENV = st.dictionaries(st.sampled_from("AB"), VALUES, max_size=2)
CONTAINERS = st.dictionaries(st.sampled_from(["web", "side"]), st.tuples(VALUES, ENV), max_size=2)
NAMES = st.sampled_from(["one", "two"])
STEPS = st.lists(st.tuples(st.sampled_from(["apply", "force", "update"]), NAMES, CONTAINERS))
LIST = place(POD, "spec", "containers")
EMPTY = {"metadata": {"name": "web"}}


def pod(containers: dict[str, tuple[str, dict[str, str]]]) -> dict[str, Any]:
    items = []
    for name, (image, env) in containers.items():
        item: dict[str, Any] = {"name": name, "image": image}
        if env:
            item["env"] = [{"name": key, "value": value} for key, value in env.items()]
        items.append(item)
    return {**EMPTY, "spec": {"containers": items}} if items else dict(EMPTY)


def values(document: Any) -> dict[tuple[str, ...], str]:
    """What a pod says, by path: its images and variables."""
    said = {}
    for container in document.get("spec", {}).get("containers", ()):
        if "image" in container:
            said[container["name"], "image"] = container["image"]
        for each in container.get("env", ()):
            if "value" in each:
                said[container["name"], each["name"]] = each["value"]
    return said


def try_apply(document: Any, managers: Managers, name: str, config: Any, *, force: bool) -> Applied:
    writer = Manager(name, UPDATE, "v1", None, "now")
    entry = tracking.applied(POD, config, writer, status_apart=True)
    return apply(POD, document, config, managers, entry, force=force, status_apart=True)


def history(steps: Any) -> Iterator[tuple[str, str, Any, Any, Managers, Any, Managers]]:
    """Each step with the state before and after; conflicts leave the state as it was."""
    document, managers = dict(EMPTY), ()
    for what, name, containers in steps:
        wanted, before, owners = pod(containers), document, managers
        if what == "update":
            writer = Manager(name, UPDATE, "v1", None, "now")
            managers = tracking.updated(POD, document, wanted, managers, writer, status_apart=True)
            document = wanted
        else:
            made = try_apply(document, managers, name, wanted, force=what == "force")
            if not made.conflicts:
                document, managers = made.document, made.managers
            elif what == "force":
                raise AssertionError("force knows no conflicts")
            else:
                yield "conflict", name, wanted, before, owners, document, managers
                continue
        yield what, name, wanted, before, owners, document, managers


def owned(managers: Managers, *, but: str = "") -> set[tuple[str, ...]]:
    return {path for each in managers if each.name != but for path in paths(each.fields)}


def items(document: Any) -> set[str]:
    held = document.get("spec", {}).get("containers", [])
    return {each.key for each in items_of(LIST, held, KEYED, "")}


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_what_is_applied_is_there_and_a_conflict_changes_nothing(steps: Any) -> None:
    for what, _, wanted, before, owners, document, managers in history(steps):
        if what == "conflict":
            assert document == before and managers == owners
        else:
            assert values(wanted).items() <= values(document).items()


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_no_item_vanishes_that_another_wants(steps: Any) -> None:
    for what, name, _, before, owners, document, _ in history(steps):
        if what in ("apply", "force"):
            gone = items(before) - items(document)
            theirs = {path[-1] for path in owned(owners, but=name) if path[-1].startswith("k:")}
            assert not gone & theirs


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_nobody_owns_an_item_that_is_not_there(steps: Any) -> None:
    for *_, document, managers in history(steps):
        containers = {path[2] for path in owned(managers) if len(path) > 2 and path[0] == "f:spec"}
        assert containers <= items(document)


@settings(max_examples=150, deadline=None)
@given(STEPS, NAMES, CONTAINERS)
def test_to_apply_again_changes_nothing(steps: Any, name: str, containers: Any) -> None:
    *_, document, managers = [(dict(EMPTY), ()), *history(steps)][-1]
    once = try_apply(document, managers, name, pod(containers), force=True)
    again = try_apply(once.document, once.managers, name, pod(containers), force=False)
    assert not again.conflicts and again.document == once.document
    assert sorted(map(str, again.managers)) == sorted(map(str, once.managers))


@settings(max_examples=150, deadline=None)
@given(CONTAINERS, CONTAINERS)
def test_to_apply_nothing_takes_back_what_nobody_else_wants(mine: Any, theirs: Any) -> None:
    first = try_apply(dict(EMPTY), (), "they", pod(theirs), force=False)
    second = try_apply(first.document, first.managers, "me", pod(mine), force=True)
    last = try_apply(second.document, second.managers, "me", dict(EMPTY), force=False)
    kept = values(pod(theirs))
    changed = {key for key, value in values(pod(mine)).items() if kept.get(key, value) != value}
    assert values(last.document) == {k: v for k, v in kept.items() if k not in changed}
