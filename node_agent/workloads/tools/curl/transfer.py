"""One request of curl's and its response: connect, perhaps TLS, send, hand on what comes.

What happens on the way is said to a `Watcher`, which is what -v, -i and the progress meter are.
Exceptions of the network become CurlErrors here and nowhere else.
"""

import asyncio
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Protocol

from cluster.dataclass import dataclass
from node_agent.workloads.tools.curl import failures
from node_agent.workloads.tools.curl.failures import CurlError
from node_agent.workloads.tools.curl.options import CurlOptions
from node_agent.workloads.tools.curl.request import Request
from node_agent.workloads.tools.curl.write_out import Result
from node_agent.workloads.tools.http import exchange
from node_agent.workloads.tools.http.exchange import INFORMATIONAL_MAX, Connection, Cut, EmptyReply
from node_agent.workloads.tools.http.message import BadMessage, Head, request_head
from node_agent.workloads.tools.http.url import Url

CONTINUE_SECONDS = 1.0  # how long a server may take to say 100 Continue


class Watcher(Protocol):
    """Who is told what happens."""

    async def info(self, text: str) -> None:
        """A line of -v: `* text`."""

    async def sent(self, head: bytes, body: int) -> None:
        """A request has been sent."""

    async def head(self, head: Head) -> None:
        """A head came, of 1xx too."""

    async def body(self, data: bytes) -> None:
        """A part of the body came."""


@dataclass(slots=True)
class Way:
    """How a URL's host is reached: --resolve, --connect-to, -4 and -6."""

    options: CurlOptions

    @property
    def family(self) -> int:
        """The address family that is asked for; both without -4 or -6."""
        if "ipv4" in self.options:
            return socket.AF_INET
        return socket.AF_INET6 if "ipv6" in self.options else socket.AF_UNSPEC

    def target(self, url: Url) -> tuple[str, int]:
        """Host and port to connect to."""
        for text in self.options.all("connect-to"):
            host, port, to_host, to_port = (text.split(":") + [""] * 4)[:4]
            if host in ("", url.host) and port in ("", str(url.port)):
                return to_host or url.host, int(to_port) if to_port.isdecimal() else url.port
        return url.host, url.port

    def given(self, host: str, port: int) -> list[str]:
        """Addresses of --resolve HOST:PORT:ADDRESS[,ADDRESS]."""
        for text in reversed(self.options.all("resolve")):
            name, number, addresses = (text.removeprefix("+").split(":", 2) + [""] * 3)[:3]
            if name.lower() in ("*", host.lower()) and number in ("*", str(port)):
                return [each.strip("[]") for each in addresses.split(",") if each]
        return []


