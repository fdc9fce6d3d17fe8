"""What a request for streams asks for: the upgrade, the protocol, and which streams.

Pure: headers and queries in, values or an ApiError out. Words and order are upstream's: the first
protocol that the client names and that is spoken here. Source: k8s.io/apimachinery, httpstream and
k8s.io/kubelet, remotecommand.
"""

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum

from cluster.dataclass import dataclass
from control.apiserver import statuses
from control.apiserver.paths import flag

SPDY = "SPDY/3.1"
STREAM_PROTOCOL = "X-Stream-Protocol-Version"
SPDY_PORT_FORWARD = "portforward.k8s.io"
TUNNEL = "SPDY/3.1+portforward.k8s.io"
V5, V4, V3, V2 = (f"v{each}.channel.k8s.io" for each in (5, 4, 3, 2))
V1 = "channel.k8s.io"
SPDY_COMMAND_PROTOCOLS = (V4, V3, V2, V1)
BASE64 = ("v4.base64.channel.k8s.io", "base64.channel.k8s.io")
WEBSOCKET_COMMAND_PROTOCOLS = (V5, V4, V1, *BASE64)
WEBSOCKET_PORT_FORWARD_PROTOCOLS = (TUNNEL, V4, BASE64[0])
PORTS_MAX = 64  # that one WebSocket can name
PORT_MAX = 65535

_UPGRADE_SPDY = re.compile(rb"\r\nupgrade:[ \t]*spdy/3\.1[ \t]*(\r|$)", re.IGNORECASE)


class Upgrade(StrEnum):
    """What the connection shall become."""

    SPDY = "spdy"
    WEBSOCKET = "websocket"


@dataclass(frozen=True, slots=True)
class CommandStreams:
    """Which streams exec or attach has."""

    stdin: bool
    stdout: bool
    stderr: bool
    tty: bool


def asks_spdy(head: bytes) -> bool:
    """Whether the head of a request asks for SPDY/3.1."""
    return _UPGRADE_SPDY.search(head) is not None


def upgrade_of(headers: Mapping[str, str]) -> Upgrade:
    """The upgrade that is asked for; ApiError 400 for none or another."""
    connection = [each.strip() for each in headers.get("Connection", "").lower().split(",")]
    wanted = headers.get("Upgrade", "").lower().strip()
    if "upgrade" in connection and wanted == SPDY.lower():
        return Upgrade.SPDY
    if "upgrade" in connection and wanted == "websocket":
        return Upgrade.WEBSOCKET
    raise statuses.bad_request(f"Upgrade request required: {SPDY} or websocket")


def spdy_protocol(offered: Sequence[str], spoken: Sequence[str]) -> str:
    """The protocol to speak over SPDY; ApiError when there is none."""
    named = _listed(offered)
    if not named:
        raise statuses.bad_request(f"unable to upgrade: {STREAM_PROTOCOL} is required")
    return _first(named, spoken)


def websocket_protocol(offered: Sequence[str], spoken: Sequence[str]) -> str:
    """The subprotocol of a WebSocket; "" for a client that names none."""
    named = _listed(offered)
    return _first(named, spoken) if named else ""


def _listed(offered: Sequence[str]) -> list[str]:
    return [name.strip() for line in offered for name in line.split(",") if name.strip()]


def _first(named: Sequence[str], spoken: Sequence[str]) -> str:
    found = next((each for each in named if each in spoken), None)
    if found is not None:
        return found
    words = "unable to upgrade: unable to negotiate protocol: client supports"
    theirs, ours = f"[{' '.join(named)}]", f"[{' '.join(spoken)}]"
    raise statuses.refusal(403, "Forbidden", f"{words} {theirs}, server accepts {ours}")


def command_streams(query: Mapping[str, str]) -> CommandStreams:
    """The streams that a query names; ApiError 400 when there is none."""
    tty = flag(query, "tty")
    streams = CommandStreams(
        stdin=flag(query, "stdin"),
        stdout=flag(query, "stdout"),
        stderr=flag(query, "stderr") and not tty,  # a terminal has one screen
        tty=tty,
    )
    if not (streams.stdin or streams.stdout or streams.stderr):
        raise statuses.bad_request("you must specify at least 1 of stdin, stdout, stderr")
    return streams


def ports_of(values: Sequence[str]) -> tuple[int, ...]:
    """The ports that the query of a WebSocket names, in order; ApiError 400 for what is none."""
    texts = [text.strip() for value in values for text in value.split(",")]
    if not texts:
        raise statuses.bad_request('query parameter "port" is required')
    if len(texts) > PORTS_MAX:
        raise statuses.bad_request(f"{len(texts)} ports are named, the limit is {PORTS_MAX}")
    return tuple(port_of(text) for text in texts)


def port_of(text: str) -> int:
    """A port; ApiError 400 when it is none."""
    if text.isascii() and text.isdecimal() and len(text) <= 5 and 0 < int(text) <= PORT_MAX:
        return int(text)
    raise statuses.bad_request(f'unable to parse "{text[:32]}" as a port')
