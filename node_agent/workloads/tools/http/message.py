"""Requests as bytes, heads of responses as values, and where a body ends.

Pure: bytes in, values out, and back. What breaks the format is a BadMessage.

    body ends   with the head (HEAD, 204, 304), after Content-Length bytes, after the last chunk,
                or with the connection

Spec: RFC 9112.
"""

from collections.abc import Iterable
from enum import Enum

from cluster.dataclass import dataclass

HEAD_BYTES_MAX = 102400  # curl's own limit for all headers
CHUNK_DIGITS_MAX = 16
LENGTH_DIGITS_MAX = 18


class BadMessage(ValueError):
    """What came is no HTTP/1."""


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a response: its bytes as they came, and what they say."""

    raw: bytes
    version: str  # "1.1"
    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]

    def value(self, name: str) -> str:
        """The last value of a header; "" without one."""
        wanted = name.lower()
        found = [value for key, value in self.headers if key.lower() == wanted]
        return found[-1] if found else ""

    @property
    def content_length(self) -> int | None:
        """How many bytes the body is said to have."""
        text = self.value("Content-Length").strip()
        if text and (not text.isdecimal() or len(text) > LENGTH_DIGITS_MAX):
            raise BadMessage("Invalid Content-Length: value")
        return int(text) if text else None

    @property
    def chunked(self) -> bool:
        """Whether the body comes in chunks."""
        return self.value("Transfer-Encoding").lower().rpartition(",")[2].strip() == "chunked"

    @property
    def keeps_alive(self) -> bool:
        """Whether the server leaves the connection open."""
        connection = self.value("Connection").lower()
        return "keep-alive" in connection if self.version == "1.0" else "close" not in connection


class Framing(Enum):
    """How the end of a body is known."""

    NONE = "none"
    LENGTH = "length"
    CHUNKS = "chunks"
    CLOSE = "close"


def framing(method: str, head: Head) -> Framing:
    """How the body of a response ends."""
    if method == "HEAD" or head.status in (204, 304) or head.status < 200:
        return Framing.NONE
    if head.chunked:
        return Framing.CHUNKS
    return Framing.CLOSE if head.content_length is None else Framing.LENGTH


def request_head(method: str, target: str, headers: Iterable[tuple[str, str]]) -> bytes:
    """A request up to its body."""
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
    lines = [line.rstrip() if line.endswith(": ") else line for line in lines]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogateescape")


def parse_head(raw: bytes) -> Head:
    """Read a head, with its empty line."""
    lines = raw.decode("latin-1").replace("\r\n", "\n").rstrip("\n").split("\n")
    protocol, _, rest = lines[0].partition(" ")
    code, _, reason = rest.strip().partition(" ")
    if protocol not in ("HTTP/1.1", "HTTP/1.0") or len(code) != 3 or not code.isdecimal():
        raise BadMessage("Received HTTP/0.9 when not allowed")
    headers = [line.partition(":") for line in lines[1:] if ":" in line]
    return Head(
        raw=raw,
        version=protocol.removeprefix("HTTP/"),
        status=int(code),
        reason=reason,
        headers=tuple((name.strip(), value.strip()) for name, _, value in headers),
    )


def chunk_size(line: bytes) -> int:
    """The size in a chunk's first line."""
    digits = line.partition(b";")[0].strip()
    try:
        if not 0 < len(digits) <= CHUNK_DIGITS_MAX:
            raise ValueError(digits)
        return int(digits, 16)
    except ValueError:
        raise BadMessage("Illegal or missing hexadecimal sequence in chunked-encoding") from None
