"""`cut`, `tr`, `paste`, `fold`, `column`: parts of lines and letters for others."""

import re
from collections.abc import Callable, Sequence

from node_agent.workloads.tools.escapes import unescaped
from node_agent.workloads.tools.options import UsageError, parse
from node_agent.workloads.tools.process import Process
from node_agent.workloads.tools.shell.patterns import CLASSES
from node_agent.workloads.tools.sources import Sources

FOREVER = 1 << 30
Ranges = list[tuple[int, int]]


def ranges(text: str) -> Ranges:
    """`1,3-5,7-`: first and last of each, from 1."""
    found = []
    for part in text.split(","):
        whole = re.fullmatch(r"(\d*)(-?)(\d*)", part)
        if whole is None or part in ("", "-") or whole[1] == "0":
            raise UsageError(f"invalid list '{text}'")
        first = int(whole[1] or 1)
        last = int(whole[3]) if whole[3] else (FOREVER if whole[2] else first)
        found.append((first, last))
    return found


def _chosen(number: int, wanted: Ranges) -> bool:
    return any(first <= number <= last for first, last in wanted)


async def cut(process: Process) -> int:
    """Fields (-f), letters (-c) or bytes (-b) of each line."""
    options = parse(
        process.arguments,
        "f:d:c:b:sn",
        "fields:=f delimiter:=d characters:=c bytes:=b only-delimited=s complement "
        "output-delimiter:=O",
    )
    text = options.value("f") or options.value("c") or options.value("b")
    if not text:
        raise UsageError("you must specify a list of bytes, characters, or fields")
    wanted, mark = ranges(text), options.value("d", "\t")
    if len(mark) != 1:
        raise UsageError("the delimiter must be a single character")
    joint = options.value("O", mark)
    other = "complement" in options
    sources = Sources(process, options.operands)
    async for data in sources.lines():
        line = data.decode("utf-8", "surrogateescape").removesuffix("\n")
        if "f" not in options:
            kept = [each for at, each in enumerate(line, 1) if _chosen(at, wanted) != other]
            await process.write("".join(kept) + "\n")
        elif mark in line:
            fields = enumerate(line.split(mark), 1)
            kept = [each for at, each in fields if _chosen(at, wanted) != other]
            await process.write(joint.join(kept) + "\n")
        elif "s" not in options:
            await process.write(line + "\n")
    return sources.status


async def tr(process: Process) -> int:
    """Letters for others: replaced, deleted (-d), squeezed (-s)."""
    options = parse(process.arguments, "cCdst", "complement=c delete=d squeeze-repeats=s")
    if not options.operands:
        raise UsageError("missing operand")
    sets = [letters(each) for each in options.operands]
    if len(sets) < 2 and not options.any_of("ds"):
        raise UsageError(f"missing operand after '{options.operands[0]}'")
    belongs = _belongs(sets[0], other=options.any_of("cC"))
    squeezed = _belongs(sets[-1], other=options.any_of("cC") and len(sets) == 1)
    change = _change(sets, belongs, delete="d" in options, other=options.any_of("cC"))
    last = ""
    while data := await process.stdin.read():
        text = "".join(change(each) for each in data.decode("utf-8", "surrogateescape"))
        if "s" in options:
            text, last = _squeeze(text, squeezed, last)
        await process.write(text)
    return 0


def _belongs(text: str, *, other: bool) -> Callable[[str], bool]:
    members = frozenset(text)
    return lambda letter: (letter in members) != other


def _change(
    sets: Sequence[str], belongs: Callable[[str], bool], *, delete: bool, other: bool
) -> Callable[[str], str]:
    """What becomes of one letter."""
    if delete:
        return lambda letter: "" if belongs(letter) else letter
    if len(sets) < 2 or not sets[1]:
        return lambda letter: letter
    target = sets[1]
    if other:
        return lambda letter: target[-1] if belongs(letter) else letter
    table = {
        each: target[min(at, len(target) - 1)] for at, each in reversed(list(enumerate(sets[0])))
    }
    return lambda letter: table.get(letter, letter)


def _squeeze(text: str, belongs: Callable[[str], bool], last: str) -> tuple[str, str]:
    out = []
    for letter in text:
        if letter != last or not belongs(letter):
            out.append(letter)
        last = letter
    return "".join(out), last


def letters(text: str) -> str:
    """The letters of a set: `a-z`, `[:upper:]`, escapes."""
    text = unescaped(text)
    for name, body in CLASSES.items():
        if f"[:{name}:]" in text:
            wanted = re.compile(f"[{body}]")
            text = text.replace(
                f"[:{name}:]", "".join(chr(at) for at in range(128) if wanted.match(chr(at)))
            )
    out, at = "", 0
    while at < len(text):
        if at + 2 < len(text) and text[at + 1] == "-":
            first, last = ord(text[at]), ord(text[at + 2])
            if first > last:
                raise UsageError(f"range-endpoints of '{text[at : at + 3]}' are in reverse order")
            out += "".join(chr(code) for code in range(first, min(last, first + 65536) + 1))
            at += 3
        else:
            out += text[at]
            at += 1
    return out


async def paste(process: Process) -> int:
    """Lines beside each other; with -s those of each file."""
    options = parse(process.arguments, "sd:", "serial=s delimiters:=d")
    mark = unescaped(options.value("d", "\t")).encode()[:1]
    sources = Sources(process, options.operands)
    columns = [(await _lines_of(source)) async for _, source in sources]
    if "s" in options:
        rows = [mark.join(lines) for lines in columns]
    else:
        longest = max((len(lines) for lines in columns), default=0)
        rows = [
            mark.join(lines[at] if at < len(lines) else b"" for lines in columns)
            for at in range(longest)
        ]
    await process.stdout.write(b"".join(row + b"\n" for row in rows))
    return sources.status


async def _lines_of(source: object) -> list[bytes]:
    from node_agent.workloads.tools.sources import everything

    return (await everything(source)).splitlines()  # type: ignore[arg-type]


async def fold(process: Process) -> int:
    """Long lines cut."""
    options = parse(process.arguments, "w:sb", "width:=w spaces=s")
    width = max(1, options.number("w", 80))
    sources = Sources(process, options.operands)
    async for line in sources.lines():
        text = line.removesuffix(b"\n")
        parts = [text[at : at + width] for at in range(0, len(text), width)] or [b""]
        await process.stdout.write(b"\n".join(parts) + line[len(text) :])
    return sources.status
