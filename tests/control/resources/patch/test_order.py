"""The order of a merged list's items."""

from hypothesis import given
from hypothesis import strategies as st

from control.resources.patch.order import ordered


def test_wanted_items_stand_in_the_wanted_order() -> None:
    assert ordered(["a", "b", "c"], ["c", "a"], ["a", "b", "c"], "") == ["b", "c", "a"]


def test_an_item_that_only_the_server_has_keeps_its_place() -> None:
    assert ordered(["a", "x", "b"], ["a", "b"], ["a", "x", "b"], "") == ["a", "x", "b"]


def test_items_of_maps_go_by_their_key() -> None:
    live = [{"n": "a"}, {"n": "b"}]
    items = [{"n": "a", "v": 1}, {"n": "b"}, {"n": "c"}]
    assert [each["n"] for each in ordered(items, [{"n": "c"}, {"n": "a"}], live, "n")] == [
        "c",
        "a",
        "b",
    ]


NAMES = st.lists(st.sampled_from("abcdef"), unique=True)


@given(NAMES, NAMES)
def test_no_item_is_lost_and_both_keep_their_own_order(wanted: list[str], live: list[str]) -> None:
    items = [*live, *(each for each in wanted if each not in live)]
    result = ordered(items, wanted, live, "")
    assert sorted(result) == sorted(items)
    assert [each for each in result if each in wanted] == wanted
    theirs = [each for each in live if each not in wanted]
    assert [each for each in result if each not in wanted] == theirs
