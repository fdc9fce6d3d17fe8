"""One shell: the evaluation of a tree.

A command of a pipeline, a subshell and what `$(...)` holds run in a copy of the shell, as tasks of
their own; an external command is a process of the container (`running`). Cancelling the shell's
task cancels all that it waits for. Between commands the event loop gets its turn, so that an
endless loop blocks nobody and can be ended.
"""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

from node_agent.workloads.tools import running
from node_agent.workloads.tools.process import (
    PROCESSES_MAX,
    SIGNALLED,
    Captured,
    Failed,
    Pipe,
    Process,
)
from node_agent.workloads.tools.shell import patterns
from node_agent.workloads.tools.shell.expansion import Expander, ExpansionFault
from node_agent.workloads.tools.shell.redirection import Streams, redirected
from node_agent.workloads.tools.shell.state import NESTING_MAX, VALUE_CHARS_MAX, State
from node_agent.workloads.tools.shell.syntax import (
    Case,
    Command,
    For,
    Function,
    Group,
    If,
    Item,
    Pipeline,
    Redirect,
    Script,
    ShellSyntaxError,
    Simple,
    While,
)

EXIT_FATAL = 2
JOBS_KEPT = 64  # ended ones, for `wait`

Builtin = Callable[["Shell", Sequence[str], Streams], Awaitable[int]]


class Leave(Exception):
    """Control goes elsewhere; `status` is the exit status."""

    def __init__(self, status: int = 0) -> None:
        super().__init__()
        self.status = status


class Exit(Leave):
    """The shell ends."""


class Return(Leave):
    """A function or a sourced script ends."""


class Loop(Leave):
    """break (or, if `again`, continue) of so many loops."""

    def __init__(self, levels: int, *, again: bool) -> None:
        super().__init__()
        self.levels = levels
        self.again = again


