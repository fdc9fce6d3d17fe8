"""Lines of styled text: laid out as plain text, coloured last, so that colour never moves anything.

Pure: values in, text out.
"""

import textwrap
from collections.abc import Iterable
from enum import StrEnum

RESET = "\x1b[0m"


class Style(StrEnum):
    """The few styles of a trace, as ANSI sequences."""

    PLAIN = ""
    BOLD = "\x1b[1m"
    DIM = "\x1b[2m"
    GOOD = "\x1b[1;32m"
    BAD = "\x1b[1;31m"
    DOUBT = "\x1b[1;33m"
    PLACE = "\x1b[36m"


Span = tuple[str, Style]
Line = tuple[Span, ...]


def paint(line: Line, *, colour: bool) -> str:
    """One line as a terminal gets it; trailing blanks are cut off."""
    if not colour:
        return "".join(text for text, _ in line).rstrip()
    return "".join(
        f"{style}{text}{RESET}" if style and text.strip() else text for text, style in line
    ).rstrip()


def length(line: Line) -> int:
    """How many columns a line takes."""
    return sum(len(text) for text, _ in line)


def two_sided(left: Line, right: Line, width: int) -> list[Line]:
    """Left and right on one line, or on two where they do not fit."""
    gap = width - length(left) - length(right)
    if gap >= 2:
        return [(*left, (" " * gap, Style.PLAIN), *right)]
    return [left, (("  ", Style.PLAIN), *right)]


def wrapped(text: str, width: int) -> list[str]:
    """A text in lines of at most `width` columns; a word longer than that is broken."""
    return textwrap.wrap(text, max(width, 10), break_on_hyphens=False) or [""]


def hanging(first: Line, rest: Line, text: str, style: Style, width: int) -> Iterable[Line]:
    """A text behind a prefix, its further lines behind another of the same length."""
    for index, part in enumerate(wrapped(text, width - length(first))):
        yield (*(rest if index else first), (part, style))
