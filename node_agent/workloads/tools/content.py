"""`cat`, `tee`, `tac`, `rev`: text that goes through."""

from typing import Any

from node_agent.workloads.tools.devices import open_output
from node_agent.workloads.tools.options import parse
from node_agent.workloads.tools.process import Process
from node_agent.workloads.tools.running import files_of
from node_agent.workloads.tools.sources import Sources


async def cat(process: Process) -> int:
    """Write what the files hold."""
    options = parse(
        process.arguments, "nbsuvetAET", "number=n number-nonblank=b squeeze-blank=s show-all=A"
    )
    sources = Sources(process, options.operands)
    if not options.any_of("nbsveAET t"):
        async for _, source in sources:
            while data := await source.read():
                await process.stdout.write(data)
        return sources.status
    number, blank = 0, False
    async for line in sources.lines():
        empty = line in (b"\n", b"\r\n")
        if "s" in options and empty and blank:
            continue
        blank = empty
        if ("b" in options and not empty) or ("n" in options and "b" not in options):
            number += 1
            await process.write(f"{number:6d}\t")
        await process.stdout.write(_visible(line, options))
    return sources.status


def _visible(line: bytes, options: Any) -> bytes:
    """A line with its blanks shown, as -A, -e and -t ask."""
    text, end = (line[:-1], b"\n") if line.endswith(b"\n") else (line, b"")
    if options.any_of("AtT"):
        text = text.replace(b"\t", b"^I")
    if options.any_of("AetTv"):
        text = b"".join(_caret(byte) for byte in text)
    return text + (b"$" if options.any_of("AEe") and end else b"") + end


def _caret(byte: int) -> bytes:
    if byte == 127:
        return b"^?"
    if byte < 32 and byte != 9:
        return bytes([94, byte + 64])
    return bytes([byte])


async def tee(process: Process) -> int:
    """Write what comes in, here and to files."""
    options = parse(process.arguments, "ai", "append=a ignore-interrupts=i")
    outputs: list[Any] = []
    status = 0
    streams = {1: process.stdout, 2: process.stderr}
    for path in options.operands:
        try:
            outputs.append(open_output(files_of(process), path, streams, append="a" in options))
        except OSError as error:
            status = 1
            await process.complain(f"{path}: {error.strerror}")
    try:
        while data := await process.stdin.read():
            for output in (process.stdout, *outputs):
                await output.write(data)
    finally:
        for output in outputs:
            getattr(output, "close", bool)()
    return status


async def tac(process: Process) -> int:
    """The lines, the last one first."""
    sources = Sources(process, parse(process.arguments).operands)
    for line in reversed(await sources.all_lines()):
        await process.stdout.write(line + b"\n")
    return sources.status


async def rev(process: Process) -> int:
    """The letters of each line, the last one first."""
    sources = Sources(process, parse(process.arguments).operands)
    async for line in sources.lines():
        text = line.decode("utf-8", "surrogateescape")
        await process.write(text.rstrip("\n")[::-1] + ("\n" if text.endswith("\n") else ""))
    return sources.status
