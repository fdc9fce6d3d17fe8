"""Modes, times and sizes as ls shows them."""

import pytest

from node_agent.workloads.tools.modes import changed, mode_text, size_text, time_text
from node_agent.workloads.tools.options import UsageError


@pytest.mark.parametrize(
    ("mode", "text", "after"),
    [
        (0o644, "755", 0o755),
        (0o644, "u+x", 0o744),
        (0o777, "go-w", 0o755),
        (0o000, "a=r", 0o444),
        (0o644, "+x", 0o755),
        (0o600, "u=rw,g=r,o=", 0o640),
        (0o644, "a+X", 0o644),
        (0o744, "a+X", 0o755),
        (0o755, "u-x+w", 0o655),
        (0o777, "+t", 0o1777),
    ],
)
def test_changing(mode, text, after):
    assert changed(mode, text) == after


def test_a_directory_may_be_entered_by_x():
    assert changed(0o644, "a+X", directory=True) == 0o755


@pytest.mark.parametrize("text", ["", "z", "u+q", "99", "u", "77777"])
def test_what_is_no_mode(text):
    with pytest.raises(UsageError, match="invalid mode"):
        changed(0o644, text)


def test_texts():
    assert mode_text(0o100644) == "-rw-r--r--"
    assert mode_text(0o041777) == "drwxrwxrwt"
    assert time_text(1_700_000_000, 1_700_000_060) == "Nov 14 22:13"
    assert time_text(1_700_000_000, 1_800_000_000) == "Nov 14  2023"
    assert [size_text(each) for each in (5, 1023, 1024, 1536, 20_000_000)] == [
        "5",
        "1023",
        "1.0K",
        "1.5K",
        "19M",
    ]
