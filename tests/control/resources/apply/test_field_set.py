"""Sets of fields: a tree that is a set of paths."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from control.resources.apply.field_set import (
    SELF,
    at,
    difference,
    intersection,
    member,
    paths,
    union,
    with_ancestors,
    without_fields,
)

KEYS = st.sampled_from(["f:a", "f:b", 'k:{"name":"x"}', 'v:"s"'])
PATHS = st.sets(st.lists(KEYS, min_size=1, max_size=3).map(tuple), max_size=6)


def tree(members: Any) -> Any:
    """The set of these paths, made path by path."""
    made: Any = None
    for path in members:
        one: Any = {}
        for key in reversed(path):
            one = {key: one}
        made = union(made, one)
    return made


def test_a_place_may_be_a_member_with_members_inside() -> None:
    fields = tree([("f:a",), ("f:a", "f:b")])
    assert fields == {"f:a": {SELF: {}, "f:b": {}}}
    assert paths(fields) == [("f:a",), ("f:a", "f:b")]
    assert member(fields["f:a"]) and not member(fields)
    assert not member(None) and member({})


@given(PATHS)
def test_a_tree_holds_its_paths(members: Any) -> None:
    assert set(paths(tree(members))) == members


@given(PATHS, PATHS)
def test_operations_are_those_of_sets(one: Any, other: Any) -> None:
    first, second = tree(one), tree(other)
    assert set(paths(union(first, second))) == one | other
    assert set(paths(difference(first, second))) == one - other
    assert set(paths(intersection(first, second))) == one & other


@given(PATHS)
def test_named_fields_above_a_member_become_members_items_do_not(members: Any) -> None:
    closed = set(paths(with_ancestors(tree(members))))
    above = {
        path[:length]
        for path in members
        for length in range(1, len(path))
        if path[length - 1].startswith("f:")
    }
    assert closed == members | above


@given(PATHS.filter(bool), st.sets(KEYS))
def test_branches_can_be_cut(members: Any, names: Any) -> None:
    left = {each for each in members if each[0] not in names}
    assert set(paths(without_fields(tree(members), names))) == left


@given(PATHS, st.lists(KEYS, min_size=1, max_size=2).map(tuple))
def test_a_branch_can_be_looked_at(members: Any, path: Any) -> None:
    inside = {each for each in members if each[: len(path)] == path}
    assert set(paths(at(tree(members), path))) == inside
