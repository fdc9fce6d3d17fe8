"""`mkdir`, `rmdir`, `rm`, `touch`, `ln`, `chmod`, `chown`, `mktemp`: making and unmaking files."""

import errno
import stat
from collections.abc import Callable
from datetime import UTC, datetime

from node_agent.workloads.tools.files import Files
from node_agent.workloads.tools.modes import changed
from node_agent.workloads.tools.options import Options, UsageError, parse
from node_agent.workloads.tools.process import Process
from node_agent.workloads.tools.running import files_of
from node_agent.workloads.tools.tree import below, walk

MKTEMP = "/tmp/tmp.XXXXXXXXXX"


async def _each(process: Process, options: Options, what: str, work: Callable[[str], None]) -> int:
    """Do something to every operand; what fails is said, the rest goes on."""
    if not options.operands:
        raise UsageError("missing operand")
    status = 0
    for path in options.operands:
        try:
            work(path)
        except OSError as error:
            status = 1
            await process.complain(what.format(path) + f": {error.strerror}")
    return status


async def mkdir(process: Process) -> int:
    """Make directories; -p with those above, and no error where there is one."""
    options = parse(process.arguments, "pvm:", "parents=p verbose=v mode:=m")
    files = files_of(process)

    def make(path: str) -> None:
        if "p" in options:
            files.make_directories(path)
        else:
            files.mkdir(path)
        if "m" in options:
            files.chmod(path, changed(0o777, options.value("m")))

    return await _each(process, options, "cannot create directory '{}'", make)


async def rmdir(process: Process) -> int:
    """Remove empty directories."""
    options = parse(process.arguments, "pv", "parents=p ignore-fail-on-non-empty verbose=v")
    return await _each(process, options, "failed to remove '{}'", files_of(process).rmdir)


async def rm(process: Process) -> int:
    """Remove files; -r with all that is below."""
    options = parse(
        process.arguments, "rRfivd", "recursive=r force=f verbose=v dir=d interactive=i"
    )
    if not options.operands and "f" in options:
        return 0
    files, recursive = files_of(process), options.any_of("rR")

    def remove(path: str) -> None:
        found = files.find(path, follow=False)
        if found is None:
            if "f" not in options:
                files.stat(path, follow=False)
        elif stat.S_ISDIR(found.st_mode) and not recursive:
            raise IsADirectoryError(errno.EISDIR, "Is a directory", path)
        else:
            remove_tree(files, path)

    return await _each(process, options, "cannot remove '{}'", remove)


def remove_tree(files: Files, path: str) -> None:
    """Remove a file, or a directory with all that is below it."""
    if path.rstrip("/").rpartition("/")[2] in (".", "..", ""):
        raise OSError(errno.EINVAL, "refusing to remove '.', '..' or '/'", path)
    for entry in list(walk(files, path.rstrip("/"), bottom_up=True)):
        (files.rmdir if entry.is_directory else files.remove)(entry.path)


async def touch(process: Process) -> int:
    """Make files, or set their time."""
    options = parse(process.arguments, "acmd:t:r:h", "no-create=c date:=d reference:=r")
    files = files_of(process)
    times = _times(files, options)

    def work(path: str) -> None:
        if "c" in options and files.find(path) is None:
            return
        files.touch(path)
        if times is not None:
            files.set_times(path, times)

    return await _each(process, options, "cannot touch '{}'", work)


def _times(files: Files, options: Options) -> tuple[float, float] | None:
    if "r" in options:
        found = files.stat(options.value("r"))
        return found.st_atime, found.st_mtime
    if "d" not in options:
        return None
    text = options.value("d")
    try:
        at = float(text[1:]) if text.startswith("@") else _moment(text)
    except ValueError:
        raise UsageError(f"invalid date format '{text}'") from None
    return at, at


def _moment(text: str) -> float:
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


async def ln(process: Process) -> int:
    """Links; -s symbolic, -f in place of what is there."""
    options = parse(process.arguments, "sfnvrT", "symbolic=s force=f no-dereference=n")
    if not options.operands:
        raise UsageError("missing file operand")
    files, (*sources, last) = files_of(process), options.operands
    if not sources:
        sources, last = [last], "."
    into = files.is_directory(last) and "n" not in options
    for source in sources:
        path = below(last, source.rstrip("/").rpartition("/")[2]) if into else last
        if "f" in options and files.find(path, follow=False) is not None:
            files.remove(path)
        (files.symlink if "s" in options else files.link)(source, path)
    return 0


async def chmod(process: Process) -> int:
    """Change modes."""
    words = list(process.arguments)
    mode_at = next((at for at, word in enumerate(words) if word not in ("-R", "-f", "-v")), -1)
    if mode_at < 0 or mode_at == len(words) - 1:
        raise UsageError("missing operand")
    mode = words.pop(mode_at)
    options = parse(words, "Rfv")
    files = files_of(process)

    def work(path: str) -> None:
        paths = [each.path for each in walk(files, path)] if "R" in options else [path]
        for each in paths:
            found = files.stat(each)
            directory = stat.S_ISDIR(found.st_mode)
            files.chmod(each, changed(found.st_mode & 0o7777, mode, directory=directory))

    return await _each(process, options, "cannot access '{}'", work)


async def chown(process: Process) -> int:
    """Everything is root's, and stays so: other owners are refused."""
    options = parse(process.arguments, "Rhfv")
    if len(options.operands) < 2:
        raise UsageError("missing operand")
    owner, *paths = options.operands
    if set(owner.replace(".", ":").split(":")) - {"", "0", "root"}:
        raise PermissionError(errno.EPERM, "Operation not permitted", paths[0])
    for path in paths:
        files_of(process).stat(path)
    return 0


async def mktemp(process: Process) -> int:
    """A new file, or with -d directory, that nobody else has."""
    import secrets

    options = parse(process.arguments, "dqup:t", "directory=d quiet=q tmpdir:=p dry-run=u")
    template = next(iter(options.operands), MKTEMP)
    head = template.rstrip("X")
    count = len(template) - len(head)
    if count < 3:
        raise UsageError(f"too few X's in template '{template}'")
    path = head + secrets.token_hex(count)[:count]
    if "p" in options:
        path = below(options.value("p") or "/tmp", path.rpartition("/")[2])
    files = files_of(process)
    if "d" in options:
        files.mkdir(path, 0o700)
    else:
        files.create(path, exclusive=True, mode=0o600).close()
    await process.write(path + "\n")
    return 0
