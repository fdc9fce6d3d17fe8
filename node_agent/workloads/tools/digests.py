"""`md5sum`, `sha1sum`, `sha256sum`, `sha512sum`, `base64`, `cksum`-like sums of files."""

import base64 as coding
import binascii
import hashlib

from node_agent.workloads.tools.options import parse
from node_agent.workloads.tools.process import Failed, Input, Process
from node_agent.workloads.tools.running import files_of
from node_agent.workloads.tools.sources import Sources, everything


async def digest(process: Process) -> int:
    """Sums of files; -c checks those that a file lists."""
    options = parse(process.arguments, "cbtsw", "check=c status=s warn=w binary=b")
    name = process.name.removesuffix("sum")
    sources = Sources(process, options.operands)
    if "c" in options:
        return await _check(process, sources, name, quiet="s" in options)
    async for path, source in sources:
        await process.write(f"{await _sum(name, source)}  {path}\n")
    return sources.status


async def _sum(name: str, source: Input) -> str:
    found = hashlib.new(name, usedforsecurity=False)
    while data := await source.read():
        found.update(data)
    return found.hexdigest()


async def _check(process: Process, sources: Sources, name: str, *, quiet: bool) -> int:
    failed = 0
    async for data in sources.lines():
        wanted, _, path = data.decode("utf-8", "surrogateescape").rstrip("\n").partition("  ")
        try:
            with_file = files_of(process).open(path.lstrip("*"))
            ok = await _sum(name, with_file) == wanted
            with_file.close()
        except OSError:
            ok = False
        failed += not ok
        if not quiet:
            await process.write(f"{path}: {'OK' if ok else 'FAILED'}\n")
    if failed:
        raise Failed(f"WARNING: {failed} computed checksum{'s' * (failed > 1)} did NOT match")
    return 0


async def base64(process: Process) -> int:
    """Encode, or with -d decode."""
    options = parse(process.arguments, "dDiw:", "decode=d ignore-garbage=i wrap:=w")
    sources = Sources(process, options.operands)
    data = b"".join([await everything(source) async for _, source in sources])
    if options.any_of("dD"):
        try:
            await process.stdout.write(coding.b64decode(b"".join(data.split()), validate=True))
        except binascii.Error:
            raise Failed("invalid input") from None
        return sources.status
    text, width = coding.b64encode(data), options.number("w", 76)
    if not width:
        await process.stdout.write(text)
    else:
        lines = [text[at : at + width] for at in range(0, len(text), width)]
        await process.stdout.write(b"".join(line + b"\n" for line in lines))
    return sources.status
