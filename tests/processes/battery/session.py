"""What a session's text says: commands, the output that is expected, the exit status.

Pure: text in, values out. The format is described in README.md beside this file.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

ANY_LINES = "..."
_LIMIT = re.compile(
    r"\[(?P<tool>helm )?(?P<low>[\d.]+)(?P<sign>[+-])(?P<high>[\d.]+)?\]\s?(?P<rest>.*)", re.S
)
_MARKS = {
    "<any>": r".*?",
    "<age>": r"(?:\d+[smhdy])+",
    "<ip>": r"\d+\.\d+\.\d+\.\d+",
    "<ns>": r"[a-z0-9-]+",
    "<pod>": r"[a-z0-9]+(?:-[a-z0-9]{5})?",
}
_MARK = re.compile("|".join(map(re.escape, _MARKS)))

Version = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Versions:
    """Of the tools that a session runs with."""

    kubectl: Version
    helm: Version = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One command, and what is expected of it."""

    line: int
    command: str
    expected: tuple[str, ...] = ()
    status: int = 0


@dataclass(slots=True)
class _Limited:
    """A step as it is written: its lines may be meant for some versions only."""

    line: int
    command: list[str]
    expected: list[str] = field(default_factory=list)
    status: int = 0


def parse(text: str, versions: Versions) -> list[Step]:
    """The steps that are meant for these versions; ValueError names a line that makes no sense."""
    steps = []
    for each in _steps(text):
        command = _meant("\n".join(each.command), versions)
        if command is not None:
            lines = (_meant(line, versions) for line in each.expected)
            expected = tuple(line for line in lines if line is not None)
            steps.append(Step(each.line, command, expected, each.status))
    return steps


def _steps(text: str) -> Iterator[_Limited]:
    step: _Limited | None = None
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("$ "):
            if step is not None:
                yield step
            step = _Limited(number, [line[2:]])
        elif line.startswith("#") or (step is None and not line.strip()):
            continue
        elif step is None:
            raise ValueError(f"line {number}: {line!r} belongs to no command")
        elif line.startswith("> ") or line == ">":
            step.command.append(line[2:])
        elif line.startswith("? "):
            step.status = int(line[2:])
        else:
            step.expected.append(line)
    if step is not None:
        yield step


def _meant(text: str, versions: Versions) -> str | None:
    """The text without its limit; None if it is for other versions."""
    found = _LIMIT.fullmatch(text)
    if found is None:
        return text
    ours = versions.helm if found["tool"] else versions.kubectl
    low = _version(found["low"])
    if found["high"]:
        fits = low <= ours[: len(low)] and _cut(ours, found["high"]) <= _version(found["high"])
    elif found["sign"] == "+":
        fits = ours >= low
    else:
        fits = ours[: len(low)] <= low
    return found["rest"] if fits else None


def _cut(version: Version, like: str) -> Version:
    return version[: like.count(".") + 1]


def _version(text: str) -> Version:
    return tuple(int(part) for part in text.split("."))


def matches(expected: Sequence[str], output: str) -> bool:
    """Whether the output is what was expected; two streams' lines may come in another order."""
    parts, lines = [_pattern(line) for line in _stripped(expected)], _lines(output)
    if re.fullmatch("".join(parts), "".join(f"{line}\n" for line in lines)) is not None:
        return True
    if len(parts) != len(lines) or any(line.strip() == ANY_LINES for line in expected):
        return False
    left = list(lines)
    for part in parts:
        fits = next((line for line in left if re.fullmatch(part, f"{line}\n")), None)
        if fits is None:
            return False
        left.remove(fits)
    return True


def _pattern(line: str) -> str:
    if line.strip() == ANY_LINES:
        return r"(?:[^\n]*\n)*?"
    pieces, at = [], 0
    text = " ".join(line.split())
    for mark in _MARK.finditer(text):
        pieces += [re.escape(text[at : mark.start()]), _MARKS[mark[0]]]
        at = mark.end()
    return "".join([*pieces, re.escape(text[at:]), r"\n"])


def _lines(output: str) -> list[str]:
    return _stripped([" ".join(line.split()) for line in output.splitlines()])


def _stripped(lines: Sequence[str]) -> list[str]:
    """Without blank lines at the end: they part a step from the next."""
    kept = list(lines)
    while kept and not kept[-1].strip():
        kept.pop()
    return kept


def filled(text: str, printed: dict[int, tuple[str, int]]) -> str:
    """The session's text with what its commands printed (by the line they begin at)."""
    out: list[str] = []
    skipping = False
    pending: tuple[str, int] | None = None
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("$ "):
            out += _shown(pending)
            pending = printed.get(number)
            skipping = number in printed
            out.append(line)
        elif line.startswith(">"):
            out.append(line)
        elif line.startswith("#") or not skipping:
            out += _shown(pending)
            pending = None
            out.append(line)
    return "\n".join([*out, *_shown(pending)]) + "\n"


def _shown(printed: tuple[str, int] | None) -> list[str]:
    if printed is None:
        return []
    output, status = printed
    lines = (
        "<any>" + line[1:] if line.startswith(tuple("#$?>")) else line
        for line in output.splitlines()
    )
    return [*_stripped(list(lines)), *([f"? {status}"] if status else [])]


_SEEN = (
    (re.compile(r" deleted from \S+ namespace"), " deleted<any>"),
    (re.compile(r"\b(?:\d+\.){3}\d+\b(?!/)"), "<ip>"),
    (re.compile(r"(?<=\s)(?:\d+[smhd])+(?=\s|$)", re.M), "<age>"),
    (re.compile(r"-[0-9a-f]{8,10}-[a-z0-9]{5}\b"), "-<pod>"),
)


def marked(output: str, namespace: str) -> str:
    """Output with marks where it will differ the next time."""
    for seen, mark in _SEEN:
        output = seen.sub(mark, output)
    return output.replace(namespace, "<ns>")
