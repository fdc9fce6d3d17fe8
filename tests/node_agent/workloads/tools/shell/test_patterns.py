"""Patterns of file names, case and ${x#...}."""

import fnmatch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node_agent.workloads.tools.shell import patterns


@pytest.mark.parametrize(
    ("pattern", "text", "claim"),
    [
        ("*.txt", "a.txt", True),
        ("*.txt", "a.txtx", False),
        ("?", "a", True),
        ("?", "ab", False),
        ("[a-c]x", "bx", True),
        ("[!a-c]x", "bx", False),
        ("[^a-c]x", "dx", True),
        ("[]]", "]", True),
        ("[[:digit:]]*", "1a", True),
        ("[[:upper:][:digit:]]", "Q", True),
        ("\\*", "*", True),
        ("\\*", "a", False),
        ("[", "[", True),
        ("a[", "a[", True),
        ("*", "", True),
        ("a*b*c", "aXbYc", True),
        ("a.b", "axb", False),
        ("*", "x\ny", True),
    ],
)
def test_matching(pattern, text, claim):
    assert patterns.matches(pattern, text) is claim


@given(st.text(alphabet="ab*?", max_size=8), st.text(alphabet="ab", max_size=8))
def test_stars_and_marks_match_as_fnmatch_has_it(pattern, text):
    assert patterns.matches(pattern, text) is fnmatch.fnmatchcase(text, pattern)


@given(st.text(max_size=10))
def test_a_literal_matches_itself_alone(text):
    assert patterns.matches(patterns.literal(text), text)
    assert not patterns.is_pattern(patterns.literal(text))
    assert patterns.plain(patterns.literal(text)) == text


def test_many_stars_are_not_slow():
    assert not patterns.matches("*" * 200 + "b", "a" * 2000)


def test_prefixes_suffixes_and_replacement():
    assert patterns.without_prefix("a/b/c", "*/", longest=False) == "b/c"
    assert patterns.without_prefix("a/b/c", "*/", longest=True) == "c"
    assert patterns.without_suffix("a.b.c", ".*", longest=False) == "a.b"
    assert patterns.without_suffix("a.b.c", ".*", longest=True) == "a"
    assert patterns.replaced("abab", "a", "x", everywhere=False) == "xbab"
    assert patterns.replaced("abab", "a", "x", everywhere=True) == "xbxb"
    assert patterns.replaced("abab", "%b", "x", everywhere=False) == "abax"
