"""`sort` and `uniq`."""

import itertools
import re
from collections.abc import Callable, Iterator
from typing import Any

from node_agent.workloads.tools.options import Options, UsageError, parse
from node_agent.workloads.tools.process import Process
from node_agent.workloads.tools.running import files_of
from node_agent.workloads.tools.sources import Sources

EXIT_TROUBLE = 2
_NUMBER = re.compile(rb"\s*(-?\d*\.?\d*)")
_SIZE = re.compile(rb"\s*(-?\d+\.?\d*)([KMGTPE]?)")
SIZES = b" KMGTPE"
Key = Callable[[bytes], Any]


async def sort(process: Process) -> int:
    """Lines in order."""
    options = parse(
        process.arguments,
        "nrufbhVscmzgdik:t:o:",
        "numeric-sort=n reverse=r unique=u ignore-case=f key:=k field-separator:=t output:=o "
        "human-numeric-sort=h version-sort=V stable=s check=c",
        code=EXIT_TROUBLE,
    )
    sources = Sources(process, options.operands)
    lines = await sources.all_lines()
    key = _key(options)
    if "c" in options:
        return 0 if all(key(a) <= key(b) for a, b in itertools.pairwise(lines)) else 1
    lines.sort(key=key, reverse="r" in options)
    if "u" in options:
        lines = [line for at, line in enumerate(lines) if not at or key(line) != key(lines[at - 1])]
    data = b"".join(line + b"\n" for line in lines)
    if "o" in options:
        output = files_of(process).create(options.value("o"))
        await output.write(data)
        output.close()
    else:
        await process.stdout.write(data)
    return EXIT_TROUBLE if sources.failed else 0


def _key(options: Options) -> Key:
    """What lines are compared by; lines that are equal by it, by themselves."""
    separator = options.value("t").encode() or None
    ways = [_field_key(each, separator, options) for each in options.values("k")]
    ways = ways or [_way("".join(name for name, _ in options.given if len(name) == 1))]
    if "s" in options or "u" in options:
        return lambda line: tuple(way(line) for way in ways)
    return lambda line: (*(way(line) for way in ways), line)


def _field_key(text: str, separator: bytes | None, options: Options) -> Key:
    found = re.fullmatch(r"(\d+)(?:\.(\d+))?([a-zA-Z]*)(?:,(\d+)(?:\.(\d+))?([a-zA-Z]*))?", text)
    if found is None or not int(found[1]):
        raise UsageError(f"invalid number at field start: invalid count at start of '{text}'", 2)
    start, end = int(found[1]) - 1, int(found[4]) if found[4] else None
    skip = int(found[2]) - 1 if found[2] else 0
    letters = found[3] + (found[6] or "") or "".join(n for n, _ in options.given if n in "nfhVbg")
    way = _way(letters)

    def key(line: bytes) -> Any:
        fields = line.split(separator) if separator else re.findall(rb"\s*\S+", line)
        return way((separator or b"").join(fields[start:end])[skip:])

    def value(line: bytes) -> Any:
        found_key = key(line)
        return _Reversed(found_key) if "r" in letters and "r" not in options else found_key

    return value


class _Reversed:
    """A key that sorts the other way round."""

    __slots__ = ("key",)

    def __init__(self, key: Any) -> None:
        self.key = key

    def __lt__(self, other: "_Reversed") -> bool:
        return bool(other.key < self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Reversed) and self.key == other.key

    __hash__ = None  # type: ignore[assignment]


def _way(letters: str) -> Key:
    if "h" in letters:
        return _human
    if "n" in letters or "g" in letters:
        return _numeric
    if "V" in letters:
        return _version
    if "f" in letters:
        return lambda line: (line.lstrip() if "b" in letters else line).upper()
    return (lambda line: line.lstrip()) if "b" in letters else (lambda line: line)


def _numeric(line: bytes) -> float:
    found = _NUMBER.match(line)
    text = found[1] if found else b""
    return float(text) if text.strip(b"-.") else 0.0


def _human(line: bytes) -> tuple[int, float]:
    found = _SIZE.match(line)
    return (SIZES.find(found[2] or b" "), float(found[1])) if found else (0, 0.0)


def _version(line: bytes) -> list[tuple[int, int, bytes]]:
    parts = re.findall(rb"\d+|\D+", line)
    return [(0, int(part), b"") if part.isdigit() else (1, 0, part) for part in parts]


async def uniq(process: Process) -> int:
    """Neighbours that are equal are one."""
    options = parse(
        process.arguments, "cdui f:s:", "count=c repeated=d unique=u ignore-case=i skip-fields:=f"
    )
    sources = Sources(process, options.operands[:1])
    lines = await sources.all_lines()
    out = []
    for count, line in _groups(lines, options):
        if ("d" in options and count < 2) or ("u" in options and count > 1):
            continue
        out.append((b"%7d " % count if "c" in options else b"") + line + b"\n")
    await process.stdout.write(b"".join(out))
    return sources.status


def _groups(lines: list[bytes], options: Options) -> Iterator[tuple[int, bytes]]:
    skip, ahead = options.number("f", 0), options.number("s", 0)

    def key(line: bytes) -> bytes:
        rest = b"".join(re.findall(rb"\s*\S+", line)[skip:]) if skip else line
        return rest[ahead:].lower() if "i" in options else rest[ahead:]

    count, first = 0, b""
    for line in lines:
        if count and key(line) == key(first):
            count += 1
            continue
        if count:
            yield count, first
        count, first = 1, line
    if count:
        yield count, first
