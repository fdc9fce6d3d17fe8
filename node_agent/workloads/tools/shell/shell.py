"""One shell: how each kind of command is run, from its words and redirections to its status."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from node_agent.workloads.tools import running
from node_agent.workloads.tools.matching import in_time
from node_agent.workloads.tools.process import (
    Failed,
    Process,
)
from node_agent.workloads.tools.shell import patterns
from node_agent.workloads.tools.shell.expansion import Expander
from node_agent.workloads.tools.shell.lists import Lists
from node_agent.workloads.tools.shell.redirection import Streams, redirected
from node_agent.workloads.tools.shell.state import EXIT_FATAL, NESTING_MAX, Exit, Loop, Return
from node_agent.workloads.tools.shell.syntax import (
    Case,
    Command,
    For,
    Function,
    Group,
    If,
    Redirect,
    Script,
    ShellSyntaxError,
    Simple,
    While,
)

Builtin = Callable[["Shell", Sequence[str], Streams], Awaitable[int]]


class Shell(Lists):
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
                pattern = await self._expander.pattern(choice)
                if in_time(partial(patterns.matches, pattern, text)):
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
