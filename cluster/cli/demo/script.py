"""How the demo looks: headings, commands, answers, claims.

Pure: values in, text out.
"""

import shlex
import textwrap

from cluster.cli.demo.scenario import Scenario
from cluster.cli.terminal import BAD, BOLD, DIM, GOOD, styled

INDENT = "  "


def heading(scenario: Scenario, count: int, *, width: int, colour: bool) -> str:
    """A ruled line with number and title, then the lesson."""
    start = f"── {scenario.number} of {count} ── {scenario.title} "
    rule = start + "─" * max(0, width - len(start))
    return "\n" + styled(rule, BOLD, colour=colour) + "\n" + paragraph(scenario.lesson, width)


def paragraph(text: str, width: int) -> str:
    """A text that fits, with nothing of its source's line ends."""
    return textwrap.fill(" ".join(text.split()), width)


def command(text: str, *, colour: bool) -> str:
    """What a user would type."""
    return "\n" + styled(f"$ {text}", BOLD, colour=colour)


def curl_command(
    url: str, *, source: str, namespace: str, data: str, seconds: float | None, cluster: str
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
    return shlex.join([*words, "--name", cluster])


def indented(text: str) -> str:
    """A block of output, set off from the story."""
    return textwrap.indent(text.rstrip("\n"), INDENT)


def dimmed(text: str, *, colour: bool) -> str:
    """A remark on the side."""
    return styled(text, DIM, colour=colour)


def claim(text: str, *, holds: bool, colour: bool) -> str:
    """What the scenario claims, and whether it is so."""
    mark, style = ("✓", GOOD) if holds else ("✗", BAD)
    return styled(mark, style, colour=colour) + f" {text}"
