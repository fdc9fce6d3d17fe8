"""`cp` and `mv`."""

import asyncio
import errno
import stat
from collections.abc import Awaitable, Callable

from node_agent.workloads.tools.files import Files
from node_agent.workloads.tools.making import remove_tree
from node_agent.workloads.tools.options import Options, UsageError, parse
from node_agent.workloads.tools.process import READ_BYTES, Failed, Process
from node_agent.workloads.tools.running import files_of, spoken
from node_agent.workloads.tools.tree import below, walk

Move = Callable[[Files, str, str], Awaitable[None]]


async def cp(process: Process) -> int:
    """Copy files; -r directories too."""
    options = parse(
        process.arguments,
        "rRafpivdPLnTt:",
        "recursive=r archive=a force=f no-clobber=n preserve=p no-target-directory=T "
        "target-directory:=t verbose=v",
    )

    async def copy(files: Files, source: str, target: str) -> None:
        if files.is_directory(source) and not options.any_of("rRa"):
            raise Failed(f"-r not specified; omitting directory '{source}'")
        await copy_tree(files, source, target, keep=options.any_of("ap"))

    return await _each(process, options, copy)


async def mv(process: Process) -> int:
    """Rename; between mounts copy and remove."""
    options = parse(process.arguments, "fivnTt:", "force=f no-clobber=n verbose=v")

    async def move(files: Files, source: str, target: str) -> None:
        files.stat(source, follow=False)
        try:
            files.rename(source, target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            await copy_tree(files, source, target, keep=True)
            remove_tree(files, source)

    return await _each(process, options, move)


async def _each(process: Process, options: Options, work: Move) -> int:
    """Do it for every source: to the target, or into it where it is a directory."""
    operands = list(options.operands)
    into = options.value("t")
    if not operands or (len(operands) < 2 and not into):
        raise UsageError(
            f"missing destination file operand after '{operands[0]}'"
            if operands
            else "missing file operand"
        )
    files = files_of(process)
    target = into or operands.pop()
    directory = "T" not in options and files.is_directory(target)
    if len(operands) > 1 and not directory:
        raise Failed(f"target '{target}' is not a directory")
    status = 0
    for source in operands:
        name = source.rstrip("/").rpartition("/")[2]
        goal = below(target, name or ".") if directory else target
        if "n" in options and files.find(goal) is not None:
            continue
        try:
            await work(files, source, goal)
        except Failed as failure:
            status = 1
            await process.complain(str(failure))
        except OSError as error:
            status = 1
            verb = "stat" if error.errno == errno.ENOENT else process.name
            await process.complain(f"cannot {verb} '{source}': {error.strerror or spoken(error)}")
    return status


async def copy_tree(files: Files, source: str, target: str, *, keep: bool) -> None:
    """Copy a file or a directory with all below it; with `keep`, times and links too."""
    if files.is_directory(source):
        inside = files.absolute(target) + "/"
        if inside.startswith(files.absolute(source).rstrip("/") + "/"):
            raise Failed(f"cannot copy a directory, '{source}', into itself, '{target}'")
    start = source if keep or files.is_directory(source) else files.absolute(source)
    entries = list(walk(files, start.rstrip("/") or "/"))
    for entry in entries:
        path = target + entry.path[len(start.rstrip("/")) :]
        if entry.is_link:
            if files.find(path, follow=False) is not None:
                files.remove(path)
            files.symlink(files.readlink(entry.path), path)
        elif entry.is_directory:
            if not files.is_directory(path):
                files.mkdir(path)
        else:
            await copy_file(files, entry.path, path)
        if not entry.is_link:
            if not entry.is_directory:
                files.chmod(path, stat.S_IMODE(entry.found.st_mode))
            if keep:
                files.set_times(path, (entry.found.st_atime, entry.found.st_mtime))


async def copy_file(files: Files, source: str, target: str) -> None:
    """Copy what a file holds."""
    if files.find(target) is not None and files.absolute(source) == files.absolute(target):
        raise Failed(f"'{source}' and '{target}' are the same file")
    reader = files.open(source)
    try:
        writer = files.create(target)
        try:
            while data := reader.now(READ_BYTES):
                writer.put(data)
                await asyncio.sleep(0)
        finally:
            writer.close()
    finally:
        reader.close()
