"""Regular expressions as Go reads them."""

import pytest

from control.resources.custom.patterns import PatternFault, compiled


@pytest.mark.parametrize(
    ("pattern", "fits", "fails"),
    [
        ("^a$", "a", "a\n"),
        (r"^a\z", "a", "a\n"),
        ("b", "abc", "xyz"),
        ("^[[:alpha:]]+$", "Abc", "a1"),
        ("^[a[:digit:]$]+$", "a1$", "b"),
        ("^[]a]$", "]", "b"),
        (r"^\$$", "$", "a"),
        (r"^\d+$", "12", "٣"),
    ],
)
def test_a_pattern_means_what_it_means_to_go(pattern: str, fits: str, fails: str) -> None:
    assert compiled(pattern).search(fits)
    assert not compiled(pattern).search(fails)


@pytest.mark.parametrize("pattern", ["(", "[a", "*", r"\pL+", "(?Pa)", "a{2,1}", "(" * 500])
def test_what_cannot_be_used_is_a_fault(pattern: str) -> None:
    with pytest.raises(PatternFault):
        compiled(pattern)
