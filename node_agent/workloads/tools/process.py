"""A command in a container: its words, environment, directory and streams. Every tool's interface.

A tool is a module with `async def run(process: Process) -> int`, named in `names.TOOLS`. It reads
and writes bytes, sees the container's files through `process.root`, and uses asyncio's ordinary
calls for the network: it runs in the pod's context. It does not catch cancellation, which is how a
signal ends it. An OSError that it raises is said as the real tools say it, with exit code 1; a
Failed carries a text and a code of its own.

    Input   `read`, `readline`; b"" is the end
    Output  `write`; waits while the reader is slow, BrokenPipeError when it is gone
    Pipe    both, bounded
"""

import asyncio
import signal
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import field, replace
from typing import TYPE_CHECKING, Any, Protocol

from cluster.dataclass import dataclass
from node_agent.workloads.workload import EXIT_FAILED, ContainerContext

if TYPE_CHECKING:
    from node_agent.workloads.tools.root import Root
    from node_agent.workloads.tools.terminal import Terminal

READ_BYTES = 65536
PIPE_BYTES_MAX = 65536
LINE_BYTES_MAX = 1 << 20  # a longer line comes in parts
PROCESSES_MAX = 256  # of one container, besides its program
FIRST_PID = 2  # 1 is the container's program
PID_MAX = 32768
EXIT_NOT_EXECUTABLE = 126
SIGNALLED = 128


class Input(Protocol):
    """Where a command reads."""

    async def read(self, limit: int = READ_BYTES) -> bytes:
        """What there is, at most `limit` bytes; waits for some; b"" at the end."""

    async def readline(self) -> bytes:
        """One line with its line end (the last may have none); b"" at the end."""


class Output(Protocol):
    """Where a command writes."""

    @property
    def isatty(self) -> bool:
        """Whether a person looks at it: what `ls` makes columns for."""

    async def write(self, data: bytes) -> None:
        """Write all of it; waits while its reader is slow; BrokenPipeError when it is gone."""


@dataclass(slots=True)
class Window:
    """The size of a terminal's window; whoever learns of another size sets it here."""

    columns: int = 80
    rows: int = 24


class RunsInContainer(Protocol):
    """Runs commands in one running container: what exec, probes and hooks ask."""

    async def run(
        self,
        command: Sequence[str],
        *,
        stdin: Input,
        stdout: Output,
        stderr: Output,
        tty: bool = False,
        resize: Window | None = None,
    ) -> int:
        """Run a command to its end; the exit code (126 not executable, 127 not found).

        With `tty`, bytes come as a keyboard sends them and go as a terminal shows them: echo, line
        editing and the interrupt key are this side's matter, and all output goes to `stdout`. When
        the caller is cancelled, the command is.
        """


Tool = Callable[["Process"], Awaitable[int]]


class Failed(Exception):
    """A tool gives up: a text for standard error (without the tool's name) and an exit code."""

    def __init__(self, text: str, code: int = EXIT_FAILED) -> None:
        super().__init__(text)
        self.code = code


class BufferedInput:
    """Reading in pieces and in lines, on top of `more`."""

    def __init__(self) -> None:
        self._ahead = b""

    async def more(self) -> bytes:
        """The next bytes from the source; b"" at its end."""
        raise NotImplementedError

    async def read(self, limit: int = READ_BYTES) -> bytes:
        """At most `limit` bytes; b"" at the end."""
        data = self._ahead or await self.more()
        self._ahead = data[limit:]
        return data[:limit]

    async def readline(self) -> bytes:
        """One line with its line end; b"" at the end."""
        parts: list[bytes] = []
        held = 0
        while True:
            data = self._ahead or await self.more()
            end = data.find(b"\n") + 1
            if end or not data or held + len(data) >= LINE_BYTES_MAX:
                end = end or len(data)
                self._ahead = data[end:]
                parts.append(data[:end])
                return b"".join(parts)
            self._ahead = b""
            parts.append(data)
            held += len(data)


class Bytes(BufferedInput):
    """Input from bytes that are there."""

    def __init__(self, data: bytes = b"") -> None:
        super().__init__()
        self._ahead = data

    async def more(self) -> bytes:
        return b""


