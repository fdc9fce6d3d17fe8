"""One datagram out and its reply back, from a place in the cluster network.

An outside client sends from a real socket. A pod sends through its kubelet (POST /echo-datagram). A
node sends through its kubelet too.
"""

import asyncio
import socket
from typing import Any

import aiohttp

from cluster.dataclass import dataclass
from cluster.errors import ConfigError
from cluster.traffic.access import Access
from cluster.traffic.attempt import Attempt, name_flow
from cluster.traffic.outside import bound_socket, failure, target_of
from cluster.traffic.patience import patient
from cluster.traffic.place import Place, PlaceKind
from cluster.traffic.unreached import Symptom, Unreached
from cluster.traffic.upgrade import DialReply, parse_failure
from cluster.wire.addresses import Protocol, SocketAddress

DATAGRAM_BYTES_MAX = 65507
_OK, _NOT_FOUND, _BAD_GATEWAY, _GATEWAY_TIMEOUT = 200, 404, 502, 504


@dataclass(frozen=True, slots=True, kw_only=True)
class DatagramReply:
    """What came back, and the flow it belongs to ("" when no process has told of it)."""

    payload: bytes
    flow_id: str
    seconds: float


async def exchange(
    access: Access, place: Place, host: str, port: int, payload: bytes, timeout_seconds: float = 5.0
) -> bytes:
    """The reply's bytes; Unreached: "timeout" without a reply, "refused" when told so (ICMP)."""
    reply = await send_datagram(access, place, host, port, payload, timeout_seconds=timeout_seconds)
    return reply.payload


async def send_datagram(
    access: Access,
    place: Place,
    host: str,
    port: int,
    payload: bytes,
    *,
    timeout_seconds: float = 5.0,
) -> DatagramReply:
    """As `exchange`, with the flow that it was."""
    if len(payload) > DATAGRAM_BYTES_MAX:
        raise ConfigError(f"{len(payload)} bytes do not fit a datagram: {DATAGRAM_BYTES_MAX} do")
    attempt = Attempt(
        place=place, host=host, port=port, protocol=Protocol.UDP, started=access.clock.now()
    )
    began = access.clock.monotonic()
    async with patient(access, attempt, timeout_seconds):
        if place.kind is PlaceKind.INTERNET:
            received = await _from_outside(access, attempt, payload)
        else:
            received = await _from_inside(access, attempt, payload, timeout_seconds)
        seconds = access.clock.monotonic() - began
    flow_id = await name_flow(access, attempt)
    return DatagramReply(payload=received, flow_id=flow_id, seconds=seconds)


async def _from_outside(access: Access, attempt: Attempt, payload: bytes) -> bytes:
    target = await target_of(access, attempt)
    sock = bound_socket(access, attempt, target, socket.SOCK_DGRAM)
    sock.connect(target.real)
    name = sock.getsockname()
    attempt.source = SocketAddress(name[0], name[1])
    loop = asyncio.get_running_loop()
    transport, reply = await loop.create_datagram_endpoint(_Reply, sock=sock)
    try:
        transport.sendto(payload)
        return await reply.received
    except OSError as error:
        raise await failure(access, attempt, error) from error
    finally:
        transport.close()


async def _from_inside(access: Access, attempt: Attempt, payload: bytes, seconds: float) -> bytes:
    station = attempt.station = await access.station(attempt.place)
    where = await access.kubelet(station.node)
    parameters = {
        "from": station.origin,
        "host": attempt.host,
        "port": str(attempt.port),
        "timeout": f"{seconds:g}",
    }
    try:
        async with (
            access.session(where, seconds + 1.0) as (session, base),
            session.post(f"{base}/echo-datagram", params=parameters, data=payload) as response,
        ):
            status, body = response.status, await response.read()
    except (aiohttp.ClientError, OSError) as error:
        text = f"{attempt}: the kubelet of {station.node} does not answer ({error})"
        raise Unreached(Symptom.UNREACHABLE, text) from error
    if status == _OK:
        return body
    raise _failed(attempt, status, body)


def _failed(attempt: Attempt, status: int, body: bytes) -> Exception:
    failed = parse_failure(DialReply(status=status, headers={}, body=body))
    if status == _GATEWAY_TIMEOUT:
        return TimeoutError(failed.message)
    if status == _NOT_FOUND:
        return ConfigError(f"{failed.message}: does it still run? kubectl get pods -o wide")
    kind = failed.error if failed.error in set(Symptom) else Symptom.UNREACHABLE
    return Unreached(kind, f"{attempt}: {failed.message}", failed.flow_id)


class _Reply(asyncio.DatagramProtocol):
    """Waits for the first datagram, or for what ICMP says."""

    def __init__(self) -> None:
        self.received: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, addr: Any) -> None:
        if not self.received.done():
            self.received.set_result(data)

    def error_received(self, exc: Exception) -> None:
        if not self.received.done():
            self.received.set_exception(exc)
