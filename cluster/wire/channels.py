"""Several streams on one connection: how control and a kubelet speak of exec and port-forward.

    offset  0         1      2             6
            | channel | kind | length (u32) | payload, at most PAYLOAD_BYTES_MAX |

Channels have Kubernetes' numbers. A frame of kind END says that its channel carries nothing more.
The one who connects says BEGIN (on channel STATUS, empty) when its own client's streams stand;
the kubelet's last frame is a Status, as JSON, on channel STATUS.

Pure: bytes in, values out, and back. Anything else on the wire is a WireError.
"""

import struct
from collections.abc import Iterator
from enum import IntEnum

from cluster.dataclass import dataclass
from cluster.errors import WireError

UPGRADE = "kubehop-channels"
PAYLOAD_BYTES_MAX = 64 * 1024
_HEAD = struct.Struct(">BBI")
_DATA, _END = 0, 1


class Channel(IntEnum):
    """What a frame belongs to."""

    STDIN = 0
    STDOUT = 1
    STDERR = 2
    STATUS = 3
    RESIZE = 4


@dataclass(frozen=True, slots=True)
class ChannelFrame:
    """Bytes of a channel, or its end."""

    channel: Channel
    data: bytes = b""
    end: bool = False


BEGIN = ChannelFrame(Channel.STATUS)


def encode(frame: ChannelFrame) -> bytes:
    """The bytes of one frame; longer data goes in several."""
    parts = [
        frame.data[at : at + PAYLOAD_BYTES_MAX]
        for at in range(0, len(frame.data), PAYLOAD_BYTES_MAX)
    ]
    if not parts and not frame.end:
        parts = [b""]
    encoded = [_HEAD.pack(frame.channel, _DATA, len(part)) + part for part in parts]
    if frame.end:
        encoded.append(_HEAD.pack(frame.channel, _END, 0))
    return b"".join(encoded)


class ChannelReader:
    """From bytes in any split to frames."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, data: bytes) -> Iterator[ChannelFrame]:
        """The frames that these bytes complete."""
        self._held += data
        at = 0
        try:
            while len(self._held) - at >= _HEAD.size:
                frame, end = self._frame(at)
                if frame is None:
                    return
                at = end
                yield frame
        finally:
            del self._held[:at]

    def _frame(self, at: int) -> tuple[ChannelFrame | None, int]:
        number, kind, length = _HEAD.unpack_from(self._held, at)
        if number > max(Channel) or kind > _END or length > PAYLOAD_BYTES_MAX:
            raise WireError(f"no channel frame: channel {number}, kind {kind}, {length} bytes")
        start = at + _HEAD.size
        end = start + length
        if len(self._held) < end:
            return None, at
        frame = ChannelFrame(Channel(number), bytes(self._held[start:end]), kind == _END)
        return frame, end
