"""Channels in the messages of a WebSocket: the first byte says which, the rest is data.

    v5.channel.k8s.io   as v4; a message on channel 255 names a channel that carries nothing more
    v4.channel.k8s.io   binary; the end is a Status as JSON on channel 3
    channel.k8s.io, ""  the first of them: an error is text
    ...base64...        text messages: a digit, then base64

Whether a message says that it is binary or text means nothing.

Pure: messages in, frames out, and back. Source: k8s.io/apimachinery, httpstream/wsstream.
"""

import base64
import binascii

from cluster.errors import WireError
from cluster.wire.channels import Channel
from control.apiserver.streams.negotiation import BASE64, V5

CLOSE = 255


def unpack(protocol: str, message: bytes | str) -> tuple[int, bytes, bool]:
    """(channel, data, whether it ends); WireError for what is no message of the protocol."""
    if protocol in BASE64:
        return _from_base64(message)
    if isinstance(message, str):  # as upstream: Python's client sends text as text
        message = message.encode()
    if not message:
        raise WireError("a message without a channel")
    if message[0] == CLOSE and protocol == V5:
        if len(message) != 2:
            raise WireError(f"a closing message of {len(message)} bytes, not 2")
        return message[1], b"", True
    return message[0], message[1:], False


def pack(protocol: str, channel: int, data: bytes) -> bytes | str:
    """The message that carries data on a channel."""
    if protocol in BASE64:
        return chr(ord("0") + channel) + base64.b64encode(data).decode("ascii")
    return bytes([channel]) + data


def _from_base64(message: bytes | str) -> tuple[int, bytes, bool]:
    text = message.decode("latin-1") if isinstance(message, bytes) else message
    if not text:
        raise WireError("a message without a channel")
    try:
        return ord(text[0]) - ord("0"), base64.b64decode(text[1:], validate=True), False
    except (binascii.Error, ValueError) as error:
        raise WireError(f"a message is not base64: {error}") from error


def inbound(number: int) -> Channel | None:
    """The channel that a client may write to; None for any other, which is ignored as upstream."""
    return Channel(number) if number in (Channel.STDIN, Channel.RESIZE) else None
