"""The collector still finds cycles, and lets what stands alone."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from control.collector import YOUNG, leave_alone, look_seldom


class Node:
    """Something that may hold itself."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


def test_cycles_are_found_when_there_is_enough_new() -> None:
    gc.collect()
    look_seldom()
    made = weakref.ref(Node())
    assert made() is not None
    kept: list[list[int]] = [[] for _ in range(2 * YOUNG)]
    assert made() is None and len(kept) == 2 * YOUNG


def test_what_stands_is_looked_at_no_more() -> None:
    gc.collect()
    made = weakref.ref(Node())
    leave_alone()
    gc.collect()
    assert made() is not None
    gc.unfreeze()
    gc.collect()
    assert made() is None
