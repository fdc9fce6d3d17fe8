"""POSIX expressions in Python's spelling."""

import pytest

from node_agent.workloads.tools.options import UsageError
from node_agent.workloads.tools.regular import compiled


@pytest.mark.parametrize(
    ("pattern", "extended", "text", "found"),
    [
        ("a+b", False, "a+b", "a+b"),
        ("a+b", True, "aab", "aab"),
        (r"a\+b", False, "aab", "aab"),
        (r"\(ab\)\1", False, "abab", "abab"),
        ("(ab)\\1", True, "abab", "abab"),
        ("a{2}", False, "a{2}", "a{2}"),
        (r"a\{2\}", False, "aaa", "aa"),
        ("*a", False, "*a", "*a"),
        ("a^b$c", False, "a^b$c", "a^b$c"),
        ("[[:digit:]]+", True, "x12", "12"),
        ("[^a-c]", False, "abcd", "d"),
        ("[]x]", False, "]", "]"),
        (r"[\.]", False, "\\", "\\"),
        (r"\bfoo\b", True, "a foo b", "foo"),
        (r"\<foo\>", True, "a foo b", "foo"),
        ("a|b", False, "a|b", "a|b"),
        (r"a\|b", False, "b", "b"),
        (r"x\.y", True, "x.y", "x.y"),
        ("{", True, "{", "{"),
    ],
)
def test_what_is_found(pattern, extended, text, found):
    match = compiled(pattern, extended=extended).search(text)
    assert match is not None and match[0] == found


@pytest.mark.parametrize("pattern", ["[", "(", "a**(", r"\("])
def test_what_is_no_expression(pattern):
    with pytest.raises(UsageError) as error:
        compiled(pattern, extended=not pattern.startswith("\\"))
    assert error.value.code == 2
