"""Where the command writes: results on standard output, everything else on standard error.

Colour and lines that change in place are for terminals only. NO_COLOR (https://no-color.org) and
TERM=dumb are honoured.
"""

import os
import shutil
import sys
from collections.abc import Mapping
from typing import TextIO

COLUMNS_MIN = 60
COLUMNS_MAX = 100
COLUMNS_DEFAULT = 80

BOLD, DIM, GOOD, BAD, RESET = "\x1b[1m", "\x1b[2m", "\x1b[1;32m", "\x1b[1;31m", "\x1b[0m"


class Terminal:
    """Standard output and standard error, and what each of them can show."""

    def __init__(self, out: TextIO, err: TextIO, environ: Mapping[str, str]) -> None:
        self.out = out
        self.err = err
        self._environ = environ

    @classmethod
    def of_process(cls) -> "Terminal":
        """This process's own streams."""
        return cls(sys.stdout, sys.stderr, os.environ)

    @property
    def colour_out(self) -> bool:
        """Whether results may be coloured."""
        return wants_colour(self.out.isatty(), self._environ)

    @property
    def colour_err(self) -> bool:
        """Whether messages may be coloured."""
        return wants_colour(self.err.isatty(), self._environ)

    @property
    def live_err(self) -> bool:
        """Whether lines on standard error can be drawn over."""
        return self.err.isatty() and self._environ.get("TERM") != "dumb"

    @property
    def width(self) -> int:
        """Columns to lay out for: the terminal's, within reason; 80 where there is none."""
        if not (self.out.isatty() or self.err.isatty()):
            return COLUMNS_DEFAULT
        columns = shutil.get_terminal_size((COLUMNS_DEFAULT, 24)).columns
        return max(COLUMNS_MIN, min(columns, COLUMNS_MAX))

    def say(self, text: str = "") -> None:
        """A line of the result."""
        self.out.write(text + "\n")
        self.out.flush()

    def tell(self, text: str) -> None:
        """A line that is not the result: progress, notes."""
        self.err.write(text + "\n")
        self.err.flush()

    def complain(self, text: str, *, who: str = "error") -> None:
        """What went wrong: what happened, why, what to do."""
        width = self.width if self.live_err else 0
        first, *others = folded(f"{who}: {text}", width)
        label = styled(f"{who}:", BAD, colour=self.colour_err)
        self.tell("\n".join([label + first.removeprefix(f"{who}:"), *others]))

    def note(self, text: str) -> None:
        """Sentences that are not the result: folded on a terminal, one line elsewhere."""
        self.tell("\n".join(folded(text, self.width if self.live_err else 0)))

    def write_bytes(self, data: bytes) -> None:
        """Result bytes as they are; text streams without bytes below (tests) get text."""
        self.out.flush()
        buffer = getattr(self.out, "buffer", None)
        if buffer is None:
            self.out.write(data.decode("utf-8", "replace"))
            return
        buffer.write(data)
        buffer.flush()


def wants_colour(is_terminal: bool, environ: Mapping[str, str]) -> bool:
    """Colour on a terminal, unless its user or its type says no."""
    return is_terminal and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"


def folded(text: str, width: int) -> list[str]:
    """Lines of at most so many columns, cut between words; 0: as they are."""
    lines = text.splitlines() or [""]
    if not width or all(len(line) <= width for line in lines):
        return lines
    from textwrap import wrap

    found = []
    for line in lines:
        found += wrap(
            line,
            width,
            subsequent_indent="  ",
            break_long_words=False,
            break_on_hyphens=False,
            replace_whitespace=False,
        ) or [""]
    return found


def styled(text: str, style: str, *, colour: bool) -> str:
    """The text in a style, where colour is wanted."""
    return f"{style}{text}{RESET}" if colour and text else text
