"""HTTP/1.1 from a place in the cluster network, over aiohttp's client.

    response = await fetch(access, Place.parse("internet"), "http://frontend/cart")

One request, one connection, no redirects followed, no cookies kept, bodies as they came. A request
that got no answer is `Unreached`.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from aiohttp.client_proto import ResponseHandler
from yarl import URL

from cluster.errors import ConfigError, WireError
from cluster.traffic.access import Access
from cluster.traffic.attempt import Attempt, name_flow
from cluster.traffic.dial import open_connection
from cluster.traffic.patience import patient
from cluster.traffic.place import Place
from cluster.traffic.response import Response
from cluster.traffic.unreached import Symptom, Unreached

BODY_BYTES_MAX = 64 * 2**20
LINE_BYTES_MAX = 64 * 1024
USER_AGENT = "kubehop"

_NOT_SENT = ("Accept-Encoding", "Content-Type")  # what nobody asked for: bodies come as they are


async def fetch(
    access: Access,
    place: Place,
    url: str,
    *,
    method: str = "GET",
    headers: Iterable[tuple[str, str]] = (),
    body: bytes = b"",
    timeout_seconds: float = 10.0,
) -> Response:
    """One request and its answer; Unreached when there is none."""
    target = parse_url(url)
    assert target.host is not None and target.port is not None
    attempt = Attempt(place=place, host=target.host, port=target.port, started=access.clock.now())
    began = access.clock.monotonic()
    async with patient(access, attempt, timeout_seconds):
        protocol = await open_connection(access, attempt, _response_handler)
        try:
            request = (method, target, list(headers), body)
            async with _request(attempt, protocol, *request) as answer:
                received = await _body(answer)
        finally:
            protocol.close()
        seconds = access.clock.monotonic() - began
    flow_id = await name_flow(access, attempt)
    return Response(
        status=answer.status,
        reason=answer.reason or "",
        headers=tuple(
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in answer.raw_headers
        ),
        body=received,
        flow_ids=(flow_id,) if flow_id else (),
        seconds=seconds,
        version=_version(answer),
    )


def parse_url(text: str) -> URL:
    """An http URL; as with curl, "frontend/cart" is one too. ConfigError says what is wrong."""
    try:
        url = URL(text if "://" in text else f"http://{text}", encoded=True)
        host, port = url.host, url.port
    except ValueError as error:
        raise ConfigError(f"{text!r} is no URL: {error}") from error
    if url.scheme != "http":
        raise ConfigError(f"{text}: only http:// is spoken here, not {url.scheme}://")
    if not host or not port:
        raise ConfigError(f"{text!r} is no URL: it names no host")
    return url


@asynccontextmanager
async def _request(
    attempt: Attempt,
    protocol: ResponseHandler,
    method: str,
    url: URL,
    headers: list[tuple[str, str]],
    body: bytes,
) -> AsyncIterator[aiohttp.ClientResponse]:
    """The answer, its body still to be read; every failure as Unreached or WireError."""
    try:
        async with (
            aiohttp.ClientSession(
                connector=_OneConnection(protocol),
                timeout=aiohttp.ClientTimeout(total=None),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": USER_AGENT},
                skip_auto_headers=_NOT_SENT,
                auto_decompress=False,
                max_line_size=LINE_BYTES_MAX,
                max_field_size=LINE_BYTES_MAX,
            ) as session,
            session.request(
                method, url, headers=headers, data=body or None, allow_redirects=False
            ) as answer,
        ):
            yield answer
    except (aiohttp.ClientResponseError, aiohttp.InvalidURL) as error:
        raise WireError(f"{attempt} answers, but not with HTTP/1.1: {error}") from error
    except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, OSError) as error:
        text = f"{attempt}: connected, then cut off before the end of the answer ({error})"
        raise Unreached(Symptom.RESET, text, attempt.flow_id) from error
    except ValueError as error:
        raise ConfigError(f"the request cannot be sent: {error}") from error


async def _body(answer: aiohttp.ClientResponse) -> bytes:
    """All of it, up to a bound."""
    received = bytearray()
    async for chunk in answer.content.iter_any():
        received += chunk
        if len(received) > BODY_BYTES_MAX:
            raise WireError(f"the answer's body is longer than {BODY_BYTES_MAX} bytes")
    return bytes(received)


def _version(answer: aiohttp.ClientResponse) -> str:
    version = answer.version
    return f"{version.major}.{version.minor}" if version is not None else "1.1"


def _response_handler() -> ResponseHandler:
    return ResponseHandler(loop=asyncio.get_running_loop())


class _OneConnection(aiohttp.BaseConnector):
    """Gives aiohttp the connection that was opened from a place in the cluster network."""

    def __init__(self, protocol: ResponseHandler) -> None:
        super().__init__(force_close=True, limit=1)
        self._protocol = protocol

    async def _create_connection(self, req: Any, traces: Any, timeout: Any) -> ResponseHandler:
        return self._protocol
