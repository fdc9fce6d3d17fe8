"""The log of one run of a container: lines with time and stream, the oldest dropped first.

Pure: text and times in, lines out. Each line keeps what the container runtime's format (CRI) has: a
time stamp, the stream, the text; text without a line end is cut at LINE_CHARS_MAX.
"""

from collections import deque
from collections.abc import Iterator

from cluster.dataclass import dataclass
from node_agent.kubelet.timestamps import nano_text

LINES_MAX = 10_000
RING_CHARS_MAX = 1 << 20
LINE_CHARS_MAX = 16 * 1024


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line; `number` counts all lines of this run."""

    number: int
    at: float
    stream: str  # stdout or stderr
    text: str  # with its line end, unless it was cut or is the last of a program that ended

    def render(self, *, timestamps: bool) -> str:
        """As `kubectl logs` shows it."""
        return f"{nano_text(self.at)} {self.text}" if timestamps else self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class LogQuery:
    """What is asked of a log."""

    tail_lines: int | None = None
    since: float | None = None  # seconds since 1970
    timestamps: bool = False
    limit_bytes: int | None = None
    stream: str = "All"  # All, Stdout, Stderr


class LogRing:
    """Bounded lines; `next_number` is the number that the next line will have."""

    def __init__(self) -> None:
        self._lines: deque[LogLine] = deque()
        self._chars = 0
        self._partial = {"stdout": "", "stderr": ""}
        self.next_number = 0

    def write(self, stream: str, text: str, at: float) -> bool:
        """Add text; whether a line was completed."""
        before = self.next_number
        *whole, rest = (self._partial[stream] + text).split("\n")
        for line in whole:
            self._append(stream, line + "\n", at)
        while len(rest) > LINE_CHARS_MAX:
            self._append(stream, rest[:LINE_CHARS_MAX], at)
            rest = rest[LINE_CHARS_MAX:]
        self._partial[stream] = rest
        return self.next_number > before

    def unfinished(self, stream: str) -> str:
        """The text of a stream that has no line end yet."""
        return self._partial[stream]

    def end(self, at: float) -> None:
        """The program is over: what it wrote without a line end is a line too."""
        for stream, rest in self._partial.items():
            if rest:
                self._append(stream, rest, at)
            self._partial[stream] = ""

    def _append(self, stream: str, text: str, at: float) -> None:
        self._lines.append(LogLine(self.next_number, at, stream, text))
        self.next_number += 1
        self._chars += len(text)
        while len(self._lines) > LINES_MAX or self._chars > RING_CHARS_MAX:
            self._chars -= len(self._lines.popleft().text)

    def select(self, query: LogQuery) -> list[LogLine]:
        """The lines a query asks for, oldest first."""
        chosen = [line for line in self._lines if _wanted(line, query)]
        if query.tail_lines is not None:
            chosen = chosen[-query.tail_lines :] if query.tail_lines else []
        return chosen

    def after(self, number: int, query: LogQuery) -> list[LogLine]:
        """The wanted lines from `number` on that are still held: what a follower reads next."""
        return [line for line in self._newest_from(number) if _wanted(line, query)]

    def _newest_from(self, number: int) -> list[LogLine]:
        found: list[LogLine] = []
        for line in reversed(self._lines):
            if line.number < number:
                break
            found.append(line)
        return found[::-1]

    def __iter__(self) -> Iterator[LogLine]:
        return iter(self._lines)


def _wanted(line: LogLine, query: LogQuery) -> bool:
    if query.since is not None and line.at < query.since:
        return False
    return query.stream in ("All", "") or line.stream == query.stream.lower()
