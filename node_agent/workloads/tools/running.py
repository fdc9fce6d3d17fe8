"""From the words of a command to a tool that runs, and from how it ended to an exit code.

A command runs as a task of its own, so that `kill` ends it alone: a signal cancels the task, and
the exit code is 128 and the signal's number. Names are looked up along PATH in the container's
files; what lies in the directory of tools is a tool, any other file that is executable a script.
"""

import asyncio
import errno
import importlib
import os
import signal
import stat
import time
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from node_agent.workloads.tools.files import Files
from node_agent.workloads.tools.names import PACKAGE, TOOLS
from node_agent.workloads.tools.options import UsageError
from node_agent.workloads.tools.process import (
    EXIT_NOT_EXECUTABLE,
    SIGNALLED,
    Failed,
    Process,
    Tool,
)
from node_agent.workloads.workload import EXIT_FAILED, EXIT_NOT_FOUND

TOOLS_DIRECTORY = "/bin"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
INTERPRETER_DEPTH_MAX = 4
FIRST_LINE_BYTES_MAX = 256

Work = Callable[[], Coroutine[Any, Any, int]]


class NotFound(Exception):
    """No such command."""


def load(name: str) -> Tool:
    """The tool of a name, imported now."""
    module, _, function = TOOLS[name].partition(":")
    found: Tool = getattr(importlib.import_module(f"{PACKAGE}.{module}"), function or "run")
    return found


def which(process: Process, name: str) -> str:
    """The path that a command's name leads to; NotFound when nothing executable has it."""
    if "/" in name:
        return name
    files = files_of(process)
    for directory in process.environ.get("PATH", PATH).split(":"):
        path = f"{directory or '.'}/{name}"
        found = files.find(path)
        if found and stat.S_ISREG(found.st_mode) and found.st_mode & 0o111:
            return path
    raise NotFound(name)


def exists(process: Process) -> bool:
    """Whether there is something of the command's name."""
    try:
        path = which(process, process.argv[0] if process.argv else "")
    except NotFound:
        return False
    return files_of(process).find(path) is not None


def files_of(process: Process) -> Files:
    """The container's files as a process sees them."""
    return Files(process.root, process.directory, process.umask)


async def call(process: Process) -> int:
    """Run a command in the present task; the exit code. A signal cancels, as ever."""
    try:
        tool, process = _resolved(process)
    except NotFound as missing:
        await process.stderr.write(f"sh: {missing}: not found\n".encode("utf-8", "replace"))
        return EXIT_NOT_FOUND
    except OSError as error:
        await process.stderr.write(f"sh: {process.argv[0]}: {error.strerror}\n".encode())
        return EXIT_NOT_FOUND if error.errno == errno.ENOENT else EXIT_NOT_EXECUTABLE
    return await guarded(tool, process)


async def guarded(tool: Tool, process: Process, *, inside: bool = False) -> int:
    """Run a tool; what it raises is said on standard error.

    A writer whose reader is gone ends as SIGPIPE ends it: `inside` a shell that is the shell.
    """
    try:
        return await tool(process)
    except BrokenPipeError:
        if inside:
            raise
        return SIGNALLED + signal.SIGPIPE
    except UsageError as error:
        return await _complain(process, str(error), error.code)
    except Failed as failure:
        return await _complain(process, str(failure), failure.code)
    except OSError as error:
        return await _complain(process, spoken(error), EXIT_FAILED)
    except RecursionError:
        return await _complain(process, "too deeply nested", EXIT_FAILED)


async def _complain(process: Process, text: str, code: int) -> int:
    try:
        if text:
            await process.complain(text)
    except BrokenPipeError:
        return SIGNALLED + signal.SIGPIPE
    return code


def spoken(error: OSError, path: str = "") -> str:
    """An error as tools say it: "path: No such file or directory"."""
    named = path or error.filename
    text = error.strerror or str(error)
    return f"{named}: {text}" if named else text


def _resolved(process: Process) -> tuple[Tool, Process]:
    """The tool to run, and with which words: a script is run by its interpreter."""
    for _ in range(INTERPRETER_DEPTH_MAX):
        files = files_of(process)
        path = which(process, process.argv[0] if process.argv else "")
        found = files.stat(path)
        if stat.S_ISDIR(found.st_mode) or not found.st_mode & 0o111:
            raise OSError(errno.EACCES, os.strerror(errno.EACCES))
        place = files.place(path)
        directory, _, name = place.path.rpartition("/")
        if directory == TOOLS_DIRECTORY and name in TOOLS:
            return load(name), process
        process.argv = (
            *_interpreter(files.read(path, FIRST_LINE_BYTES_MAX)),
            path,
            *process.argv[1:],
        )
    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))


def _interpreter(head: bytes) -> list[str]:
    first = head.partition(b"\n")[0].decode("utf-8", "replace")
    if b"\0" in head:
        raise OSError(errno.ENOEXEC, os.strerror(errno.ENOEXEC))
    words = first[2:].split(None, 1) if first.startswith("#!") else []
    return [each.strip() for each in words] or ["/bin/sh"]


async def run(process: Process) -> int:
    """Run a command in a task of its own to its end; when the caller is cancelled, it is too."""
    task = start(process)
    try:
        await asyncio.wait([task])
    except asyncio.CancelledError:
        task.cancel()
        await asyncio.wait([task])
        raise
    return _outcome(process, task)


def start(process: Process, work: Work | None = None) -> "asyncio.Task[int]":
    """Begin to run a command; a signal's number is in the exit code that `finished` gives.

    `work` is what the process does if it is no command: a subshell.
    """
    doing = _working(process, work or partial(call, process))
    task = asyncio.get_running_loop().create_task(doing, name=f"command {process.name}")
    try:
        process.table.enter(process, task, time.time())
    except BlockingIOError:
        task.cancel()  # it has not begun
        raise
    task.add_done_callback(lambda _: process.table.leave(process))
    return task


async def _working(process: Process, work: Work) -> int:
    try:
        return await work()
    except asyncio.CancelledError:
        if not process.signalled:
            raise
        return SIGNALLED + process.signalled


async def finished(process: Process, task: "asyncio.Task[int]") -> int:
    """The exit code of what `start` began, whoever cancelled it."""
    await asyncio.wait([task])
    return _outcome(process, task)


def _outcome(process: Process, task: "asyncio.Task[int]") -> int:
    if task.cancelled():
        return SIGNALLED + (process.signalled or signal.SIGKILL)
    return task.result()
