"""Lines of styled text."""

from cluster.trace.spans import Line, Style, hanging, length, paint, two_sided, wrapped

LINE: Line = (("● ", Style.PLACE), ("node-1", Style.BOLD), ("  ", Style.DIM))


def test_colour_is_added_last_and_never_to_blanks() -> None:
    assert paint(LINE, colour=False) == "● node-1"
    assert paint(LINE, colour=True) == "\x1b[36m● \x1b[0m\x1b[1mnode-1\x1b[0m"
    assert paint((), colour=True) == ""
    assert length(LINE) == 10


def test_two_sides_share_a_line_if_both_fit() -> None:
    left, right = (("left", Style.PLAIN),), (("right", Style.PLAIN),)
    (line,) = two_sided(left, right, 20)
    assert paint(line, colour=False) == "left           right"
    assert [paint(each, colour=False) for each in two_sided(left, right, 10)] == ["left", "  right"]


def test_a_text_hangs_behind_its_prefix() -> None:
    first, rest = (("a  ", Style.PLAIN),), (("   ", Style.PLAIN),)
    lines = [
        paint(each, colour=False) for each in hanging(first, rest, "one two six ten", Style.DIM, 14)
    ]
    assert lines == ["a  one two six", "   ten"]


def test_a_word_longer_than_a_line_is_broken() -> None:
    assert wrapped("x" * 25, 10) == ["x" * 10, "x" * 10, "x" * 5]
    assert wrapped("", 10) == [""]
    assert wrapped("net-policy and-more", 12) == ["net-policy", "and-more"]
