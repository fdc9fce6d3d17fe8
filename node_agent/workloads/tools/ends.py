"""`head` and `tail`: the first and the last lines or bytes."""

import asyncio
import errno
import os
from collections import deque

from node_agent.workloads.tools.files import FileInput
from node_agent.workloads.tools.options import Options, UsageError, parse
from node_agent.workloads.tools.process import Input, Process
from node_agent.workloads.tools.sources import (
    LINE_BYTES,
    MEMORY_BYTES_MAX,
    Sources,
    TooMuch,
    everything,
)

LINES = 10
FOLLOW_SECONDS = 0.2
UNITS = {"b": 512, "k": 1024, "K": 1024, "m": 1 << 20, "M": 1 << 20}


def _options(process: Process, letters: str, long: str) -> Options:
    """Also the old form: `head -5`."""
    words = list(process.arguments)
    if words and words[0][:1] in ("-", "+") and words[0][1:].isdecimal():
        words[:1] = ["-n", words[0].lstrip("-") if words[0][0] == "-" else words[0]]
    return parse(words, letters, long)


def _count(options: Options, default: int = LINES) -> tuple[str, int]:
    """The sign and the number of -n or -c."""
    text = options.value("c") or options.value("n") or str(default)
    sign = text[0] if text[0] in "+-" else ""
    digits = text.lstrip("+-")
    factor = UNITS.get(digits[-1:], 1)
    digits = digits[:-1] if factor > 1 else digits
    if not digits.isdecimal():
        raise UsageError(f"invalid number of lines: '{text}'")
    return sign, int(digits) * factor


async def _heading(process: Process, options: Options, path: str, first: bool) -> None:
    several = len(options.operands) > 1
    if ("q" not in options and several) or "v" in options:
        name = "standard input" if path == "-" else path
        await process.write(f"{'' if first else chr(10)}==> {name} <==\n")


async def head(process: Process) -> int:
    """The first lines, or with -c bytes; -n -N all but the last N."""
    options = _options(process, "n:c:qv", "lines:=n bytes:=c quiet=q verbose=v")
    sign, count = _count(options)
    sources, first = Sources(process, options.operands), True
    async for path, source in sources:
        await _heading(process, options, path, first)
        first = False
        if sign == "-":
            await _all_but(process, source, count, "c" in options)
        elif "c" in options:
            await _first_bytes(process, source, count)
        else:
            for _ in range(count):
                if not (line := await source.readline()):
                    break
                await process.stdout.write(line)
    return sources.status


async def _first_bytes(process: Process, source: Input, count: int) -> None:
    while count and (data := await source.read(min(count, 65536))):
        count -= len(data)
        await process.stdout.write(data)


async def _all_but(process: Process, source: Input, count: int, by_bytes: bool) -> None:
    data = await everything(source)
    if by_bytes:
        await process.stdout.write(data[: max(0, len(data) - count)])
        return
    lines = data.splitlines(keepends=True)
    await process.stdout.write(b"".join(lines[: max(0, len(lines) - count)]))


async def tail(process: Process) -> int:
    """The last lines, or from +N on; with -f what is added to the files too."""
    options = _options(
        process, "n:c:fFqvs:", "lines:=n bytes:=c follow=f quiet=q retry=F verbose=v"
    )
    sign, count = _count(options)
    sources, first = Sources(process, options.operands), True
    async for path, source in sources:
        await _heading(process, options, path, first)
        first = False
        if sign == "+":
            await _from(process, source, count, "c" in options)
        elif "c" in options:
            await process.stdout.write(await _last_bytes(source, count))
        else:
            await process.stdout.write(await _last_lines(source, count))
        if options.any_of("fF") and path == (options.operands or ("-",))[-1]:
            await _follow(process, source)
    return sources.status


async def _from(process: Process, source: Input, number: int, by_bytes: bool) -> None:
    skip = max(0, number - 1)
    while skip and (data := await (source.read(skip) if by_bytes else source.readline())):
        skip -= len(data) if by_bytes else 1
    while data := await source.read():
        await process.stdout.write(data)


async def _last_bytes(source: Input, count: int) -> bytes:
    held = b""
    while data := await source.read():
        held = (held + data)[-min(count, MEMORY_BYTES_MAX) :] if count else b""
    return held


async def _last_lines(source: Input, count: int) -> bytes:
    held: deque[bytes] = deque()
    size = 0
    while line := await source.readline():
        held.append(line)
        size += LINE_BYTES + len(line)
        if len(held) > count:
            size -= LINE_BYTES + len(held.popleft())
        if size > MEMORY_BYTES_MAX:
            raise TooMuch(errno.ENOMEM, os.strerror(errno.ENOMEM))
    return b"".join(held)


async def _follow(process: Process, source: Input) -> None:
    """What is added, for ever; a pipe has an end."""
    while True:
        data = await source.read()
        if data:
            await process.stdout.write(data)
        elif not isinstance(source, FileInput):
            return
        else:
            await asyncio.sleep(FOLLOW_SECONDS)
