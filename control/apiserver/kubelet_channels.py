"""Asks a kubelet to turn a connection into channels (`cluster.wire.channels`).

POST /exec/NAMESPACE/POD/CONTAINER?command=...  HTTP/1.1      Upgrade: kubehop-channels
HTTP/1.1 101 ...     then frames          HTTP/1.1 4xx ...    words: there are no streams
"""

import asyncio
import hashlib
import hmac
import ssl
from collections.abc import Sequence
from urllib.parse import urlencode, urlsplit

from cluster.aio.channels import BUFFER_BYTES_MAX, Channels
from cluster.dataclass import dataclass
from cluster.errors import ApiError, WireError
from cluster.traffic.upgrade import DialReply, parse_reply
from cluster.wire.channels import UPGRADE
from control.apiserver import statuses

CONNECT_SECONDS_MAX = 5.0
ANSWER_SECONDS_MAX = 30.0
REASONS = {400: "BadRequest", 404: "NotFound", 503: "ServiceUnavailable"}


@dataclass(frozen=True, slots=True)
class KubeletAddress:
    """Where a kubelet is: a Unix socket, or a TLS port and its certificate's SHA-256."""

    unix: str = ""
    url: str = ""
    fingerprint: bytes = b""


class KubeletRefusal(ApiError):
    """The kubelet itself said no, in its own words."""


async def open_channels(
    address: KubeletAddress, token: str, path: str, query: Sequence[tuple[str, str]]
) -> Channels:
    """The channels; KubeletRefusal when it does that, OSError when it cannot be reached."""
    async with asyncio.timeout(CONNECT_SECONDS_MAX):
        reader, writer = await _connect(address)
    try:
        writer.write(_request(path, query, token))
        async with asyncio.timeout(ANSWER_SECONDS_MAX):
            reply = await _reply(reader)
        if not reply.switched:
            raise _refused(reply)
        return Channels(reader, writer, reply.rest)
    except BaseException:
        writer.transport.abort()
        raise


async def _connect(address: KubeletAddress) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if address.unix:
        return await asyncio.open_unix_connection(address.unix, limit=BUFFER_BYTES_MAX)
    where = urlsplit(address.url)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # the pin below says who it is, before it gets the token
    reader, writer = await asyncio.open_connection(
        where.hostname, where.port, ssl=context, limit=BUFFER_BYTES_MAX
    )
    certificate = writer.get_extra_info("ssl_object").getpeercert(binary_form=True) or b""
    if not hmac.compare_digest(hashlib.sha256(certificate).digest(), address.fingerprint):
        writer.transport.abort()
        raise ConnectionAbortedError("its certificate is not the one that its node tells of")
    return reader, writer


def _request(path: str, query: Sequence[tuple[str, str]], token: str) -> bytes:
    lines = [
        f"POST {path}?{urlencode(query)} HTTP/1.1",
        "Host: kubelet",
        "Content-Length: 0",
        "Connection: Upgrade",
        f"Upgrade: {UPGRADE}",
    ]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    return "\r\n".join([*lines, "", ""]).encode("ascii")


async def _reply(reader: asyncio.StreamReader) -> DialReply:
    held = b""
    while (reply := parse_reply(held)) is None:
        data = await reader.read(BUFFER_BYTES_MAX)
        if not data:
            raise WireError("it closed the connection before it answered")
        held += data
    return reply


def _refused(reply: DialReply) -> KubeletRefusal:
    text = reply.body.decode("utf-8", "replace").strip()
    reason = REASONS.get(reply.status, "InternalError")
    code = reply.status if reply.status in REASONS else 500
    words = text or f"the kubelet answered {reply.status}"
    return KubeletRefusal(statuses.refusal(code, reason, words).status)
