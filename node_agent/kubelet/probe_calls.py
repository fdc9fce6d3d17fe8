"""What a probe does: HTTP, TCP and exec, from the node to the pod's address.

The node dials (`Network.dial`, kind PROBE), so NetworkPolicy does not block it and a server on the
pod's localhost does not answer it (P-48). Texts are those of the real kubelet (P-55).
"""

import asyncio
import errno
import ipaddress
import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from cluster import KUBERNETES
from cluster.dataclass import dataclass
from cluster.wire.addresses import SocketAddress
from cluster.wire.flow import FlowKind
from node_agent.cni.interface import Network
from node_agent.kubelet.probes import Broken, Exec, Grpc, Handler, HttpGet, Outcome, TcpSocket
from node_agent.workloads.workload import ExecResult

if TYPE_CHECKING:
    import ssl

USER_AGENT = f"kube-probe/{'.'.join(KUBERNETES)}"
REDIRECTS_MAX = 10
HEADER_LINES_MAX = 100
BODY_BYTES_MAX = 10 * 1024

Execute = Callable[[Sequence[str]], Awaitable[ExecResult]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A container, as its probes and hooks reach it."""

    network: Network
    ip: str
    execute: Execute
    stand_in: bool = False  # nobody knows the real program: what it cannot be asked passes


async def ask(handler: Handler, target: Target, timeout_seconds: float) -> Outcome:
    """One question; never raises for what the pod does."""
    match handler:
        case HttpGet(scheme="https") if target.stand_in:  # it has no certificate to show
            return await _tcp(TcpSocket(handler.port, handler.host), target, timeout_seconds)
        case HttpGet():
            return await _http(handler, target, timeout_seconds)
        case TcpSocket():
            return await _tcp(handler, target, timeout_seconds)
        case Exec():
            return await _exec(handler, target, timeout_seconds)
        case Grpc() if target.stand_in:
            return Outcome(True)
        case Grpc():
            return Outcome(False, "grpc probes are not supported: use httpGet or tcpSocket")
        case Broken(text):
            return Outcome(False, text)


async def _tcp(handler: TcpSocket, target: Target, timeout_seconds: float) -> Outcome:
    address = SocketAddress(handler.host or target.ip, handler.port)
    try:
        async with asyncio.timeout(timeout_seconds):
            sock = await target.network.dial(*address, kind=FlowKind.PROBE)
    except (OSError, TimeoutError) as error:
        return Outcome(False, f"dial tcp {address}: {_go_error(error, 'i/o timeout')}")
    sock.close()
    return Outcome(True)


async def _exec(handler: Exec, target: Target, timeout_seconds: float) -> Outcome:
    command = " ".join(handler.command)
    try:
        async with asyncio.timeout(timeout_seconds):
            result = await target.execute(handler.command)
    except TimeoutError:
        return Outcome(False, f'command "{command}" timed out')
    return Outcome(result.exit_code == 0, result.output)


async def _http(handler: HttpGet, target: Target, timeout_seconds: float) -> Outcome:
    try:
        async with asyncio.timeout(timeout_seconds):
            return await _follow(handler, target)
    except TimeoutError:
        text = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
        return Outcome(False, f'Get "{_url(handler, target)}": {text}')


async def _follow(handler: HttpGet, target: Target) -> Outcome:
    """Ask, and follow redirects to the same host; one to another host is a success (P-47)."""
    for _ in range(REDIRECTS_MAX):
        url = _url(handler, target)
        try:
            status, headers, body = await _request(handler, target)
        except OSError as error:
            return Outcome(False, f'Get "{url}": {_dial_error(error, handler, target)}')
        except (EOFError, ValueError) as error:
            return Outcome(False, f'Get "{url}": {error}')
        location = headers.get("location", "")
        if not (300 <= status < 400 and location):
            return _judge(status, body)
        goal = urlsplit(urljoin(url, location))
        if goal.hostname != urlsplit(url).hostname:
            return Outcome(True, warning="Probe terminated redirects, Response body: " + body)
        port = goal.port or (443 if goal.scheme == "https" else 80)
        path = (goal.path or "/") + (f"?{goal.query}" if goal.query else "")
        handler = replace(handler, port=port, path=path, scheme=goal.scheme)
    return Outcome(False, f'Get "{_url(handler, target)}": stopped after 10 redirects')


def _judge(status: int, body: str) -> Outcome:
    if 200 <= status < 400:
        return Outcome(True, body)
    return Outcome(False, f"HTTP probe failed with statuscode: {status}")


def _url(handler: HttpGet, target: Target) -> str:
    path = handler.path if handler.path.startswith("/") else "/" + handler.path
    return f"{handler.scheme}://{SocketAddress(handler.host or target.ip, handler.port)}{path}"


async def _request(handler: HttpGet, target: Target) -> tuple[int, dict[str, str], str]:
    host = handler.host or target.ip
    try:
        ipaddress.ip_address(host)
    except ValueError:
        raise ValueError(f"dial tcp: lookup {host}: a node resolves no names, give an IP") from None
    sock = await target.network.dial(host, handler.port, kind=FlowKind.PROBE)
    secure = handler.scheme == "https"
    reader, writer = await asyncio.open_connection(
        sock=sock,
        ssl=_unverified() if secure else None,
        server_hostname=host if secure else None,
    )
    try:
        writer.write(_request_head(handler, SocketAddress(host, handler.port)))
        return await _answer(reader)
    finally:
        writer.transport.abort()


def _request_head(handler: HttpGet, address: SocketAddress) -> bytes:
    headers = {"Host": str(address), "User-Agent": USER_AGENT, "Accept": "*/*"}
    given = {name.title(): value for name, value in handler.headers}
    lines = [f"{name}: {value}" for name, value in (headers | given).items()]
    path = handler.path if handler.path.startswith("/") else "/" + handler.path
    head = "\r\n".join([f"GET {path} HTTP/1.1", *lines, "Connection: close", "", ""])
    return head.encode("utf-8")


async def _answer(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], str]:
    version, _, rest = (await _line(reader)).partition(" ")
    status = rest[:3]
    if not version.startswith("HTTP/1.") or not status.isdecimal():
        raise ValueError(f'malformed HTTP response "{version} {rest}"')
    headers: dict[str, str] = {}
    for _ in range(HEADER_LINES_MAX):
        line = await _line(reader)
        if not line:
            break
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    length = headers.get("content-length", "")
    wanted = min(int(length), BODY_BYTES_MAX) if length.isdecimal() else 0
    body = await reader.read(wanted) if wanted else b""
    return int(status), headers, body.decode("utf-8", "replace")


async def _line(reader: asyncio.StreamReader) -> str:
    line = await reader.readline()
    if not line:
        raise EOFError("EOF")
    return line.decode("latin-1").rstrip("\r\n")


def _dial_error(error: OSError, handler: HttpGet, target: Target) -> str:
    if isinstance(error, ConnectionResetError | BrokenPipeError):
        return "read: connection reset by peer"
    address = SocketAddress(handler.host or target.ip, handler.port)
    return f"dial tcp {address}: {_go_error(error, 'i/o timeout')}"


def _go_error(error: BaseException, timeout: str) -> str:
    """An error as Go's net package words it."""
    if isinstance(error, TimeoutError):
        return timeout
    number = error.errno if isinstance(error, OSError) else None
    known = {
        errno.ECONNREFUSED: "connection refused",
        errno.EHOSTUNREACH: "no route to host",
        errno.ENETUNREACH: "network is unreachable",
    }
    return "connect: " + known.get(number or 0, os.strerror(number) if number else str(error))


def _unverified() -> "ssl.SSLContext":
    """The kubelet does not check certificates of what it probes."""
    import ssl

    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
