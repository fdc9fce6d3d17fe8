"""What a program finds around it: sys.stdout, sys.stderr, os.environ, logging, modules of its own.

Containers share the node's process, so these are replaced once by versions that look at whose code
is running (`program.PROGRAM`): inside a container they are the container's, outside the process's
own. Imports are in `modules`. An installed package is shared all the same: what it read of
os.environ while it was imported is what its first container had.
"""

import asyncio
import io
import logging
import os
import sys
import traceback
from collections.abc import Callable, Iterator, MutableMapping
from typing import Any, TextIO

from node_agent.workloads import modules
from node_agent.workloads.program import PROGRAM, Contained, Program, adopt

PROJECT = ("cluster", "node_agent")  # loggers that speak of the node, whatever the context
LOG_FORMAT = logging.Formatter(logging.BASIC_FORMAT)


class ContextStream(io.TextIOBase):
    """sys.stdout or sys.stderr: the container's in a container, the process's elsewhere."""

    def __init__(self, name: str, outside: TextIO) -> None:
        self._name = name
        self._outside = outside

    @property
    def current(self) -> TextIO:
        """The stream that a write goes to now."""
        program = PROGRAM.get()
        if program is None:
            return self._outside
        stream: TextIO = getattr(program.ctx, self._name)
        return stream

    @property
    def buffer(self) -> Any:
        """The binary stream beneath."""
        return self.current.buffer

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self.current.encoding

    def write(self, text: str) -> int:
        return self.current.write(text)

    def flush(self) -> None:
        self.current.flush()

    def isatty(self) -> bool:
        return self.current.isatty()

    def fileno(self) -> int:
        return self.current.fileno()

    def writable(self) -> bool:
        return True


class ContextEnviron(MutableMapping[str, str]):
    """os.environ: the container's environment in a container, the process's elsewhere."""

    def __init__(self, outside: MutableMapping[str, str]) -> None:
        self._outside = outside

    @property
    def current(self) -> MutableMapping[str, str]:
        """The environment that is looked at now."""
        program = PROGRAM.get()
        return self._outside if program is None else program.environ

    def __getitem__(self, name: str) -> str:
        return self.current[name]

    def __setitem__(self, name: str, value: str) -> None:
        self.current[name] = value

    def __delitem__(self, name: str) -> None:
        del self.current[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.current)

    def __len__(self) -> int:
        return len(self.current)

    def copy(self) -> dict[str, str]:
        """As os.environ has it."""
        return dict(self.current)

    def __or__(self, other: Any) -> dict[str, str]:
        return {**self.current, **other}

    def __ror__(self, other: Any) -> dict[str, str]:
        return {**other, **self.current}


class ContainerLogging(logging.Handler):
    """Log records of a container's code go to its standard error, as basicConfig sends them."""

    def emit(self, record: logging.LogRecord) -> None:
        program = _author(record)
        if program is not None:
            program.ctx.stderr.write(LOG_FORMAT.format(record) + "\n")


def _author(record: logging.LogRecord) -> Program | None:
    if record.name.partition(".")[0] in PROJECT:
        return None
    return PROGRAM.get()


def _of_the_node(record: logging.LogRecord) -> bool:
    return _author(record) is None


def install(loop: asyncio.AbstractEventLoop) -> Callable[[], None]:
    """Put all of it in place, once a process; the result takes it away again."""
    root = logging.getLogger()
    before = sys.stdout, sys.stderr, os.environ, list(root.handlers)
    ours = ContainerLogging()
    for handler in before[3]:
        handler.addFilter(_of_the_node)
    root.addHandler(ours)
    sys.stdout = ContextStream("stdout", sys.stdout)
    sys.stderr = ContextStream("stderr", sys.stderr)
    os.environ = ContextEnviron(os.environ)  # type: ignore[assignment]  # noqa: B003
    loop.set_task_factory(adopt)  # type: ignore[arg-type]
    loop.set_exception_handler(_explain)
    undo_imports = modules.install(modules.Importer())

    def undo() -> None:
        undo_imports()
        sys.stdout, sys.stderr, os.environ = before[0], before[1], before[2]
        root.removeHandler(ours)
        for handler in before[3]:
            handler.removeFilter(_of_the_node)
        loop.set_task_factory(None)
        loop.set_exception_handler(None)

    return undo


def _explain(loop: asyncio.AbstractEventLoop, happened: dict[str, Any]) -> None:
    """What a program's task or callback failed with belongs into the program's log."""
    program = _owner(happened)
    if program is None:
        loop.default_exception_handler(happened)
        return
    error = happened.get("exception")
    print(happened.get("message", "unhandled error"), file=program.ctx.stderr)
    if error is not None:
        traceback.print_exception(error, file=program.ctx.stderr)


def _owner(happened: dict[str, Any]) -> Program | None:
    task = happened.get("task") or happened.get("future")
    coro = task.get_coro() if isinstance(task, asyncio.Task) else None
    return coro.program if isinstance(coro, Contained) else PROGRAM.get()
