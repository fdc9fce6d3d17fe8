"""Where the streams of a command lead: `>file`, `2>&1`, `<<END`."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from typing import Any, cast

from cluster.dataclass import dataclass
from node_agent.workloads.tools.devices import open_input, open_output
from node_agent.workloads.tools.files import Files
from node_agent.workloads.tools.process import Bytes, Input, Output, Process
from node_agent.workloads.tools.shell.expansion import Expander, ExpansionFault
from node_agent.workloads.tools.shell.syntax import Redirect

DESCRIPTORS_MAX = 64


@dataclass(frozen=True, slots=True)
class Streams:
    """Open streams by descriptor."""

    table: Mapping[int, Any]

    @classmethod
    def of(cls, process: Process) -> "Streams":
        """Those that a process has."""
        return cls({0: process.stdin, 1: process.stdout, 2: process.stderr})

    def of_process(self) -> dict[str, Any]:
        """What a process is given; a closed stream is one that fails or has ended."""
        return {
            "stdin": self.table.get(0, Bytes()),
            "stdout": self.table.get(1, Closed()),
            "stderr": self.table.get(2, Closed()),
        }

    @property
    def stdin(self) -> Input:
        """Standard input."""
        return cast(Input, self.table.get(0, Bytes()))

    def with_stream(self, descriptor: int, stream: Input | Output | None) -> "Streams":
        """The same, but for one; None closes it."""
        table = {**self.table, descriptor: stream}
        if stream is None:
            del table[descriptor]
        return Streams(table)

    def without_input(self) -> "Streams":
        """What a background job gets: nothing to read."""
        return self.with_stream(0, Bytes())

    async def write(self, descriptor: int, text: str) -> None:
        """Write text to one of them."""
        stream: Output = self.table.get(descriptor, Closed())
        await stream.write(text.encode("utf-8", "surrogateescape"))


class Closed:
    """Output that was closed."""

    isatty = False

    async def write(self, data: bytes) -> None:
        raise OSError(9, "Bad file descriptor")


@asynccontextmanager
async def redirected(
    streams: Streams, redirects: Sequence[Redirect], expander: Expander, files: Files
) -> AsyncIterator[Streams]:
    """The streams after redirections; what was opened for them is closed in the end."""
    with ExitStack() as opened:
        for redirect in redirects:
            streams = await _apply(streams, redirect, expander, files, opened)
        yield streams


async def _apply(
    streams: Streams, redirect: Redirect, expander: Expander, files: Files, opened: ExitStack
) -> Streams:
    number = redirect.descriptor
    if number >= DESCRIPTORS_MAX:
        raise OSError(9, "Bad file descriptor", str(number))
    if redirect.here is not None:
        text = await expander.text(redirect.here.word)
        return streams.with_stream(number, _bytes(text))
    target = await expander.text(redirect.word)
    match redirect.operator:
        case "<<<":
            return streams.with_stream(number, _bytes(target + "\n"))
        case "<&" | ">&":
            return _duplicated(streams, number, target)
        case "<" | "<>":
            source = open_input(files, target, streams.stdin)
            opened.callback(getattr(source, "close", _nothing))
            return streams.with_stream(number, source)
    append = redirect.operator in (">>", "&>>")
    sink = open_output(files, target, streams.table, append=append)
    opened.callback(getattr(sink, "close", _nothing))
    streams = streams.with_stream(number, sink)
    return streams.with_stream(2, sink) if redirect.operator[0] == "&" else streams


def _duplicated(streams: Streams, number: int, target: str) -> Streams:
    if target == "-":
        return streams.with_stream(number, None) if number in streams.table else streams
    if not target.isdecimal():
        raise ExpansionFault(f"{target}: bad descriptor number")
    if int(target) not in streams.table:
        raise OSError(9, "Bad file descriptor", target)
    return streams.with_stream(number, streams.table[int(target)])


def _bytes(text: str) -> Bytes:
    return Bytes(text.encode("utf-8", "surrogateescape"))


def _nothing() -> None:
    """There is nothing to close."""
