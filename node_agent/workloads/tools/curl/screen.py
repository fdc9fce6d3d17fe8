"""What a person sees of curl's transfers: bodies and heads, the lines of -v, the progress meter."""

from collections.abc import Callable

from node_agent.workloads.tools.curl.failures import TOO_LARGE, WRITE, CurlError
from node_agent.workloads.tools.curl.options import CurlOptions
from node_agent.workloads.tools.curl.progress import HEAD, row
from node_agent.workloads.tools.http.message import Head
from node_agent.workloads.tools.process import Output, Process


class Screen:
    """Watches one transfer; `body` goes to the file that -o named, opened at its first byte."""

    def __init__(
        self, process: Process, options: CurlOptions, opened: Callable[[], Output], to_file: bool
    ) -> None:
        self._process = process
        self._options = options
        self._opened = opened
        self._to_file = to_file
        self._output: Output | None = None
        self._inflate: Callable[[bytes], bytes] | None = None
        self.muted = False  # the body of a redirect that is followed, or of what -f fails
        self.written = 0

    @property
    def metered(self) -> bool:
        """Whether the progress meter shows."""
        quiet = self._options.flags & {"silent", "no-progress-meter", "head"}
        return not quiet and (self._to_file or not self._process.stdout.isatty)

    async def info(self, text: str) -> None:
        """A line of -v."""
        if "verbose" in self._options:
            await self._stderr(f"* {text}\n".encode())

    async def sent(self, head: bytes, body: int) -> None:
        """The request's lines of -v."""
        if "verbose" not in self._options:
            return
        lines = head.decode("utf-8", "replace").split("\r\n")[:-1]
        await self._stderr("".join(f"> {line}\r\n" for line in lines).encode())
        if body:
            await self._stderr(f"}} [{body} bytes data]\n".encode())

    async def head(self, head: Head) -> None:
        """The head's lines of -v, and the head itself with -i or -I."""
        if "verbose" in self._options:
            lines = head.raw.decode("latin-1").replace("\r\n", "\n").split("\n")[:-1]
            await self._stderr("".join(f"< {line}\r\n" for line in lines).encode())
        if self._options.flags & {"include", "head"}:
            await self._write(head.raw)
        self.muted = self._mutes(head)
        packed = head.value("Content-Encoding").lower() in ("gzip", "deflate")
        self._inflate = _inflater() if packed and "compressed" in self._options else None

    def _mutes(self, head: Head) -> bool:
        redirect = 300 <= head.status < 400 and bool(head.value("Location"))
        follows = redirect and bool(self._options.flags & {"location", "location-trusted"})
        return follows or (head.status >= 400 and "fail" in self._options)

    async def body(self, data: bytes) -> None:
        """A part of the body."""
        if self.muted:
            return
        if "verbose" in self._options and (self._to_file or not self._process.stdout.isatty):
            await self._stderr(f"{{ [{len(data)} bytes data]\n".encode())
        limit = int(self._options.number("max-filesize"))
        if limit and self.written + len(data) > limit:
            raise CurlError(TOO_LARGE, "Maximum file size exceeded")
        await self._write(self._inflate(data) if self._inflate else data)

    async def _write(self, data: bytes) -> None:
        try:
            if self._output is None:
                self._output = self._opened()
            await self._output.write(data)
        except OSError as error:
            raise CurlError(WRITE, "Failure writing output to destination") from error
        self.written += len(data)

    async def begins(self) -> None:
        """The meter's head."""
        if self.metered:
            await self._stderr(f"{HEAD}{row(0, None, 0, 0, 0)}".encode())

    async def ended(self, received: int, expected: int | None, sent: int, seconds: float) -> None:
        """The meter's last state."""
        if self.metered:
            last = row(received, expected or received, sent, sent, seconds)
            await self._stderr(f"{last}\n".encode())

    async def failed(self) -> None:
        """The meter stops where it is."""
        if self.metered:
            await self._stderr(b"\n" if self.written else b"")

    async def _stderr(self, data: bytes) -> None:
        await self._process.stderr.write(data)

    def close(self) -> None:
        """Close the file."""
        close = getattr(self._output, "close", None)
        if close is not None and self._to_file:
            close()


def _inflater() -> Callable[[bytes], bytes]:
    """--compressed; zlib is imported for it alone."""
    import zlib

    unpacked = zlib.decompressobj(zlib.MAX_WBITS | 32)

    def inflate(data: bytes) -> bytes:
        try:
            return unpacked.decompress(data)
        except zlib.error as error:
            raise CurlError(61, f"Error while processing content unencoding: {error}") from None

    return inflate
