"""Revisions of templates."""

from typing import Any

from cluster.objects.resources import CONTROLLER_REVISIONS, DAEMON_SETS
from control.controllers.controller_revisions import (
    data_hash,
    forgotten,
    history_of,
    revision_data,
)
from control.controllers.view import Objects
from control.controllers.writes import Create, Delete, Patch


def owner(image: str = "a:1", **spec: Any) -> dict[str, Any]:
    template = {"metadata": {"labels": {"app": "x"}}, "spec": {"image": image, "a": [{"z": 1}]}}
    return {
        "metadata": {
            "name": "x",
            "namespace": "default",
            "uid": "x-uid",
            "annotations": {"kubernetes.io/change-cause": "because"},
        },
        "spec": {"selector": {"matchLabels": {"app": "x"}}, "template": template, **spec},
    }


def stored(made: Any, number: int) -> dict[str, Any]:
    metadata = {**made["metadata"], "uid": f"r{number}", "resourceVersion": str(number)}
    return {**made, "metadata": metadata, "revision": number}


def held(*owners: Any) -> Objects:
    """The revisions of these templates, one after the other."""
    objects = Objects()
    for number, each in enumerate(owners, 1):
        [made] = history_of(Objects(), each, DAEMON_SETS).writes
        assert isinstance(made, Create)
        objects.put(CONTROLLER_REVISIONS, stored(made.document, number))
    return objects


def test_a_new_template_is_a_revision() -> None:
    history = history_of(Objects(), owner(), DAEMON_SETS)
    [write] = history.writes
    assert isinstance(write, Create)
    made = write.document
    assert made["revision"] == 1
    assert made["metadata"]["name"] == history.update == f"x-{history.digest}"
    assert made["metadata"]["labels"]["app"] == "x"
    assert made["metadata"]["annotations"] == {"kubernetes.io/change-cause": "because"}
    assert made["data"]["spec"]["template"]["$patch"] == "replace"


def test_the_data_is_in_the_order_in_which_clients_compare_it() -> None:
    template = revision_data(owner())["spec"]["template"]
    assert list(template) == ["$patch", "metadata", "spec"]
    assert list(template["spec"]) == ["a", "image"]


def test_a_known_template_is_no_new_revision() -> None:
    assert history_of(held(owner()), owner(), DAEMON_SETS).writes == ()


def test_a_former_template_gets_the_highest_number() -> None:
    history = history_of(held(owner("a:1"), owner("a:2")), owner("a:1"), DAEMON_SETS)
    [write] = history.writes
    assert isinstance(write, Patch)
    assert write.changes == {"revision": 3}
    assert write.name == history.update


def test_the_template_of_a_revision_is_found_again() -> None:
    objects = held(owner("a:1"))
    history = history_of(objects, owner("a:2"), DAEMON_SETS)
    first = f"x-{data_hash(revision_data(owner('a:1')))}"
    present = owner("a:2")["spec"]["template"]
    assert history.knows(first)
    assert history.template(first, present) == owner("a:1")["spec"]["template"]
    assert history.template("x-unknown", present) == present


def test_idle_revisions_are_forgotten_from_the_oldest_on() -> None:
    many = [owner(f"a:{number}", revisionHistoryLimit=1) for number in range(5)]
    history = history_of(held(*many), many[-1], DAEMON_SETS)
    used = {f"x-{data_hash(revision_data(many[0]))}"}
    gone = [write.name for write in forgotten(history, many[-1], used) if type(write) is Delete]
    assert gone == [f"x-{data_hash(revision_data(each))}" for each in many[1:3]]
