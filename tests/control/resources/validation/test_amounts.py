"""Amounts compared."""

import pytest

from control.resources.validation.amounts import greater


@pytest.mark.parametrize(
    ("less", "more"),
    [("500m", "1"), ("999Mi", "1Gi"), ("1G", "1Gi"), ("1", "1k"), ("1n", "1u"), ("1e3", "1001")],
)
def test_more_is_more(less: str, more: str) -> None:
    assert greater(more, less)
    assert not greater(less, more)


@pytest.mark.parametrize(("one", "other"), [("1", "1000m"), ("1Gi", "1024Mi"), (1, "1"), ("x", 1)])
def test_the_same_and_what_is_no_amount_are_not_more(one: object, other: object) -> None:
    assert not greater(one, other)
    assert not greater(other, one)