class Shell(State):
    """Evaluation; `process` is the shell's own process."""

    def __init__(self, process: Process, builtins: dict[str, Builtin]) -> None:
        super().__init__(process)
        self.builtins = builtins
        self._expander = Expander(self)
        self._kept: list[Any] = []  # redirections of `exec`, which stay

    def copy(self) -> "Shell":
        """A subshell."""
        other = Shell(self.process, self.builtins)
        self.copy_to(other)
        return other

    async def substitute(self, body: Script) -> str:
        """What a script writes to its standard output."""
        said = Captured(VALUE_CHARS_MAX)
        shell = self.copy()
        shell.streams = self.streams.with_stream(1, said)
        self.substituted = await shell.in_subshell(shell.script(body))
        return said.data.replace(b"\0", b"").decode("utf-8", "surrogateescape")

    # Lists and pipelines

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
        from node_agent.workloads.tools.shell.parser import parse

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
            self.jobs = {pid: task for pid, task in self.jobs.items() if not task.done()}
        if len(self.jobs) >= PROCESSES_MAX:
            raise Failed("can't fork: Resource temporarily unavailable")
        shell = self.copy()
        shell.streams = shell.streams.without_input()
        process = shell.process
        process.pid, process.task, process.parent = 0, None, self.process.pid
        work = shell.in_subshell(shell.script((Item(item.first, item.rest),)))
        task = running.start(process, work)
        self.last_job, self.status = process.pid, 0
        self.jobs[process.pid] = task

    # Commands

    async def command(self, command: Command) -> int:
        """Run one command with its redirections; its status."""
        if isinstance(command, Simple):
            return await self._simple(command)
        if isinstance(command, Function):
            self.functions[command.name] = command.body
            return 0
        self._nesting += 1
        if self._nesting > NESTING_MAX:
            raise Failed("too deeply nested", EXIT_FATAL)
        try:
            return await self.with_redirects(command.redirects, lambda: self._compound(command))
        finally:
            self._nesting -= 1

    async def with_redirects(
        self, redirects: Sequence[Redirect], work: Callable[[], Awaitable[int]]
    ) -> int:
        """Do something while streams lead elsewhere."""
        if not redirects:
            return await work()
        before = self.streams
        try:
            async with redirected(before, redirects, self._expander, self.files) as streams:
                self.streams = streams
                return await work()
        except OSError as error:
            if isinstance(error, BrokenPipeError):
                raise
            self.streams = before
            return await self.say(running.spoken(error), 1)
        finally:
            self.streams = before

    async def _compound(self, command: Command) -> int:
        match command:
            case Group(body, subshell):
                if not subshell:
                    return await self.script(body)
                shell = self.copy()
                return await shell.in_subshell(shell.script(body))
            case If(arms, otherwise):
                return await self._if(arms, otherwise)
            case While():
                return await self._while(command)
            case For():
                return await self._for(command)
            case Case():
                return await self._case(command)
        raise AssertionError(command)

    async def _if(self, arms: Sequence[tuple[Script, Script]], otherwise: Script) -> int:
        for condition, body in arms:
            if await self.condition(condition):
                return await self.script(body)
        self.status = 0
        return await self.script(otherwise)

    async def _while(self, command: While) -> int:
        self.loops += 1
        status = 0
        try:
            while await self.condition(command.condition) != command.until:
                await asyncio.sleep(0)
                if not await self._round(command.body):
                    status = self.status
                    break
                status = self.status
        finally:
            self.loops -= 1
        return status

    async def _for(self, command: For) -> int:
        words = self.positional
        if command.words is not None:
            words = await self._expander.arguments(command.words)
        self.loops += 1
        self.status = 0
        try:
            for word in list(words):
                await asyncio.sleep(0)
                self.assign(command.name, word)
                if not await self._round(command.body):
                    break
        finally:
            self.loops -= 1
        return self.status

    async def _round(self, body: Script) -> bool:
        """One round of a loop; whether there may be another."""
        try:
            await self.script(body)
        except Loop as leave:
            self.status = 0
            if leave.levels > 1 and self.loops > 1:
                raise Loop(leave.levels - 1, again=leave.again) from None
            return leave.again
        return True

    async def _case(self, command: Case) -> int:
        text = await self._expander.text(command.word)
        for choices, body in command.arms:
            for choice in choices:
                if patterns.matches(await self._expander.pattern(choice), text):
                    self.status = 0
                    return await self.script(body)
        return 0

    # Simple commands

    async def _simple(self, command: Simple) -> int:
        try:
            self.substituted = 0
            words = self._unaliased(await self._expander.arguments(command.words))
        except ShellSyntaxError as error:
            raise Exit(await self.say(f"syntax error: {error}", 2)) from None
        if not words:
            return await self.with_redirects(command.redirects, lambda: self._assign_all(command))
        if words[0] == "exec":
            return await self._exec(command, words[1:])
        return await self.with_redirects(
            command.redirects, lambda: self._with_assignments(command, words)
        )

    def _unaliased(self, words: list[str]) -> list[str]:
        known = self.aliases.get(words[0]) if words else None
        return [*known.split(), *words[1:]] if known else words

    async def _assign_all(self, command: Simple) -> int:
        """Assignments alone; their status is that of the last substitution in them."""
        for name, word in command.assignments:
            self.assign(name, await self._expander.text(word))
        await self._trace(command, [])
        return self.substituted

    async def _with_assignments(self, command: Simple, words: list[str]) -> int:
        given = {name: await self._expander.text(word) for name, word in command.assignments}
        await self._trace(command, words, given)
        return await self.call(words, given)

    async def _trace(
        self, command: Simple, words: list[str], given: dict[str, str] | None = None
    ) -> None:
        if not self.option("x"):
            return
        shown = given if given is not None else {}
        if given is None:
            shown = {name: self.variables.get(name, "") for name, _ in command.assignments}
        line = " ".join([*(f"{name}={value}" for name, value in shown.items()), *words])
        await self.streams.write(2, f"+ {line}\n")

    async def call(self, words: Sequence[str], given: dict[str, str] | None = None) -> int:
        """Run a function, a builtin or an external command."""
        name = words[0]
        if name in self.functions:
            return await self._temporarily(given, lambda: self._function(name, words[1:]))
        if name in self.builtins:
            return await self._temporarily(
                given, lambda: self.builtins[name](self, words, self.streams)
            )
        return await self.external(words, given)

    async def external(self, words: Sequence[str], given: dict[str, str] | None = None) -> int:
        """Run a tool or a script as a process."""
        process = self.process.fork(words, environ=self.environ(given), **self.streams.of_process())
        try:
            return await running.run(process)
        except BlockingIOError as error:
            return await self.say(f"can't fork: {error}", 2)

    async def _temporarily(
        self, given: dict[str, str] | None, work: Callable[[], Awaitable[int]]
    ) -> int:
        """Do something while a few variables have other values."""
        before = {name: self.variables.get(name) for name in given or ()}
        for name, value in (given or {}).items():
            self.assign(name, value)
        try:
            return await work()
        finally:
            self.restore(before)

    def restore(self, before: dict[str, str | None]) -> None:
        """Give variables the values that they had."""
        for name, value in before.items():
            if value is None:
                self.variables.pop(name, None)
                self.exported.discard(name)
            else:
                self.variables[name] = value

    async def _function(self, name: str, arguments: Sequence[str]) -> int:
        before, self.positional = self.positional, list(arguments)
        loops, self.loops = self.loops, 0
        self.locals.append({})
        self._nesting += 1
        if self._nesting > NESTING_MAX:
            raise Failed("maximum function nesting level exceeded", EXIT_FATAL)
        try:
            return await self.command(self.functions[name])
        except Return as leave:
            return leave.status
        finally:
            self._nesting -= 1
            self.restore(self.locals.pop())
            self.positional, self.loops = before, loops

    async def _exec(self, command: Simple, words: Sequence[str]) -> int:
        """`exec`: without a command the redirections stay; with one it is the shell's last."""
        if not words:
            try:
                context = redirected(self.streams, command.redirects, self._expander, self.files)
                self.streams = await context.__aenter__()
                self._kept.append(context)
            except OSError as error:
                raise Exit(await self.say(running.spoken(error), 1)) from None
            return 0
        work = lambda: self.external(words)  # noqa: E731
        raise Exit(await self.with_redirects(command.redirects, work))

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