class Transfer:
    """A transfer of one URL; `result` holds what is known of it at any moment."""

    def __init__(
        self, options: CurlOptions, watcher: Watcher, trust: Callable[[], ssl.SSLContext]
    ) -> None:
        self._options = options
        self._way = Way(options)
        self._watcher = watcher
        self._trust = trust
        self._began = time.monotonic()
        self._number = -1
        self.result = Result()
        self.expected: int | None = None
        self._step = "Resolving"

    @property
    def seconds(self) -> float:
        """How long it has been going on."""
        return time.monotonic() - self._began

    def out_of_time(self) -> CurlError:
        """What to say when the time is over now."""
        return failures.out_of_time(self._step, self.seconds, self.result.downloaded, self.expected)

    async def perform(self, request: Request) -> Head:
        """One request and its whole response; the head that counted."""
        connection = await self._connect(request.url)
        try:
            head = await self._exchange(connection, request)
        except BaseException:
            connection.abort()
            raise
        if head.keeps_alive:
            text = f"Connection #{self._number} to host {request.url.host} left intact"
        else:
            text = f"Closing connection {self._number}"
        await self._watcher.info(text)
        connection.close()
        return head

    async def _connect(self, url: Url) -> Connection:
        seconds = self._options.number("connect-timeout")
        try:
            async with asyncio.timeout(seconds or None) as timer:
                return await self._open(url)
        except TimeoutError:
            if not timer.expired():
                raise
            raise self.out_of_time() from None

    async def _open(self, url: Url) -> Connection:
        host, port = self._way.target(url)
        self._step = "Resolving"
        addresses = self._way.given(host, port) or await self._resolve(host, port)
        times = self.result.times
        times.namelookup = self.seconds
        self._step = "Connection"
        sock = await self._reach(host, port, addresses)
        times.connect = self.seconds
        self._number += 1
        self.result.connects += 1
        context = self._trust() if url.tls else None
        connection = await self._secured(sock, context, url)
        remote = connection.remote
        self.result.remote, self.result.local = remote, connection.local
        await self._watcher.info(
            f"Connected to {host} ({remote[0]}) port {remote[1]} (#{self._number})"
        )
        await self._tell_tls(connection)
        times.appconnect = self.seconds if url.tls else 0.0
        times.pretransfer = self.seconds
        self._step = "Operation"
        return connection

    async def _resolve(self, host: str, port: int) -> list[str]:
        try:
            return await exchange.resolve(host, port, self._way.family)
        except (socket.gaierror, UnicodeError):
            await self._watcher.info(f"Could not resolve host: {host}")
            raise failures.unresolved(host) from None

    async def _reach(self, host: str, port: int, addresses: list[str]) -> socket.socket:
        silent = False
        began = time.monotonic()
        for address in addresses:
            await self._watcher.info(f"  Trying {address}:{port}...")
            try:
                return await exchange.connected(address, port)
            except OSError as error:
                silent = isinstance(error, TimeoutError)
                what = error.strerror or str(error)
                await self._watcher.info(f"connect to {address} port {port} failed: {what}")
        failed = failures.unconnected(host, port, time.monotonic() - began, silent=silent)
        await self._watcher.info(str(failed))
        raise failed

    async def _secured(
        self, sock: socket.socket, context: ssl.SSLContext | None, url: Url
    ) -> Connection:
        try:
            return await exchange.connection(sock, context, url.host.rstrip("."))
        except ssl.SSLCertVerificationError as error:
            raise failures.untrusted(url.host, error.verify_message) from None
        except ssl.SSLError as error:
            raise failures.handshake_failed(error.reason or "handshake failure") from None
        except (ConnectionError, EOFError) as error:
            if context is None:
                raise failures.lost(_as_reset(error)) from None
            text = f"OpenSSL SSL_connect: {_as_reset(error).strerror} in connection to "
            raise CurlError(failures.TLS_CONNECT, f"{text}{url.host}:{url.port} ") from None

    async def _tell_tls(self, connection: Connection) -> None:
        if connection.tls is None:
            return
        cipher: Any = connection.tls.cipher()
        version, name = connection.tls.version(), cipher[0] if cipher else "unknown"
        await self._watcher.info(f"SSL connection using {version} / {name}")
        verified = connection.tls.context.verify_mode != ssl.CERT_NONE
        text = "SSL certificate verify ok." if verified else "SSL certificate is not verified."
        await self._watcher.info(f" {text}")

    async def _exchange(self, connection: Connection, request: Request) -> Head:
        try:
            return await self._spoken(connection, request)
        except EmptyReply:
            raise CurlError(failures.EMPTY, "Empty reply from server") from None
        except Cut as error:
            raise failures.cut(error.missing) from None
        except BadMessage as error:
            raise CurlError(failures.UNSUPPORTED, str(error)) from None
        except (ConnectionError, ssl.SSLError, TimeoutError) as error:
            raise failures.lost(_as_reset(error)) from None

    async def _spoken(self, connection: Connection, request: Request) -> Head:
        raw = request_head(request.method, request.url.target, request.headers)
        body = request.body or b""
        early: Head | None = None
        await connection.send(raw if request.asks_first else raw + body)
        await self._watcher.sent(raw, len(body))
        if request.asks_first:
            early = await self._permitted(connection)
            if early is None or early.status < 200:
                await connection.send(body)
                early = None
        self.result.request_bytes += len(raw)
        self.result.uploaded += len(body)
        head = early or await self._final_head(connection)
        self.expected = None
        if request.method != "HEAD":
            self.expected = head.content_length
        async with _closing(connection.body(request.method, head)) as parts:
            async for part in parts:
                self.result.downloaded += len(part)
                await self._watcher.body(part)
        return head

    async def _permitted(self, connection: Connection) -> Head | None:
        """The server's answer to Expect: 100-continue; None when it says nothing in time."""
        try:
            async with asyncio.timeout(CONTINUE_SECONDS) as timer:
                return await self._one_head(connection)
        except TimeoutError:
            if not timer.expired():
                raise
            return None

    async def _final_head(self, connection: Connection) -> Head:
        for _ in range(INFORMATIONAL_MAX):
            head = await self._one_head(connection)
            if head.status >= 200 or head.status == 101:
                return head
        raise BadMessage("Too many informational responses")

    async def _one_head(self, connection: Connection) -> Head:
        head = await connection.head()
        self.result.times.starttransfer = self.result.times.starttransfer or self.seconds
        self.result.header_bytes += len(head.raw)
        await self._watcher.head(head)
        return head


@asynccontextmanager
async def _closing(parts: AsyncIterator[bytes]) -> AsyncIterator[AsyncIterator[bytes]]:
    try:
        yield parts
    finally:
        await parts.aclose()  # type: ignore[attr-defined]


def _as_reset(error: BaseException) -> OSError:
    """What a kernel says of a connection that its peer has reset."""
    if isinstance(error, OSError) and error.strerror and not isinstance(error, ssl.SSLError):
        return error
    return ConnectionResetError(104, "Connection reset by peer")
