"""The frames of SPDY/3.1, as far as Kubernetes' clients use them.

    control  | 1, version (15 bits) | type (16) | flags (8) | length (24) | ...
    data     | 0, stream (31 bits)              | flags (8) | length (24) | bytes

Data frames may have 16 MiB, so their bytes are passed on as they come, in as many `Data` as that
takes; control frames are read whole, up to CONTROL_BYTES_MAX. SETTINGS, HEADERS and WINDOW_UPDATE
are read and mean nothing here: flow is controlled by the connection alone, as in all peers of this
family. Anything else on the wire is a WireError.

Pure: bytes in, frames out, and back. Source: draft-mbelshe-httpbis-spdy-00, section 2.
"""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import field

from cluster.dataclass import dataclass
from cluster.errors import WireError
from control.apiserver.streams.spdy_headers import HeaderReader, HeaderWriter

VERSION = 3
HEAD_BYTES = 8
CONTROL_BYTES_MAX = 64 * 1024
DATA_BYTES_MAX = (1 << 24) - 1
STREAM_MAX = (1 << 31) - 1
FIN = 0x01
SYN_STREAM, SYN_REPLY, RST_STREAM, SETTINGS, PING, GOAWAY, HEADERS = 1, 2, 3, 4, 6, 7, 8
WINDOW_UPDATE, CREDENTIAL = 9, 10
IGNORED = frozenset({SETTINGS, WINDOW_UPDATE, CREDENTIAL})
INVALID_STREAM, REFUSED_STREAM, CANCEL = 2, 3, 5  # why a stream is reset
GOAWAY_OK, GOAWAY_PROTOCOL_ERROR = 0, 1


@dataclass(frozen=True, slots=True)
class SynStream:
    """A new stream."""

    stream: int
    headers: Mapping[str, str] = field(default_factory=dict)
    fin: bool = False  # its opener sends nothing on it


@dataclass(frozen=True, slots=True)
class SynReply:
    """The other side takes a stream."""

    stream: int
    headers: Mapping[str, str] = field(default_factory=dict)
    fin: bool = False


@dataclass(frozen=True, slots=True)
class Data:
    """Bytes of a stream, maybe its last."""

    stream: int
    data: bytes
    fin: bool = False


@dataclass(frozen=True, slots=True)
class RstStream:
    """A stream is over, both ways."""

    stream: int
    status: int


@dataclass(frozen=True, slots=True)
class Ping:
    """Answered with the same."""

    number: int


@dataclass(frozen=True, slots=True)
class GoAway:
    """No new streams."""

    last: int
    status: int = GOAWAY_OK


Frame = SynStream | SynReply | Data | RstStream | Ping | GoAway


class FrameReader:
    """From bytes in any split to frames."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._headers = HeaderReader()
        self._stream, self._left, self._fin = 0, 0, False  # the data frame that goes on

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that these bytes complete."""
        self._held += data
        while (frame := self._next()) is not None:
            yield from frame

    def _next(self) -> tuple[Frame, ...] | None:
        if self._left:
            return self._part()
        if len(self._held) < HEAD_BYTES:
            return None
        first, second = struct.unpack_from(">II", self._held)
        flags, length = second >> 24, second & 0xFFFFFF
        if first >> 31:
            return self._control(first, flags, length)
        self._drop(HEAD_BYTES)
        self._stream, self._left, self._fin = first, length, bool(flags & FIN)
        return (Data(first, b"", self._fin),) if not length else ()

    def _part(self) -> tuple[Frame, ...] | None:
        if not self._held:
            return None
        part = self._drop(min(self._left, len(self._held)))
        self._left -= len(part)
        return (Data(self._stream, part, self._fin and not self._left),)

    def _control(self, first: int, flags: int, length: int) -> tuple[Frame, ...] | None:
        version, kind = first >> 16 & 0x7FFF, first & 0xFFFF
        if version != VERSION:
            raise WireError(f"SPDY version {version}, not {VERSION}")
        if length > CONTROL_BYTES_MAX:
            raise WireError(f"a control frame of {length} bytes, the limit is {CONTROL_BYTES_MAX}")
        end = HEAD_BYTES + length
        if len(self._held) < end:
            return None
        body = self._drop(end)[HEAD_BYTES:]
        return () if kind in IGNORED else tuple(self._parsed(kind, flags, body))

    def _drop(self, count: int) -> bytes:
        """Take bytes from the front."""
        taken = bytes(self._held[:count])
        del self._held[:count]
        return taken

    def _parsed(self, kind: int, flags: int, body: bytes) -> Iterator[Frame]:
        fin = bool(flags & FIN)
        match kind:
            case 1:
                stream = _numbers(body, ">I", 10)[0] & STREAM_MAX
                yield SynStream(stream, self._headers.unpack(body[10:]), fin)
            case 2:
                stream = _numbers(body, ">I", 4)[0] & STREAM_MAX
                yield SynReply(stream, self._headers.unpack(body[4:]), fin)
            case 8:  # the headers themselves matter to nobody, but the context goes on
                _numbers(body, ">I", 4)
                self._headers.unpack(body[4:])
            case 3:
                stream, status = _numbers(body, ">II", 8)
                yield RstStream(stream & STREAM_MAX, status)
            case 6:
                yield Ping(_numbers(body, ">I", 4)[0])
            case 7:
                last, status = _numbers(body, ">II", 8)
                yield GoAway(last & STREAM_MAX, status)
            case _:
                raise WireError(f"a control frame of the unknown type {kind}")


class FrameWriter:
    """From frames to bytes."""

    def __init__(self) -> None:
        self._headers = HeaderWriter()

    def write(self, frame: Frame) -> bytes:
        """One frame's bytes."""
        match frame:
            case Data(stream, data, fin):
                return struct.pack(">II", stream, fin * FIN << 24 | len(data)) + data
            case SynStream(stream, headers, fin):
                head = struct.pack(">IIxx", stream, 0)
                return _control(SYN_STREAM, head + self._headers.pack(headers), fin=fin)
            case SynReply(stream, headers, fin):
                block = struct.pack(">I", stream) + self._headers.pack(headers)
                return _control(SYN_REPLY, block, fin=fin)
            case RstStream(stream, status):
                return _control(RST_STREAM, struct.pack(">II", stream, status))
            case Ping(number):
                return _control(PING, struct.pack(">I", number))
            case GoAway(last, status):
                return _control(GOAWAY, struct.pack(">II", last, status))


def _control(kind: int, body: bytes, *, fin: bool = False) -> bytes:
    head = struct.pack(">HHI", 0x8000 | VERSION, kind, fin * FIN << 24 | len(body))
    return head + body


def _numbers(body: bytes, form: str, least: int) -> tuple[int, ...]:
    if len(body) < least:
        raise WireError(f"a control frame of {len(body)} bytes, too short for its type")
    return struct.unpack_from(form, body)
