"""The HTTP/1.1 exchange by which a kubelet turns a request into a connection of a pod.

    GET /dial?from=...&host=...&port=... HTTP/1.1      Upgrade: kubehop-dial
    HTTP/1.1 101 ...    Kubehop-Flow-Id: ...           then the connection's own bytes
    HTTP/1.1 502 ...    {"error": "refused", "message": ..., "flowId": ...}

Pure: bytes in, values out, and back. Anything else is a WireError. Source: docs/architecture.md.
"""

import json
from collections.abc import Mapping
from urllib.parse import urlencode

from cluster.dataclass import dataclass
from cluster.errors import WireError

UPGRADE = "kubehop-dial"
FLOW_ID_HEADER = "kubehop-flow-id"
HEAD_BYTES_MAX = 16 * 1024
BODY_BYTES_MAX = 64 * 1024
SWITCHING_PROTOCOLS = 101
_END = b"\r\n\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class DialReply:
    """What the kubelet said; `rest` is what came behind it, the connection's own bytes."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""
    rest: bytes = b""

    @property
    def switched(self) -> bool:
        """Whether the connection stands."""
        return self.status == SWITCHING_PROTOCOLS

    @property
    def flow_id(self) -> str:
        """The name of the flow that was opened."""
        return self.headers.get(FLOW_ID_HEADER, "")


@dataclass(frozen=True, slots=True)
class DialFailure:
    """Why a connection does not stand, as the kubelet tells it."""

    error: str
    message: str
    flow_id: str


def dial_request(origin: str, host: str, port: int) -> bytes:
    """The request for a connection; `origin` is "pod/NAMESPACE/NAME" or "node"."""
    query = urlencode({"from": origin, "host": host, "port": port}, safe="/")
    lines = (
        f"GET /dial?{query} HTTP/1.1",
        "Host: kubelet",
        "Connection: Upgrade",
        f"Upgrade: {UPGRADE}",
    )
    return "\r\n".join(lines).encode("ascii") + _END


def parse_reply(data: bytes) -> DialReply | None:
    """The reply that these bytes begin with; None: more must come first."""
    end = data.find(_END)
    if end < 0:
        if len(data) > HEAD_BYTES_MAX:
            raise WireError(f"a reply's head is longer than {HEAD_BYTES_MAX} bytes")
        return None
    status, headers = _head(data[:end])
    rest = data[end + len(_END) :]
    if status == SWITCHING_PROTOCOLS:
        return DialReply(status=status, headers=headers, rest=rest)
    length = _length(headers)
    if len(rest) < length:
        return None
    return DialReply(status=status, headers=headers, body=rest[:length], rest=rest[length:])


def parse_failure(reply: DialReply) -> DialFailure:
    """Why there is no connection, from a reply that says so; other words are an "unreachable"."""
    text = reply.body.decode("utf-8", "replace").strip()
    try:
        document = json.loads(text)
        return DialFailure(document["error"], document["message"], document.get("flowId", ""))
    except (ValueError, KeyError, TypeError):
        return DialFailure("unreachable", text or f"status {reply.status}", "")


def _head(data: bytes) -> tuple[int, dict[str, str]]:
    first, *lines = data.decode("latin-1").split("\r\n")
    version, _, status = first.partition(" ")
    if not version.startswith("HTTP/1.") or not status[:3].isdecimal():
        raise WireError(f"no HTTP/1.1 reply: {first[:80]!r}")
    headers = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            raise WireError(f"no header: {line[:80]!r}")
        headers[name.strip().lower()] = value.strip()
    return int(status[:3]), headers


def _length(headers: Mapping[str, str]) -> int:
    text = headers.get("content-length", "0")
    if not text.isdecimal() or int(text) > BODY_BYTES_MAX:
        raise WireError(f"Content-Length {text!r} is no number up to {BODY_BYTES_MAX}")
    return int(text)
