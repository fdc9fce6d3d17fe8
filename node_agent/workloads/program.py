"""One run of a container's program: its tasks, its signals, its end.

A program is asyncio code inside the node's process. What it starts inherits its context, and the
loop's task factory (`adopt`) notes each of its tasks here. So a container ends as a process does:
all its tasks end with it, and SystemExit in any of them ends the container and nothing else.
"""

import asyncio
import contextvars
import logging
import signal
import traceback
from collections.abc import Coroutine, Generator
from pathlib import Path
from typing import Any
from weakref import WeakSet

from node_agent.cni.pod_context import SIGNALS, SignalTable
from node_agent.workloads.workload import EXIT_FAILED, ContainerContext, Workload

log = logging.getLogger(__name__)

SWEEP_SECONDS = 0.5  # real time that a cancelled task gets to end
SWEEPS_MAX = 4
MACHINERY = (str(Path(__file__).parents[1]) + "/", "<frozen importlib")  # frames nobody wants
SIGNALLED = 128  # exit code of a program ended by signal N: 128 + N

PROGRAM: contextvars.ContextVar["Program | None"] = contextvars.ContextVar("program", default=None)


class Program:
    """A workload that runs in a pod's context."""

    def __init__(
        self, workload: Workload, ctx: ContainerContext, context: contextvars.Context
    ) -> None:
        self.ctx = ctx
        self.environ = dict(ctx.env)  # what os.environ is inside
        self.modules: dict[str, Any] | None = None  # its own, if it is python:// (see `modules`)
        self.failure = ""  # why it failed, if an exception ended it
        self.signals = SignalTable()
        self._workload = workload
        self._context = context
        self._tasks: WeakSet[asyncio.Task[Any]] = WeakSet()
        self._held: asyncio.Task[None] | None = None
        self._exit: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        context.run(SIGNALS.set, self.signals)
        context.run(PROGRAM.set, self)

    def start(self) -> None:
        """Begin to run."""
        name = f"container {self.ctx.namespace}/{self.ctx.pod_name}/{self.ctx.name}"
        loop = asyncio.get_running_loop()
        main = loop.create_task(self._main(), name=name, context=self._context)
        main.add_done_callback(self._main_ended, context=contextvars.Context())
        self._held = main  # the loop holds tasks weakly; asyncio.run holds a program's first
        if main not in self._tasks:  # a loop without our task factory
            self._tasks.add(main)

    async def _main(self) -> None:
        try:
            code = await self._workload.run(self.ctx)
        except Exception as error:
            code = self._fail(explanation(error))
        self.exit(code)

    def _fail(self, why: str) -> int:
        """Say why on standard error; the exit code."""
        self.ctx.stderr.write(why)
        self.failure = self.failure or why
        return EXIT_FAILED

    def leave(self, end: BaseException) -> None:
        """SystemExit or KeyboardInterrupt in any of its tasks; sys.exit("text") says the text."""
        if isinstance(end, SystemExit) and end.code is not None and not isinstance(end.code, int):
            self._fail(f"{end.code}\n")
        self.exit(exit_code_of(end))

    def _main_ended(self, main: asyncio.Task[None]) -> None:
        if not main.cancelled() and (error := main.exception()) is not None:
            self.leave(error)
        self.exit(EXIT_FAILED)  # cancelled by itself; no effect when the code is known

    @property
    def exited(self) -> bool:
        """Whether the exit code is known."""
        return self._exit.done()

    def exit(self, code: int) -> None:
        """The program ends with this code; the first one counts."""
        if not self._exit.done():
            self._exit.set_result(code)

    def signal(self, number: int) -> None:
        """Deliver a signal; without a handler it ends the program."""
        try:
            handled = self.signals.deliver(number)
        except SystemExit as end:
            self.leave(end)
            return
        except Exception:
            traceback.print_exc(file=self.ctx.stderr)
            handled = True
        if number == signal.SIGTERM:
            handled = handled or self.ctx.catches_termination
            self.ctx.terminate()
        if not handled:
            self.exit(SIGNALLED + number)

    def kill(self) -> None:
        """SIGKILL: nothing is asked of the program."""
        self.exit(SIGNALLED + signal.SIGKILL)

    async def wait(self) -> int:
        """The exit code, once the program and all that it started have ended."""
        code = await asyncio.shield(self._exit)
        await self._sweep()
        return code

    async def _sweep(self) -> None:
        for _ in range(SWEEPS_MAX):
            left = [task for task in self._tasks if not task.done()]
            if not left:
                return
            for task in left:
                task.cancel()
            await asyncio.wait(left, timeout=SWEEP_SECONDS)
        log.warning(
            "tasks ignore cancellation and outlive pod=%s/%s container=%s tasks=%d",
            self.ctx.namespace,
            self.ctx.pod_name,
            self.ctx.name,
            sum(not task.done() for task in self._tasks),
        )

    def adopt(self, task: asyncio.Task[Any]) -> asyncio.Task[Any]:
        """Note a task of the program, to end it with the container."""
        self._tasks.add(task)
        return task


class Contained(Coroutine[Any, Any, Any]):
    """A coroutine of a program whose SystemExit ends the container, not the node."""

    __slots__ = ("_inner", "program")

    def __init__(self, program: Program, inner: Coroutine[Any, Any, Any]) -> None:
        self.program = program
        self._inner = inner

    def send(self, value: Any) -> Any:
        try:
            return self._inner.send(value)
        except (SystemExit, KeyboardInterrupt) as end:
            raise self._ended(end) from None

    def throw(self, *error: Any) -> Any:
        try:
            return self._inner.throw(*error)
        except (SystemExit, KeyboardInterrupt) as end:
            raise self._ended(end) from None

    def close(self) -> None:
        self._inner.close()

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._inner.__await__()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def _ended(self, end: BaseException) -> asyncio.CancelledError:
        self.program.leave(end)
        return asyncio.CancelledError()


def adopt(
    loop: asyncio.AbstractEventLoop, coro: Coroutine[Any, Any, Any], **options: Any
) -> asyncio.Task[Any]:
    """The loop's task factory: a task of a program is noted by its program."""
    context: contextvars.Context | None = options.get("context")
    program = PROGRAM.get() if context is None else context.get(PROGRAM)
    if program is None:
        return asyncio.Task(coro, loop=loop, **options)
    return program.adopt(asyncio.Task(Contained(program, coro), loop=loop, **options))


def exit_code_of(error: BaseException) -> int:
    """What a process would exit with: sys.exit() is 0, sys.exit("text") is 1."""
    if isinstance(error, KeyboardInterrupt):
        return SIGNALLED + signal.SIGINT
    code = error.code if isinstance(error, SystemExit) else EXIT_FAILED
    if code is None:
        return 0
    return code & 0xFF if isinstance(code, int) else EXIT_FAILED


def explanation(error: BaseException) -> str:
    """The traceback as Python prints it, without the frames of kubehop and of the import system."""
    told = traceback.TracebackException.from_exception(error)
    part: traceback.TracebackException | None = told
    while part is not None:
        theirs = [each for each in part.stack if not _machinery(each.filename)]
        part.stack = traceback.StackSummary.from_list(theirs)
        part = part.__cause__ or part.__context__
    return "".join(told.format())


def _machinery(filename: str) -> bool:
    return filename.startswith(MACHINERY) or filename.endswith("/importlib/__init__.py")
