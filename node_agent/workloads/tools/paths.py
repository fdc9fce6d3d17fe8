"""`basename`, `dirname`, `readlink`, `realpath`, `stat`, `du`, `df`: about paths and files."""

import stat as modes
from datetime import UTC, datetime
from typing import Any

from node_agent.workloads.tools.files import Files
from node_agent.workloads.tools.modes import mode_text, size_text
from node_agent.workloads.tools.options import UsageError, parse
from node_agent.workloads.tools.process import Process
from node_agent.workloads.tools.running import files_of
from node_agent.workloads.tools.tree import walk

BLOCK = 1024


async def basename(process: Process) -> int:
    """The last part of a path, without a suffix."""
    options = parse(process.arguments, "as:", "multiple=a suffix:=s")
    operands = list(options.operands)
    if not operands:
        raise UsageError("missing operand")
    several = "a" in options or "s" in options
    suffix = options.value("s") if several else (operands[1] if len(operands) > 1 else "")
    for path in operands if several else operands[:1]:
        name = path.rstrip("/").rpartition("/")[2] or ("/" if path else "")
        await process.write((name.removesuffix(suffix) if name != suffix else name) + "\n")
    return 0


async def dirname(process: Process) -> int:
    """A path without its last part."""
    operands = parse(process.arguments).operands
    if not operands:
        raise UsageError("missing operand")
    for path in operands:
        head, slash, _ = path.rstrip("/").rpartition("/")
        await process.write((head.rstrip("/") or "/" if slash or path[:1] == "/" else ".") + "\n")
    return 0


async def pwd(process: Process) -> int:
    """The working directory."""
    await process.write(process.directory + "\n")
    return 0


async def readlink(process: Process) -> int:
    """What a link names; -f where it leads in the end."""
    options = parse(process.arguments, "fenmv", "canonicalize=f no-newline=n")
    files, status = files_of(process), 0
    for path in options.operands:
        try:
            found = files.absolute(path) if options.any_of("fem") else files.readlink(path)
            if "e" in options:
                files.stat(path)
        except OSError:
            status = 1
        else:
            await process.write(found + ("" if "n" in options else "\n"))
    return status


async def realpath(process: Process) -> int:
    """Where paths lead."""
    options = parse(process.arguments, "eqsmz")
    if not options.operands:
        raise UsageError("missing operand")
    status = 0
    for path in options.operands:
        try:
            found = files_of(process).absolute(path)
            if "e" in options:
                files_of(process).stat(path)
        except OSError as error:
            status = 1
            await process.complain(f"{path}: {error.strerror}")
        else:
            await process.write(found + "\n")
    return status


async def stat(process: Process) -> int:
    """What is known of files; -c in a layout of one's own."""
    options = parse(process.arguments, "c:Lft", "format:=c printf:=p dereference=L terse=t")
    if not options.operands:
        raise UsageError("missing operand")
    status = 0
    for path in options.operands:
        try:
            found = files_of(process).stat(path, follow="L" in options)
        except OSError as error:
            status = 1
            await process.complain(f"cannot stat '{path}': {error.strerror}")
            continue
        layout = options.value("c") or options.value("p")
        text = (
            _laid_out(layout, path, found) if layout else _described(files_of(process), path, found)
        )
        await process.write(text + ("" if options.value("p") else "\n"))
    return status


def _kind(found: Any) -> str:
    if modes.S_ISDIR(found.st_mode):
        return "directory"
    if modes.S_ISLNK(found.st_mode):
        return "symbolic link"
    return "regular file" if found.st_size else "regular empty file"


def _laid_out(layout: str, path: str, found: Any) -> str:
    known = {
        "n": path, "N": f"'{path}'", "s": found.st_size, "a": f"{modes.S_IMODE(found.st_mode):o}",
        "A": mode_text(found.st_mode), "F": _kind(found), "u": 0, "g": 0, "U": "root", "G": "root",
        "i": found.st_ino, "h": found.st_nlink, "b": found.st_blocks, "B": 512,
        "Y": int(found.st_mtime), "X": int(found.st_atime), "Z": int(found.st_ctime),
        "y": moment_text(found.st_mtime), "x": moment_text(found.st_atime),
        "z": moment_text(found.st_ctime),
        "f": f"{found.st_mode:x}", "%": "%",
    }  # fmt: skip
    out, at = "", 0
    while at < len(layout):
        if layout[at] == "%" and at + 1 < len(layout):
            out += str(known.get(layout[at + 1], layout[at : at + 2]))
            at += 2
        else:
            out += layout[at]
            at += 1
    return out.replace("\\n", "\n")


def _described(files: Files, path: str, found: Any) -> str:
    name = path
    if modes.S_ISLNK(found.st_mode):
        name = f"{path} -> {files.readlink(path)}"
    permissions = f"{modes.S_IMODE(found.st_mode):04o}/{mode_text(found.st_mode)}"
    return (
        f"  File: {name}\n"
        f"  Size: {found.st_size:<10}\tBlocks: {found.st_blocks:<10} "
        f"IO Block: 4096   {_kind(found)}\n"
        f"Access: ({permissions})  Uid: (    0/    root)   Gid: (    0/    root)\n"
        f"Access: {moment_text(found.st_atime)}\n"
        f"Modify: {moment_text(found.st_mtime)}\n"
        f"Change: {moment_text(found.st_ctime)}"
    )


def moment_text(at: float) -> str:
    """As `stat` shows it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S.%f000 +0000")


async def du(process: Process) -> int:
    """How much directories take."""
    options = parse(
        process.arguments, "ahskmcd:x", "all=a human-readable=h summarize=s max-depth:=d"
    )
    files, status = files_of(process), 0
    depth = 0 if "s" in options else options.number("d", 1 << 30)
    for path in options.operands or (".",):
        try:
            entries = list(walk(files, path, bottom_up=True))
        except OSError as error:
            status = 1
            await process.complain(f"cannot access '{path}': {error.strerror}")
            continue
        totals: dict[str, int] = {}
        for entry in entries:
            own = totals.get(entry.path, 0) + entry.found.st_blocks * 512
            totals[entry.path] = own
            above = entry.path.rpartition("/")[0] or "/"
            if entry.depth:
                totals[above] = totals.get(above, 0) + own
            shown = entry.is_directory or "a" in options or not entry.depth
            if shown and entry.depth <= depth:
                size = size_text(own) if "h" in options else str(-(-own // BLOCK))
                await process.write(f"{size}\t{entry.path}\n")
    return status


async def df(process: Process) -> int:
    """How full the disk is that holds the files."""
    options = parse(process.arguments, "hkTaPim", "human-readable=h all=a")
    files = files_of(process)
    width = "Size" if "h" in options else "1K-blocks"
    lines = [f"{'Filesystem':20} {width:>10} {'Used':>10} {'Available':>10} Use% Mounted on"]
    for path in options.operands or ("/",):
        usage = files.usage(path)
        numbers = [
            size_text(each) if "h" in options else str(each // BLOCK)
            for each in (usage.total, usage.used, usage.free)
        ]
        share = -(-100 * usage.used // max(1, usage.used + usage.free))
        cells = " ".join(f"{each:>10}" for each in numbers)
        lines.append(f"{'overlay':20} {cells} {share:>3}% /")
    await process.write("\n".join(lines) + "\n")
    return 0
