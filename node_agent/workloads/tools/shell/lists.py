"""What a shell runs one after the other and at once: lists, pipelines, background jobs.

Each command of a pipeline, a subshell and what `$(...)` holds run in a copy of the shell, as tasks
of their own. Cancelling the shell's task cancels all that it waits for. Between commands the event
loop gets its turn, so that an endless loop blocks nobody and can be ended.
"""

import asyncio
import signal
from abc import abstractmethod
from collections.abc import Coroutine, Sequence
from typing import Any, Self

from node_agent.workloads.tools import running
from node_agent.workloads.tools.process import (
    PROCESSES_MAX,
    SIGNALLED,
    Captured,
    Failed,
    Pipe,
)
from node_agent.workloads.tools.shell.expansion import ExpansionFault
from node_agent.workloads.tools.shell.parser import parse
from node_agent.workloads.tools.shell.state import (
    EXIT_FATAL,
    NESTING_MAX,
    VALUE_CHARS_MAX,
    Exit,
    Leave,
    State,
)
from node_agent.workloads.tools.shell.syntax import Command, Item, Pipeline, Script

JOBS_KEPT = 64  # ended ones, for `wait`


class Lists(State):
    """Runs items and pipelines; the shell itself knows their commands."""

    @abstractmethod
    def copy(self) -> Self:
        """A subshell."""

    @abstractmethod
    async def command(self, command: Command) -> int:
        """Run one command; its status."""

    async def substitute(self, body: Script) -> str:
        """What a script writes to its standard output."""
        said = Captured(VALUE_CHARS_MAX)
        shell = self.copy()
        shell.streams = self.streams.with_stream(1, said)
        self.substituted = await shell.in_subshell(shell.script(body))
        return said.data.replace(b"\0", b"").decode("utf-8", "surrogateescape")

    async def in_subshell(self, work: Coroutine[Any, Any, int]) -> int:
        """Run something whose end ends this copy alone; its exit status."""
        if self._nesting > NESTING_MAX:
            work.close()
            raise Failed("too deeply nested", EXIT_FATAL)
        try:
            self.status = await work
        except Leave as leave:
            self.status = leave.status
        except BrokenPipeError:
            self.status = SIGNALLED + signal.SIGPIPE
        except ExpansionFault as fault:
            self.status = await self.say(str(fault), 2)
        return self.status

    async def script(self, script: Script) -> int:
        """Run items in order."""
        for item in script:
            await asyncio.sleep(0)
            if self.pending:
                await self.run_traps()
            await self._item(item)
        return self.status

    async def run_traps(self) -> None:
        """Run what was set for signals that have come."""
        waiting, self.pending = self.pending, []
        for text in waiting:
            status = self.status
            await self.script(parse(text))
            self.status = status

    async def _item(self, item: Item) -> None:
        if item.background:
            await self._in_background(item)
            return
        await self._checked(item.first, last=not item.rest)
        for index, (operator, pipeline) in enumerate(item.rest):
            if (operator == "&&") == (self.status == 0):
                await self._checked(pipeline, last=index == len(item.rest) - 1)

    async def _checked(self, pipeline: Pipeline, *, last: bool) -> None:
        """Run a pipeline; `set -e` ends the shell where a failure is nobody's condition."""
        tested = not last or pipeline.negated
        self._unchecked += tested
        try:
            self.status = await self._pipeline(pipeline)
        finally:
            self._unchecked -= tested
        if pipeline.negated:
            self.status = int(self.status == 0)
        elif self.status and last and not self._unchecked and self.option("e"):
            raise Exit(self.status)

    async def condition(self, script: Script) -> bool:
        """Whether a script succeeds; its failures are no errors."""
        self._unchecked += 1
        try:
            return await self.script(script) == 0
        finally:
            self._unchecked -= 1

    async def _pipeline(self, pipeline: Pipeline) -> int:
        if len(pipeline.commands) == 1:
            return await self.command(pipeline.commands[0])
        works, source = [], None
        for index, command in enumerate(pipeline.commands):
            sink = Pipe() if index < len(pipeline.commands) - 1 else None
            works.append(self._stage(command, source, sink))
            source = sink
        statuses = await self.together(works)
        if self.option("pipefail"):
            return next((each for each in reversed(statuses) if each), 0)
        return statuses[-1]

    async def _stage(self, command: Command, source: Pipe | None, sink: Pipe | None) -> int:
        """One command of a pipeline: its ends are closed when it ends."""
        shell = self.copy()
        if source is not None:
            shell.streams = shell.streams.with_stream(0, source)
        if sink is not None:
            shell.streams = shell.streams.with_stream(1, sink)
        try:
            return await shell.in_subshell(shell.command(command))
        finally:
            if source is not None:
                source.close_read()
            if sink is not None:
                sink.close_write()

    async def together(self, works: Sequence[Coroutine[Any, Any, int]]) -> list[int]:
        """Run all at once; when the shell is cancelled they are, and have ended."""
        loop = asyncio.get_running_loop()
        tasks = [loop.create_task(work, name="shell") for work in works]
        try:
            await asyncio.wait(tasks)
        except asyncio.CancelledError:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            raise
        return [SIGNALLED + signal.SIGTERM if task.cancelled() else task.result() for task in tasks]

    async def _in_background(self, item: Item) -> None:
        if len(self.jobs) >= JOBS_KEPT:
            self.jobs = {pid: job for pid, job in self.jobs.items() if not job[1].done()}
        if len(self.jobs) >= PROCESSES_MAX:
            raise Failed("can't fork: Resource temporarily unavailable")
        shell = self.copy()
        shell.streams = shell.streams.without_input()
        process = shell.process
        process.pid, process.task, process.parent = 0, None, self.process.pid
        alone = (Item(item.first, item.rest),)
        task = running.start(process, lambda: shell.in_subshell(shell.script(alone)))
        self.last_job, self.status = process.pid, 0
        self.jobs[process.pid] = process, task

    # Signals and messages

    def interrupt(self, name: str) -> None:
        """A trapped signal has come: its commands run once the present one has ended."""
        self.pending.append(self.traps.get(name, ""))
        self.woken.set()

    async def interruptible(self, work: Coroutine[Any, Any, int]) -> int:
        """`wait`, which a trapped signal ends."""
        task = asyncio.get_running_loop().create_task(work, name="shell wait")
        woken = asyncio.get_running_loop().create_task(self.woken.wait(), name="shell signal")
        self.woken.clear()
        try:
            await asyncio.wait([task, woken], return_when=asyncio.FIRST_COMPLETED)
            return task.result() if task.done() else SIGNALLED + signal.SIGTERM
        finally:
            task.cancel()
            woken.cancel()
            await asyncio.wait([task, woken])

    async def say(self, text: str, status: int) -> int:
        """Say what is wrong; the status."""
        await self.streams.write(2, f"{self.name}: {text}\n")
        self.status = status
        return status
