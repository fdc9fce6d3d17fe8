"""Opens connections from a place: an outside client's by a real socket, a pod's by its kubelet.

    async with await open_stream(access, Place.parse("pod/shop/cart-1"), "frontend", 80) as stream:
        stream.writer.write(b"..."); await stream.reader.read()

The kubelet's socket is begun with HTTP (GET /dial) and becomes the pod's connection: its protocol
is swapped, so that nothing of HTTP is left on it.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Self, TypeVar, cast

from cluster.dataclass import dataclass
from cluster.errors import ConfigError, WireError
from cluster.traffic.access import Access, Station
from cluster.traffic.attempt import Attempt, name_flow
from cluster.traffic.outside import connect_stream
from cluster.traffic.patience import patient
from cluster.traffic.place import Place, PlaceKind
from cluster.traffic.unreached import Symptom, Unreached
from cluster.traffic.upgrade import DialReply, dial_request, parse_failure, parse_reply

STREAM_BYTES_MAX = 2**20  # what a Stream reads ahead
KUBELET_PORT = 10250
NOT_FOUND = 404
BAD_GATEWAY = 502

AnyProtocol = TypeVar("AnyProtocol", bound=asyncio.BaseProtocol)


async def open_connection(
    access: Access, attempt: Attempt, factory: Callable[[], AnyProtocol]
) -> AnyProtocol:
    """A connected protocol, or Unreached; the attempt learns on the way what is known."""
    if attempt.place.kind is PlaceKind.INTERNET:
        return await connect_stream(access, attempt, factory)
    station = attempt.station = await access.station(attempt.place)
    dialling = await _ask_kubelet(access, attempt, station)
    return dialling.become(factory())


@dataclass(slots=True)
class Stream:
    """A connection made from a place in the cluster network."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    flow_id: str

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """End the connection; one that is broken already is closed too."""
        self.writer.close()
        with suppress(ConnectionError):
            await self.writer.wait_closed()


async def open_stream(
    access: Access, place: Place, host: str, port: int, *, timeout_seconds: float = 10.0
) -> Stream:
    """Connect; Unreached with the symptom and the flow when that fails."""
    attempt = Attempt(place=place, host=host, port=port, started=access.clock.now())
    reader = asyncio.StreamReader(STREAM_BYTES_MAX)
    async with patient(access, attempt, timeout_seconds):
        protocol = await open_connection(access, attempt, lambda: _StreamProtocol(reader))
    assert protocol.transport is not None
    loop = asyncio.get_running_loop()
    writer = asyncio.StreamWriter(protocol.transport, protocol, reader, loop)
    return Stream(reader, writer, await name_flow(access, attempt))


class _StreamProtocol(asyncio.StreamReaderProtocol):
    """Asyncio's own, remembering its transport."""

    transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's inherit nothing
        super().connection_made(transport)


async def _ask_kubelet(access: Access, attempt: Attempt, station: Station) -> "_Dialling":
    """The kubelet's connection, when it has become the pod's."""
    where = await access.kubelet(station.node)
    loop = asyncio.get_running_loop()
    try:
        if where.startswith("unix:"):
            path = where.removeprefix("unix:")
            transport, dialling = await loop.create_unix_connection(_Dialling, path)
        else:
            transport, dialling = await _connect_tls(access, where)
    except OSError as error:
        raise _kubelet_gone(attempt, station, where, error) from error
    try:
        transport.write(dial_request(station.origin, attempt.host, attempt.port))
        reply = await dialling.reply
    except WireError:
        transport.abort()
        raise
    except OSError as error:
        raise _kubelet_gone(attempt, station, where, error) from error
    except BaseException:
        transport.abort()
        raise
    return _accepted(attempt, dialling, reply)


async def _connect_tls(access: Access, where: str) -> tuple[asyncio.Transport, "_Dialling"]:
    import ssl
    from urllib.parse import urlsplit

    url = urlsplit(where)
    assert url.hostname is not None, where
    tls = access.remote.tls or ssl.create_default_context()
    loop = asyncio.get_running_loop()
    return await loop.create_connection(_Dialling, url.hostname, url.port or KUBELET_PORT, ssl=tls)


def _accepted(attempt: Attempt, dialling: "_Dialling", reply: DialReply) -> "_Dialling":
    """The dialling that succeeded; otherwise what the kubelet said of its failure."""
    if reply.switched:
        attempt.flow_id = reply.flow_id
        return dialling
    dialling.abort()
    failure = parse_failure(reply)
    attempt.flow_id = failure.flow_id
    if reply.status == BAD_GATEWAY:
        kind = failure.error if failure.error in set(Symptom) else Symptom.UNREACHABLE
        raise Unreached(kind, f"{attempt}: {failure.message}", failure.flow_id)
    if reply.status == NOT_FOUND:
        raise ConfigError(f"{failure.message}: does it still run? kubectl get pods -o wide")
    raise WireError(f"the kubelet answered /dial with {reply.status}: {failure.message}")


def _kubelet_gone(attempt: Attempt, station: Station, where: str, error: OSError) -> Unreached:
    text = f"the kubelet of {station.node} does not answer at {where} ({error})"
    return Unreached(Symptom.UNREACHABLE, f"{attempt}: {text}: is the node stopped?")


class _Dialling(asyncio.Protocol):
    """Waits for the kubelet's reply, then gives its transport to the protocol of the connection."""

    def __init__(self) -> None:
        self.reply: asyncio.Future[DialReply] = asyncio.get_running_loop().create_future()
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        if self.reply.done():
            return
        try:
            reply = parse_reply(bytes(self._received))
        except WireError as error:
            self.reply.set_exception(error)
            return
        if reply is not None:
            assert self._transport is not None
            self._transport.pause_reading()  # what follows belongs to the next protocol
            self._rest = reply.rest
            self._received.clear()
            self.reply.set_result(reply)

    def eof_received(self) -> bool:
        """The end before the reply is a failure; after it, it is the connection's own end."""
        self._fail(ConnectionResetError("closed before it answered"))
        return False

    def connection_lost(self, error: Exception | None) -> None:
        self._fail(error if isinstance(error, OSError) else ConnectionResetError("closed"))

    def _fail(self, error: OSError) -> None:
        if not self.reply.done():
            self.reply.set_exception(error)
            self.reply.exception()  # who dialled may have been cancelled: nobody has to ask for it

    def abort(self) -> None:
        """Leave."""
        assert self._transport is not None
        self._transport.abort()

    def become(self, protocol: AnyProtocol) -> AnyProtocol:
        """Hand the connection over, with the bytes that came behind the reply."""
        transport = self._transport
        assert transport is not None
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        rest = self._rest + bytes(self._received)
        if rest and isinstance(protocol, asyncio.Protocol):
            protocol.data_received(rest)
        transport.resume_reading()
        return protocol
