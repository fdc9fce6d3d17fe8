"""The fields of a value, and what differs."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from control.resources.apply.compare import all_of, compare, fields_of
from control.resources.apply.field_set import SELF, paths
from tests.control.resources.apply.schemas import CONFIG_MAP, POD

CONTAINER = {"name": "web", "image": "echo", "ports": [{"containerPort": 80}]}
BOX = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [CONTAINER], "tolerations": []}}
WEB = 'k:{"name":"web"}'


def test_a_configuration_is_leaves_and_items() -> None:
    assert fields_of(POD, BOX) == {
        "f:metadata": {"f:labels": {"f:a": {}}},
        "f:spec": {
            "f:containers": {
                WEB: {
                    SELF: {},
                    "f:name": {},
                    "f:image": {},
                    "f:ports": {
                        'k:{"containerPort":80,"protocol":"TCP"}': {
                            SELF: {},
                            "f:containerPort": {},
                        }
                    },
                }
            },
            "f:tolerations": {},
        },
    }


def test_what_comes_as_a_whole_has_its_maps_too() -> None:
    made = all_of(POD, BOX)
    assert made["f:metadata"]["f:labels"] == {SELF: {}, "f:a": {}}
    assert SELF in made["f:spec"]["f:containers"]
    twins = {"spec": {"containers": [CONTAINER, CONTAINER]}}
    assert all_of(POD, twins) == {"f:spec": {"f:containers": {}}}


def test_a_difference_is_what_was_set_and_what_went() -> None:
    other = {**CONTAINER, "image": "echo:2", "env": [{"name": "A", "value": "1"}]}
    del other["ports"]
    new = {"metadata": {}, "spec": {"containers": [other]}}
    made = compare(POD, BOX, new)
    assert set(paths(made.changed)) == {
        ("f:spec", "f:containers", WEB, "f:image"),
        ("f:spec", "f:containers", WEB, "f:env"),
        ("f:spec", "f:containers", WEB, "f:env", 'k:{"name":"A"}'),
        ("f:spec", "f:containers", WEB, "f:env", 'k:{"name":"A"}', "f:name"),
        ("f:spec", "f:containers", WEB, "f:env", 'k:{"name":"A"}', "f:value"),
    }
    gone = set(paths(made.removed))
    assert ("f:metadata", "f:labels", "f:a") in gone
    assert ("f:spec", "f:containers", WEB, "f:ports") in gone
    assert compare(POD, BOX, BOX).changed is None


DATA = st.dictionaries(st.sampled_from("abc"), st.sampled_from("xy"), max_size=3)


@given(DATA, DATA)
def test_a_maps_difference_is_that_of_its_keys(old: Any, new: Any) -> None:
    made = compare(CONFIG_MAP, {"data": old}, {"data": new})
    changed = {path[1] for path in paths(made.changed) if len(path) == 2}
    removed = {path[1] for path in paths(made.removed) if len(path) == 2}
    assert changed == {f"f:{key}" for key in new if old.get(key) != new[key]}
    assert removed == {f"f:{key}" for key in old if key not in new}
