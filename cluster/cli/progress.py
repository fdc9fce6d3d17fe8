"""Shows how a cluster comes up: which part starts, which is ready, how long each took.

A terminal gets a line for each part, drawn over in place; anything else gets a plain line whenever
a part is ready or has failed.
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from cluster.cli.terminal import BAD, DIM, GOOD, Terminal, styled

if TYPE_CHECKING:
    from cluster.launcher.progress import Progress

WHAT_COLUMNS = 24
LINES_MAX = 20  # parts drawn in place; a longer list shows its newest

_MARKS = {"starting": ("…", DIM), "ready": ("✓", GOOD), "failed": ("✗", BAD)}


def progress_on(terminal: Terminal) -> "Callable[[Progress], None]":
    """What to call with every step of progress."""
    return LiveProgress(terminal) if terminal.live_err else PlainProgress(terminal)


def line_of(step: "Progress", *, colour: bool) -> str:
    """One part: "✓ control                  112 ms  https://127.64.0.254:6443"."""
    mark, style = _MARKS[step.state]
    took = "" if step.state == "starting" else milliseconds(step.seconds)
    shown = f"{step.what:<{WHAT_COLUMNS}}{took:>8}"
    detail = f"  {step.detail}" if step.detail else ""
    return styled(mark, style, colour=colour) + f" {shown}{detail}".rstrip()


def milliseconds(seconds: float) -> str:
    """A time to wait for: "480 ms", "12.3 s"."""
    return f"{seconds * 1000:.0f} ms" if seconds < 10 else f"{seconds:.1f} s"


class PlainProgress:
    """For files, pipes and CI: a line when something has come to its end."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal

    def __call__(self, step: "Progress") -> None:
        if step.state != "starting":
            self._terminal.tell(line_of(step, colour=self._terminal.colour_err))


class LiveProgress:
    """For people: each part keeps its line."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._steps: dict[str, Progress] = {}
        self._drawn = 0

    def __call__(self, step: "Progress") -> None:
        self._steps[step.what] = step
        lines = [line_of(each, colour=self._terminal.colour_err) for each in self._shown()]
        self._terminal.err.write(redraw(self._drawn, lines, self._terminal.width))
        self._terminal.err.flush()
        self._drawn = len(lines)

    def _shown(self) -> "Iterable[Progress]":
        return list(self._steps.values())[-LINES_MAX:]


def redraw(drawn: int, lines: list[str], width: int) -> str:
    """The characters that replace so many drawn lines by these."""
    up = f"\x1b[{drawn}A" if drawn else ""
    return up + "".join(f"\r\x1b[2K{_cut(line, width)}\n" for line in lines)


def _cut(line: str, width: int) -> str:
    """A line that wraps could not be drawn over; escape sequences take no columns."""
    seen, index = 0, 0
    while index < len(line):
        if line[index] == "\x1b":
            index = line.index("m", index) + 1
            continue
        if seen == width - 1:
            return line[:index] + "\x1b[0m" * ("\x1b" in line)
        seen, index = seen + 1, index + 1
    return line
