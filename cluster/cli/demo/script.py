"""How the demo looks: headings, commands, answers, claims.

Pure: values in, text out.
"""

import re
import shlex
import textwrap
from collections.abc import Sequence

from cluster.cli.demo.scenario import Scenario
from cluster.cli.terminal import BAD, BOLD, DIM, GOOD, styled

INDENT = "  "
CONTINUED = " \\"
GLUE = "\0"
_OPTION = re.compile(r"(?<= )(-{1,2}[\w-]+) (?!-)")


def heading(scenario: Scenario, count: int, *, width: int, colour: bool) -> str:
    """A ruled line with number and title, then the lesson."""
    start = f"── {scenario.number} of {count} ── {scenario.title} "
    rule = start + "─" * max(0, width - len(start))
    return "\n" + styled(rule, BOLD, colour=colour) + "\n" + paragraph(scenario.lesson, width)


def paragraph(text: str, width: int) -> str:
    """A text that fits, with nothing of its source's line ends."""
    return textwrap.fill(" ".join(text.split()), width, break_on_hyphens=False)


def command(text: str, *, width: int, colour: bool) -> str:
    """What a user would type; a long line goes on behind a backslash, as in a shell."""
    together = _OPTION.sub(r"\1" + GLUE, f"$ {text}")  # an option stays with its value
    room = width - len(CONTINUED)
    lines = _wrapped(together, room, INDENT * 2)
    shown = [line.replace(GLUE, " ") for line in lines]
    shown = [line + CONTINUED for line in shown[:-1]] + shown[-1:]
    return "\n" + "\n".join(styled(line, BOLD, colour=colour) for line in shown)


def curl_command(
    url: str, *, source: str, namespace: str, data: str, seconds: float | None, traced: bool
) -> str:
    """The command line of a request: only what differs from kubehop's defaults."""
    words = ["kubehop", "curl", url]
    if source != "internet":
        words += ["--from", source]
        if not source.startswith("node/") and "/" in source:
            words += ["-n", namespace]
    if data:
        words += ["-d", data]
    if seconds is not None:
        words += ["-m", f"{seconds:g}"]
    return shlex.join([*words, *(["--trace"] if traced else [])])


def indented(text: str, width: int) -> str:
    """A block of output, set off from the story; what is too long for a line goes on below."""
    lines = text.rstrip("\n").split("\n")
    return "\n".join(piece for line in lines for piece in _output_line(line, width))


def _output_line(line: str, width: int) -> list[str]:
    """A line whose layout is kept, unless it is too long."""
    if len(INDENT + line) <= width:
        return [(INDENT + line).rstrip()]
    return _wrapped(INDENT + line, width, INDENT * 2)


def _wrapped(text: str, width: int, below: str) -> list[str]:
    return textwrap.wrap(
        text, width, subsequent_indent=below, break_long_words=False, break_on_hyphens=False
    )


def dimmed(text: str, *, colour: bool) -> str:
    """A remark on the side."""
    return styled(text, DIM, colour=colour)


def claim(text: str, *, holds: bool, width: int, colour: bool) -> str:
    """What the scenario claims, and whether it is so."""
    mark, style = ("✓", GOOD) if holds else ("✗", BAD)
    filled = textwrap.fill(
        text, width, initial_indent=INDENT, subsequent_indent=INDENT, break_on_hyphens=False
    )
    return styled(mark, style, colour=colour) + filled[1:]


def table(rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as they need to be, two spaces apart."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
