"""A configuration over an object, and what is taken away again."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.resources.apply.field_set import SELF
from control.resources.apply.merge import merged, removed
from control.resources.apply.typed import Unmergeable
from tests.control.resources.apply.schemas import CONFIG_MAP, POD


def containers(*names: str, **more: Any) -> dict[str, Any]:
    return {"spec": {"containers": [{"name": name, **more} for name in names]}}


def names(document: Any) -> list[str]:
    return [each["name"] for each in document["spec"]["containers"]]


def test_items_are_merged_by_their_keys() -> None:
    live = containers("web", image="echo")
    made = merged(POD, live, {"spec": {"containers": [{"name": "web", "tty": True}]}})
    assert made == containers("web", image="echo", tty=True)
    assert live == containers("web", image="echo")  # unchanged


@pytest.mark.parametrize(
    ("live", "config", "order"),
    [
        ("abc", "ca", "cab"),
        ("abc", "", "abc"),
        ("ab", "xb", "axb"),
        ("ab", "bx", "abx"),
        ("", "xy", "xy"),
    ],
)
def test_the_configurations_order_wins_and_others_keep_their_place(
    live: str, config: str, order: str
) -> None:
    made = merged(POD, containers(*live), containers(*config))
    assert sorted(names(made)) == sorted(order)
    wanted = [name for name in names(made) if name in config]
    assert wanted == list(config)


def test_what_is_one_value_is_replaced() -> None:
    live = {"spec": {"tolerations": [{"key": "a"}], "nodeSelector": {"x": "1"}}}
    made = merged(POD, live, {"spec": {"tolerations": [{"key": "b"}], "nodeSelector": {"y": "2"}}})
    assert made["spec"]["tolerations"] == [{"key": "b"}]
    assert made["spec"]["nodeSelector"] == {"y": "2"}  # atomic


def test_twins_in_a_configuration_are_refused_in_an_object_replaced() -> None:
    with pytest.raises(Unmergeable):
        merged(POD, containers("a"), containers("b", "b"))
    assert names(merged(POD, containers("a", "a"), containers("b"))) == ["b"]


def test_members_go_with_what_is_in_them() -> None:
    live = {"metadata": {"labels": {"a": "1", "b": "2"}}, **containers("x", "y", image="echo")}
    fields = {
        "f:metadata": {"f:labels": {"f:a": {}}},
        "f:spec": {"f:containers": {'k:{"name":"x"}': {SELF: {}, "f:name": {}}}},
    }
    made = removed(POD, live, fields)
    assert made["metadata"]["labels"] == {"b": "2"}
    assert names(made) == ["y"]
    inside = {"f:spec": {"f:containers": {'k:{"name":"y"}': {"f:image": {}}}}}
    assert made["spec"]["containers"][0]["image"] == "echo"
    assert "image" not in removed(POD, made, inside)["spec"]["containers"][0]
    assert removed(POD, live, None) == live


DATA = st.dictionaries(st.sampled_from("abc"), st.sampled_from("xy"), max_size=3)


@given(DATA, DATA)
def test_a_map_is_updated(live: Any, config: Any) -> None:
    made = merged(CONFIG_MAP, {"data": live}, {"data": config})
    assert made["data"] == {**live, **config}
    assert merged(CONFIG_MAP, made, {"data": config}) == made  # once is as good as twice
