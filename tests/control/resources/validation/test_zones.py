"""Which time zones are known."""

import pytest

from control.resources.validation.zones import known_zone


def test_a_zone_is_known_by_its_name() -> None:
    assert known_zone("Etc/UTC")


@pytest.mark.parametrize("name", ["Mars/Olympus", "../passwd", "America", "a\0b", "x" * 200])
def test_what_is_no_zone(name: str) -> None:
    assert not known_zone(name)
