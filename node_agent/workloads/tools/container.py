"""Runs commands in one container: what exec, probes, hooks and a container's own command use."""

import asyncio
import contextvars
import signal
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from cluster.errors import ClusterError
from node_agent.workloads.program import PROGRAM
from node_agent.workloads.tools import running
from node_agent.workloads.tools.process import (
    EXIT_NOT_EXECUTABLE,
    Input,
    Output,
    Process,
    ProcessTable,
    Window,
)
from node_agent.workloads.tools.root import Root
from node_agent.workloads.workload import EXIT_NOT_FOUND, ContainerContext

if TYPE_CHECKING:
    from node_agent.workloads.tools.terminal import Terminal

HOME = "/root"
MAIN_PID = 1
NOT_FOUND = (
    'exec failed: unable to start container process: exec: "{}": '
    "executable file not found in $PATH\n"
)


class ContainerCommands:
    """Implements `process.RunsInContainer` for one run of a container.

    Commands run in `context`, so on the pod's network and as part of the container's program: they
    end with it. The container's root is made at the first of them.
    """

    def __init__(
        self,
        ctx: ContainerContext,
        context: contextvars.Context,
        root: Callable[[], Awaitable[Root]],
    ) -> None:
        self.table = ProcessTable()
        self._ctx = ctx
        self._context = context
        self._root = root

    async def run(
        self,
        command: Sequence[str],
        *,
        stdin: Input,
        stdout: Output,
        stderr: Output,
        tty: bool = False,
        resize: Window | None = None,
        main: bool = False,
    ) -> int:
        """See `RunsInContainer.run`; `main` is the container's own program, process 1."""
        terminal = _terminal(stdin, stdout, resize) if tty else None
        try:
            process = await self.process(command, stdin=stdin, stdout=stdout, stderr=stderr)
        except ClusterError as error:  # its files cannot be made now
            await stderr.write(f"exec failed: {error}\n".encode())
            return EXIT_NOT_EXECUTABLE
        process.pid = MAIN_PID if main else 0
        if not running.exists(process):
            await stderr.write(NOT_FOUND.format(command[0] if command else "").encode())
            return EXIT_NOT_FOUND
        if terminal is not None:
            process.stdin, process.stdout, process.stderr = (
                terminal,
                terminal.output,
                terminal.output,
            )
            process.tty, process.terminal = True, terminal
            process.environ.setdefault("TERM", "xterm")
        program = self._context.get(PROGRAM)
        if program is not None and program.exited:  # while the files were made, or the client came
            await stderr.write(b"exec failed: container not running\n")
            return EXIT_NOT_EXECUTABLE
        work = self._on_terminal(process, terminal) if terminal else running.run(process)
        task = asyncio.get_running_loop().create_task(
            work, name="command", context=self._context.copy()
        )
        try:
            return await _ends_with(task)
        except BlockingIOError as error:  # as many run as may
            await stderr.write(f"exec failed: can't fork: {error}\n".encode())
            return EXIT_NOT_EXECUTABLE

    def signal_program(self, number: int) -> None:
        """`kill 1`: a signal for the container's program."""
        program = self._context.get(PROGRAM)
        if program is None:
            return
        if number == signal.SIGKILL:
            program.kill()
        else:
            program.signal(number)

    async def process(
        self, command: Sequence[str], *, stdin: Input, stdout: Output, stderr: Output
    ) -> Process:
        """A command in the container's surroundings, not yet started."""
        environ = dict(self._ctx.env)
        environ.setdefault("HOME", HOME)
        directory = str(self._ctx.container.get("workingDir") or "/")
        return Process(
            argv=tuple(command),
            environ=environ,
            root=await self._root(),
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            ctx=self._ctx,
            table=self.table,
            directory=directory,
        )

    async def _on_terminal(self, process: Process, terminal: "Terminal") -> int:
        terminal.interrupt = process.signal
        keys = asyncio.get_running_loop().create_task(terminal.follow(), name="terminal")
        try:
            return await running.run(process)
        finally:
            keys.cancel()
            await asyncio.wait([keys])


def _terminal(stdin: Input, stdout: Output, window: Window | None) -> "Terminal":
    """A terminal; imported at the first, which a start of the node need not wait for."""
    from node_agent.workloads.tools.terminal import Terminal

    return Terminal(stdin, stdout, window)


async def _ends_with(task: "asyncio.Task[int]") -> int:
    """Wait for a task; when the caller is cancelled, so is the task, and has ended then."""
    try:
        await asyncio.wait([task])
    except asyncio.CancelledError:
        task.cancel()
        await asyncio.wait([task])
        raise
    if task.cancelled():
        return 128 + signal.SIGKILL  # the container ended, and its commands with it
    return task.result()