class Pipe(BufferedInput):
    """A pipe: what one side writes the other reads, at most PIPE_BYTES_MAX ahead."""

    isatty = False

    def __init__(self) -> None:
        super().__init__()
        self._chunks: deque[bytes] = deque()
        self._held = 0
        self._changed = asyncio.Event()
        self._writer_closed = self._reader_closed = False

    async def more(self) -> bytes:
        while not self._chunks:
            if self._writer_closed:
                return b""
            await self._change()
        data = self._chunks.popleft()
        self._held -= len(data)
        self._tell()
        return data

    async def write(self, data: bytes) -> None:
        """Write all of it, part by part as there is room."""
        while data:
            while self._held >= PIPE_BYTES_MAX and not self._reader_closed:
                await self._change()
            if self._reader_closed or self._writer_closed:
                raise BrokenPipeError("the reader of the pipe is gone")
            part, data = data[: PIPE_BYTES_MAX - self._held], data[PIPE_BYTES_MAX - self._held :]
            self._chunks.append(part)
            self._held += len(part)
            self._tell()
            await asyncio.sleep(0)  # the reader and others get their turn before it is full

    def close_write(self) -> None:
        """Nothing more comes: the reader sees the end after what was written."""
        self._writer_closed = True
        self._tell()

    def close_read(self) -> None:
        """Nobody reads any more: who writes gets BrokenPipeError."""
        self._reader_closed = True
        self._chunks.clear()
        self._held = 0
        self._tell()

    def _tell(self) -> None:
        self._changed.set()

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()


class Captured:
    """Output kept in memory, its beginning alone once it is longer than `limit` bytes."""

    isatty = False

    def __init__(self, limit: int = 1 << 24) -> None:
        self.data = bytearray()
        self._limit = limit

    async def write(self, data: bytes) -> None:
        await asyncio.sleep(0)  # it never is full: others get their turn
        self.data += data[: max(0, self._limit - len(self.data))]

    @property
    def text(self) -> str:
        """What was written, as text."""
        return self.data.decode("utf-8", "replace")


class Discarded:
    """/dev/null, for writing."""

    isatty = False

    async def write(self, data: bytes) -> None:
        """It is gone."""
        await asyncio.sleep(0)


@dataclass(slots=True, kw_only=True, eq=False)
class Process:
    """One command that runs in a container."""

    argv: tuple[str, ...]
    environ: dict[str, str]
    root: "Root"  # the container's files
    stdin: Input
    stdout: Output
    stderr: Output
    ctx: ContainerContext
    table: "ProcessTable"
    directory: str = "/"  # absolute, in the container
    tty: bool = False
    terminal: "Terminal | None" = None  # the controlling terminal, if there is one
    umask: int = 0o022
    pid: int = 0  # 0 until the table has it
    parent: int = 0
    ignored: frozenset[int] = frozenset()  # signals that do not end it
    handlers: dict[int, Callable[[int], None]] = field(default_factory=dict)  # what it traps
    task: asyncio.Task[Any] | None = field(default=None, repr=False)
    signalled: int = 0  # the signal that ends it
    started: float = 0.0

    @property
    def name(self) -> str:
        """What it was called by, without directories: how its messages begin."""
        return self.argv[0].rsplit("/", 1)[-1] if self.argv else ""

    @property
    def arguments(self) -> tuple[str, ...]:
        """What follows its name."""
        return self.argv[1:]

    def fork(self, argv: Sequence[str], **changes: Any) -> "Process":
        """Another command in the same surroundings, but for the changes; not yet started."""
        own = {"environ": dict(self.environ), "pid": 0, "parent": self.pid, "task": None}
        return replace(self, argv=tuple(argv), **{**own, "signalled": 0, "handlers": {}, **changes})

    async def write(self, text: str | bytes) -> None:
        """Write to standard output."""
        await self.stdout.write(
            text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
        )

    async def complain(self, text: str) -> None:
        """Say on standard error what is wrong, after the tool's name."""
        await self.stderr.write(f"{self.name}: {text}\n".encode("utf-8", "surrogateescape"))

    def signal(self, number: int) -> None:
        """Send it a signal: it ends, unless it ignores or handles that one."""
        if number in self.handlers and number != signal.SIGKILL:
            self.handlers[number](number)
            return
        ends = number not in (0, signal.SIGCHLD, signal.SIGCONT, signal.SIGWINCH)
        if ends and (number == signal.SIGKILL or number not in self.ignored):
            self.signalled = self.signalled or number
            if self.task is not None:
                self.task.cancel()


class ProcessTable:
    """The commands that run in one container, by their numbers."""

    def __init__(self) -> None:
        self._processes: dict[int, Process] = {}
        self._next = FIRST_PID

    def enter(self, process: Process, task: asyncio.Task[Any], now: float) -> None:
        """A command starts; BlockingIOError when too many run (fork's EAGAIN)."""
        if len(self._processes) >= PROCESSES_MAX:
            raise BlockingIOError("Resource temporarily unavailable")
        if not process.pid:
            while self._next in self._processes:
                self._next = self._next + 1 if self._next < PID_MAX else FIRST_PID
            process.pid = self._next
            self._next = process.pid + 1 if process.pid < PID_MAX else FIRST_PID
        process.task, process.started = task, now
        self._processes[process.pid] = process

    def leave(self, process: Process) -> None:
        """A command has ended."""
        self._processes.pop(process.pid, None)

    def find(self, pid: int) -> Process | None:
        """The command with a number."""
        return self._processes.get(pid)

    def all(self) -> list[Process]:
        """Every command, oldest first."""
        return sorted(self._processes.values(), key=lambda each: (each.started, each.pid))
