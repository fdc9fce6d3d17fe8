"""`wc`, `seq`, `nl`: numbers of lines."""

import re
from decimal import Decimal, InvalidOperation

from node_agent.workloads.tools.files import FileInput
from node_agent.workloads.tools.options import Options, UsageError, parse
from node_agent.workloads.tools.process import Input, Process
from node_agent.workloads.tools.sources import Sources

COUNTS = ("l", "w", "m", "c")
LINES_TOGETHER = 499  # so that a write is worth its while, and others get their turn
Counts = dict[str, int]


async def wc(process: Process) -> int:
    """Lines, words and bytes."""
    options = parse(process.arguments, "lwcmL", "lines=l words=w bytes=c chars=m")
    shown = [each for each in COUNTS if each in options] or ["l", "w", "c"]
    sources = Sources(process, options.operands)
    rows = [(path, await _count(source)) async for path, source in sources]
    if len(options.operands) > 1:
        total = {each: sum(counts[each] for _, counts in rows) for each in COUNTS}
        rows.append(("total", total))
    from_pipe = not options.operands and not isinstance(process.stdin, FileInput)
    width = 7 if from_pipe and len(shown) > 1 else _width(options, shown, rows)
    for path, counts in rows:
        numbers = " ".join(f"{counts[each]:>{width}}" for each in shown)
        await process.write(f"{numbers} {path}\n" if options.operands else f"{numbers}\n")
    return sources.status


def _width(options: Options, shown: list[str], rows: list[tuple[str, Counts]]) -> int:
    """As wide as the largest number; one number alone is as wide as it is."""
    if len(shown) == 1 and len(rows) == 1:
        return 1
    if "-" in options.operands:
        return 7
    largest = max((counts["c"] for _, counts in rows), default=0)
    return len(str(largest))


async def _count(source: Input) -> Counts:
    counts = dict.fromkeys(COUNTS, 0)
    inside = False  # a word that the piece before began
    while data := await source.read():
        words = len(data.split())
        counts["w"] += words - (inside and words > 0 and not data[:1].isspace())
        inside = not data[-1:].isspace()
        counts["l"] += data.count(b"\n")
        counts["c"] += len(data)
        counts["m"] += sum((byte & 0xC0) != 0x80 for byte in data)
    return counts


async def seq(process: Process) -> int:
    """Numbers from FIRST to LAST."""
    words, options = _numbers_apart(process.arguments)
    separator, pad = options.value("s", "\n"), "w" in options
    if not 1 <= len(words) <= 3:
        raise UsageError("missing operand" if not words else f"extra operand '{words[-1]}'")
    numbers = [_decimal(each) for each in words]
    first = numbers[0] if len(numbers) > 1 else Decimal(1)
    step = numbers[1] if len(numbers) == 3 else Decimal(1)
    last = numbers[-1]
    if not step:
        raise UsageError(f"invalid Zero increment value: '{words[1]}'")
    places = max(_places(each) for each in (words[:2] if len(words) == 3 else words[:1]))
    places = places if len(words) > 1 else 0
    width = max(len(f"{each:.{places}f}") for each in (first, last)) if pad else 0
    held: list[str] = []
    while (first <= last) if step > 0 else (first >= last):
        held.append(f"{first:0{width}.{places}f}" if width else f"{first:.{places}f}")
        first += step
        if len(held) > LINES_TOGETHER:  # the last is kept, as what follows it is not known
            await process.write(separator.join([*held[:-1], ""]))
            del held[:-1]
    if held:
        await process.write(separator.join(held) + "\n")
    return 0


def _numbers_apart(words: tuple[str, ...]) -> tuple[list[str], Options]:
    """Options first: a negative number is no option."""
    rest, given = list(words), []
    while rest and re.match(r"-[a-z]", rest[0]):
        given.append(rest.pop(0))
        if given[-1] in ("-s", "-f") and rest:
            given.append(rest.pop(0))
    return rest, parse(given, "ws:f:")


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise UsageError(f"invalid floating point argument: '{text}'") from None


def _places(text: str) -> int:
    return len(text.partition(".")[2])


async def nl(process: Process) -> int:
    """Lines with their numbers."""
    options = parse(process.arguments, "b:w:s:")
    sources, number = Sources(process, options.operands), 0
    width, separator = options.number("w", 6), options.value("s", "\t")
    async for line in sources.lines():
        counted = options.value("b", "t") == "a" or line.strip(b"\n") != b""
        number += counted
        head = f"{number:{width}d}{separator}" if counted else " " * (width + len(separator))
        await process.stdout.write(head.encode() + line.removesuffix(b"\n") + b"\n")
    return sources.status
