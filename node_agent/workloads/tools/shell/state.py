"""What a shell remembers: variables, functions, options, jobs, streams."""

import asyncio

from node_agent.workloads.tools.files import Files
from node_agent.workloads.tools.process import Process
from node_agent.workloads.tools.shell.expansion import ExpansionFault
from node_agent.workloads.tools.shell.redirection import Streams
from node_agent.workloads.tools.shell.syntax import Command

NESTING_MAX = 40  # of functions, substitutions and compound commands
VALUE_CHARS_MAX = 1 << 20
VARIABLES_MAX = 10_000
EXIT_FATAL = 2


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


class State:
    """`process` is the shell's own process."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.variables: dict[str, str] = dict(process.environ)
        self.exported: set[str] = set(process.environ)
        self.read_only: set[str] = set()
        self.functions: dict[str, Command] = {}
        self.aliases: dict[str, str] = {}
        self.locals: list[dict[str, str | None]] = []
        self.positional: list[str] = []
        self.options: set[str] = set()
        self.traps: dict[str, str] = {}
        self.name = "sh"
        self.status = 0
        self.substituted = 0  # the status of the last $(...)
        self.loops = 0
        self.jobs: dict[int, tuple[Process, asyncio.Task[int]]] = {}
        self.last_job = 0
        self.streams = Streams.of(process)
        self.pending: list[str] = []  # traps of signals that have come
        self.woken = asyncio.Event()  # a trapped signal has come
        self._unchecked = 0  # inside a condition: `set -e` does not act
        self._nesting = 0

    def reset(self) -> None:
        """A person's line has ended, in whatever way."""
        self.loops = self._nesting = self._unchecked = 0
        self.locals.clear()
        self.streams = Streams.of(self.process)

    def copy_to(self, other: "State") -> None:
        """Make another one a subshell of this one."""
        other.process = self.process.fork(self.process.argv, pid=self.process.pid)
        other.process.task = self.process.task
        for name in ("variables", "exported", "read_only", "functions", "aliases", "options"):
            setattr(other, name, getattr(self, name).copy())
        other.positional = list(self.positional)
        other.name, other.status, other.streams = self.name, self.status, self.streams
        other._unchecked, other._nesting = self._unchecked, self._nesting + 1
        other.last_job, other.loops = self.last_job, self.loops

    # Variables

    @property
    def files(self) -> Files:
        """The files as seen from the working directory."""
        return Files(self.process.root, self.process.directory, self.process.umask)

    def option(self, name: str) -> bool:
        """Whether an option such as -e is set."""
        return name in self.options

    def assign(self, name: str, value: str) -> None:
        """Set a variable."""
        if name in self.read_only:
            raise ExpansionFault(f"{name}: is read only")
        if len(value) > VALUE_CHARS_MAX or len(self.variables) >= VARIABLES_MAX:
            raise ExpansionFault(f"{name}: the value is too long")
        self.variables[name] = value
        if self.option("a"):
            self.exported.add(name)

    def special(self, name: str) -> str | None:
        """The value of a parameter; None when it is not set."""
        if name.isdecimal():
            number = int(name)
            if number == 0:
                return self.name
            return self.positional[number - 1] if number <= len(self.positional) else None
        match name:
            case "?":
                return str(self.status)
            case "$":
                return str(self.process.pid)
            case "!":
                return str(self.last_job) if self.last_job else None
            case "#":
                return str(len(self.positional))
            case "-":
                return "".join(sorted(each for each in self.options if len(each) == 1))
            case "@" | "*":
                return " ".join(self.positional)
            case "PWD":
                return self.process.directory
            case "RANDOM" if name not in self.variables:
                from random import randrange

                return str(randrange(32768))
        return self.variables.get(name)

    def environ(self, extra: dict[str, str] | None = None) -> dict[str, str]:
        """What a command inherits."""
        found = {each: self.variables[each] for each in self.exported if each in self.variables}
        return {**found, "PWD": self.process.directory, **(extra or {})}
