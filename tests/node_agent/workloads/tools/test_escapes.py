"""Backslash escapes."""

import pytest

from node_agent.workloads.tools.escapes import Stop, unescaped


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        (r"a\tb\n", "a\tb\n"),
        (r"\x41\102\0103", "ABC"),
        (r"\\n", "\\n"),
        (r"\q", "\\q"),
        ("\\", "\\"),
        (r"\u00fc", "ü"),
        (r"\xc3\xbc", "\udcc3\udcbc"),
        (r"\e[0m", "\x1b[0m"),
    ],
)
def test_what_they_mean(text, plain):
    assert unescaped(text) == plain


def test_c_stops():
    with pytest.raises(Stop, match=r"^a\t$"):
        unescaped(r"a\t\cb", stops=True)
    assert unescaped(r"a\cb") == r"a\cb"
