"""The programme, and the choice among its scenarios."""

import pytest

from cluster.cli.demo.programme import SCENARIOS, chosen, listed
from cluster.errors import ConfigError


def numbers(text: str) -> list[int]:
    return [each.number for each in chosen(text)]


def test_there_are_ten_in_order() -> None:
    assert [each.number for each in SCENARIOS] == list(range(1, 11))
    assert len({each.title for each in SCENARIOS}) == 10


def test_every_lesson_is_a_few_sentences() -> None:
    for each in SCENARIOS:
        assert 2 <= each.lesson.count(".") <= 5 and len(" ".join(each.lesson.split())) <= 320


def test_all_are_played_unless_some_are_chosen() -> None:
    assert numbers("") == list(range(1, 11))


@pytest.mark.parametrize(
    ("text", "expected"),
    [("3", [3]), ("3,7", [3, 7]), ("9,1", [1, 9]), ("7-9, 2", [2, 7, 8, 9]), ("3,3-4", [3, 4])],
)
def test_numbers_and_ranges_choose_in_the_programmes_order(text: str, expected: list[int]) -> None:
    assert numbers(text) == expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("11", "there is no scenario 11"),
        ("0,99", "there is no scenario 0, 99"),
        ("three", "'three' is neither a number nor a range"),
        ("3-", "'3-' is neither"),
        ("3,,4", "'' is neither"),
    ],
)
def test_what_cannot_be_chosen_is_named(text: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        chosen(text)


def test_the_list_has_a_line_for_each() -> None:
    lines = listed().split("\n")
    assert len(lines) == 10 and lines[9] == " 10  What fails, comes back or is replaced"
