"""What processes of one machine say to each other when sockets themselves change hands.

    message   a msgpack list                                  with it go
    hello     [VERSION, 0, instance]                          nothing; the first on each connection
    flows     [VERSION, 1, [flow, ...]]                       a descriptor for each flow, in order
    died      [VERSION, 2, [instance, ...]]                   nothing
    ended     [VERSION, 3, [at, passed, [flow id, ...]]]      nothing; goes back the way flows came

An *instance* names one life of a process, such as "gateway#5d2c1f0a". `passed` are the instances
through whose hands a flow went, the first one first: when one of them dies, whoever has the socket
ends it, as if the dead one had stayed in its path.
One message is one datagram of a SEQPACKET socket, at most MESSAGE_BYTES_MAX. Who may open that
socket is the same user, so nothing is signed; everything is checked all the same.
Pure: bytes in, values out, and back. Anything else is a WireError.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import msgpack

from cluster.dataclass import dataclass
from cluster.errors import WireError
from cluster.wire.addresses import PORT_MAX, Protocol, SocketAddress, ip_number
from cluster.wire.flow import Entry, Flow, FlowContext, FlowKind, Origin, OriginKind
from cluster.wire.preamble import HOPS_MAX, TEXT_CHARACTERS_MAX

VERSION = 1
MESSAGE_BYTES_MAX = 64 * 1024
FLOWS_MAX = 128  # in one message; the kernel passes at most 253 descriptors
PASSED_MAX = 8
ENDED_MAX = 1024
INSTANCE_CHARACTERS_MAX = 300
TEXTS_CHARACTERS_MAX = 4 * TEXT_CHARACTERS_MAX  # of one flow together

_HELLO, _FLOWS, _DIED, _ENDED = range(4)
_TCP = Protocol.TCP
_KINDS = {str(each): each for each in FlowKind}
_ENTRIES = {str(each): each for each in Entry}
_ORIGINS = {str(each): each for each in OriginKind}


class Handed(NamedTuple):
    """A TCP flow whose socket changes hands, and through whose it went so far."""

    context: FlowContext
    passed: tuple[str, ...]
    asks: bool = False  # a process waits at its other end for a verdict, not a client
    ip_version: int = 4  # of the real socket


@dataclass(frozen=True, slots=True)
class Hello:
    """Who hands over on this connection."""

    instance: str


@dataclass(frozen=True, slots=True)
class Flows:
    """Flows, each with the descriptor of the same place."""

    flows: tuple[Handed, ...]


@dataclass(frozen=True, slots=True)
class Died:
    """Processes that are gone."""

    instances: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ended:
    """Flows that came to their end, seconds since 1970, all through the same hands."""

    at: float
    passed: tuple[str, ...]
    flow_ids: tuple[str, ...]


Message = Hello | Flows | Died | Ended


def encode_hello(instance: str) -> bytes:
    """The first message."""
    return _packed(_HELLO, instance)


def encode_flows(flows: Iterable[Handed]) -> bytes:
    """Flows; may be longer than MESSAGE_BYTES_MAX: then send fewer."""
    return _packed(_FLOWS, [_flow_fields(each) for each in flows])


def encode_died(instances: Sequence[str]) -> bytes:
    """Processes that are gone."""
    return _packed(_DIED, list(instances))


def encode_ended(ended: Ended) -> bytes:
    """The ends of at most ENDED_MAX flows."""
    assert len(ended.flow_ids) <= ENDED_MAX
    return _packed(_ENDED, [ended.at, list(ended.passed), list(ended.flow_ids)])


def _packed(what: int, content: object) -> bytes:
    packed: bytes = msgpack.packb([VERSION, what, content])
    return packed


def _flow_fields(handed: Handed) -> list[object]:
    context, passed, asks, ip_version = handed
    flow, original, origin = context.flow, context.original, context.origin
    same = flow is original or flow == original
    return [
        context.flow_id,
        *flow.source,
        *flow.destination,
        None if same else [*original.source, *original.destination],
        origin.kind,
        origin.name,
        origin.node,
        context.kind,
        context.entry,
        context.hops,
        context.sender,
        passed,
        asks,
        ip_version,
    ]


def decode(data: bytes | memoryview) -> Message:
    """Read a message."""
    try:
        version, what, content = msgpack.unpackb(data)
        if version != VERSION:
            raise WireError(f"hand-over of version {version!r}, this process speaks {VERSION}")
        return _READERS[what](content)
    except (ValueError, TypeError, KeyError, IndexError) as error:
        raise WireError(f"not a hand-over message: {error}") from error


def _hello(content: Any) -> Hello:
    return Hello(_text(content, INSTANCE_CHARACTERS_MAX))


def _flows(content: Any) -> Flows:
    if type(content) is not list or not 0 < len(content) <= FLOWS_MAX:
        raise WireError(f"a message of flows holds 1 to {FLOWS_MAX}")
    return Flows(tuple(map(_flow, content)))


def _flow(fields: Any) -> Handed:
    """One flow; each connection costs this twice, so what can be checked together is."""
    flow_id, source_ip, source_port, ip, port, seen, kind, name, node, *rest = fields
    purpose, entry, hops, sender, passed, asks, ip_version = rest
    if not (str is type(flow_id) is type(name) is type(node) is type(sender)):
        raise WireError("a flow's names are texts")
    if len(flow_id) + len(name) + len(node) + len(sender) > TEXTS_CHARACTERS_MAX:
        raise WireError(f"a flow's names have at most {TEXTS_CHARACTERS_MAX} characters")
    if type(hops) is not int or not 0 <= hops <= HOPS_MAX:
        raise WireError(f"{hops!r} is not a number of hops")
    if type(asks) is not bool or type(passed) is not list or ip_version not in (4, 6):
        raise WireError("a flow says through whose hands it went, who asks, and by which IP")
    flow = Flow(_TCP, _address(source_ip, source_port), _address(ip, port))
    context = FlowContext(
        flow_id=flow_id,
        flow=flow,
        original=flow if seen is None else _seen(seen),
        origin=Origin(_ORIGINS[kind], name, node),
        kind=_KINDS[purpose],
        entry=_ENTRIES[entry],
        hops=hops,
        sender=sender,
    )
    return Handed(context, _passed(tuple(passed)), asks, ip_version)


def _seen(fields: Any) -> Flow:
    """The flow as its client sent it, where that is another one."""
    source_ip, source_port, ip, port = fields
    return Flow(_TCP, _address(source_ip, source_port), _address(ip, port))


def _address(ip: Any, port: Any) -> SocketAddress:
    if type(ip) is not str or type(port) is not int or not 0 <= port <= PORT_MAX:
        raise WireError(f"{ip!r} and {port!r} are not an address and a port")
    ip_number(ip)  # ValueError unless it is an address; what is one is remembered
    return SocketAddress(ip, port)


@lru_cache(maxsize=4096)
def _passed(instances: tuple[Any, ...]) -> tuple[str, ...]:
    """Checked once: flows of one process come through the same hands."""
    return _instances(list(instances), PASSED_MAX)


def _died(content: Any) -> Died:
    return Died(_instances(content, ENDED_MAX))


def _ended(content: Any) -> Ended:
    at, passed, flow_ids = content
    if type(at) is not float or type(flow_ids) is not list or len(flow_ids) > ENDED_MAX:
        raise WireError(f"an end has a time and at most {ENDED_MAX} flows")
    return Ended(at, _instances(passed, PASSED_MAX), tuple(map(_text, flow_ids)))


_READERS = (_hello, _flows, _died, _ended)


def _instances(content: Any, limit: int) -> tuple[str, ...]:
    if type(content) is not list or len(content) > limit:
        raise WireError(f"a list of at most {limit} processes is wanted")
    return tuple(_text(each, INSTANCE_CHARACTERS_MAX) for each in content)


def _text(value: Any, limit: int = TEXT_CHARACTERS_MAX) -> str:
    if type(value) is not str or len(value) > limit:
        raise WireError(f"{value!r} is not a text of at most {limit} characters")
    return value
