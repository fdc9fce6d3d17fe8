"""What text tools read: the files that were named, else standard input; "-" is standard input."""

from collections.abc import AsyncIterator, Sequence

from node_agent.workloads.tools.devices import open_input
from node_agent.workloads.tools.process import Input, Process
from node_agent.workloads.tools.running import files_of

MEMORY_BYTES_MAX = 1 << 24  # for tools that need all of their input at once
LINE_BYTES = 64  # what a line takes besides what it holds, as it is counted


class TooMuch(OSError):
    """More input than a tool holds in memory."""


class Sources:
    """The inputs of a tool, one after the other; what cannot be opened is said, `failed` counts."""

    def __init__(self, process: Process, paths: Sequence[str]) -> None:
        self._process = process
        self._paths = paths or ("-",)
        self.failed = 0

    async def __aiter__(self) -> AsyncIterator[tuple[str, Input]]:
        for path in self._paths:
            try:
                source = self._open(path)
            except OSError as error:
                await self._complain(path, error)
                continue
            try:
                yield path, source
            except OSError as error:
                if isinstance(error, BrokenPipeError):
                    raise
                await self._complain(path, error)
            finally:
                close = getattr(source, "close", None)
                if close is not None and source is not self._process.stdin:
                    close()

    def _open(self, path: str) -> Input:
        if path == "-":
            return self._process.stdin
        return open_input(files_of(self._process), path, self._process.stdin)

    async def _complain(self, path: str, error: OSError) -> None:
        self.failed += 1
        await self._process.complain(f"{path}: {error.strerror}")

    @property
    def status(self) -> int:
        """The exit code: 1 when something could not be read."""
        return 1 if self.failed else 0

    async def lines(self) -> AsyncIterator[bytes]:
        """The lines of all, with their line ends."""
        async for _, source in self:
            while line := await source.readline():
                yield line

    async def all_lines(self) -> list[bytes]:
        """All lines at once, without their line ends."""
        found, held = [], 0
        async for line in self.lines():
            held += LINE_BYTES + len(line)
            if held > MEMORY_BYTES_MAX:
                raise TooMuch(12, "Cannot allocate memory")
            found.append(line.removesuffix(b"\n"))
        return found


async def everything(source: Input) -> bytes:
    """All of an input."""
    parts, held = [], 0
    while data := await source.read():
        held += len(data)
        if held > MEMORY_BYTES_MAX:
            raise TooMuch(12, "Cannot allocate memory")
        parts.append(data)
    return b"".join(parts)
