"""What a reader asks of a recorder: the query parameters of `/flows`.

Pure: no I/O.

    id=FLOW  source=IP[:PORT]  destination=IP[:PORT]  protocol=TCP  kind=traffic  outcome=dropped
    since=SECONDS  limit=COUNT

A source or destination matches the flow as its client sent it, and as any hop left or found it: an
address is found whether it is asked for before or after a translation.
Spec: O-48.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields
from enum import StrEnum
from typing import TypeVar

from cluster.dataclass import dataclass
from cluster.errors import ConfigError
from cluster.trace.draft import Draft
from cluster.trace.record import Outcome, Segment
from cluster.wire.addresses import Protocol, SocketAddress
from cluster.wire.flow import FlowKind

ANY_PORT = 0
LIMIT_DEFAULT = 1000
LIMIT_MAX = 10000

Choice = TypeVar("Choice", bound=StrEnum)
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Which segments are wanted; None asks for everything. An address's port 0 is any port."""

    id: str | None = None
    source: SocketAddress | None = None
    destination: SocketAddress | None = None
    protocol: Protocol | None = None
    kind: FlowKind | None = None
    outcome: Outcome | None = None
    since: float | None = None  # seconds since 1970: flows that started then or later
    limit: int = LIMIT_DEFAULT  # the newest so many

    @classmethod
    def parse(cls, parameters: Mapping[str, str]) -> "Query":
        """Read query parameters; an empty one asks nothing. ConfigError says which is wrong."""
        unknown = sorted(set(parameters) - PARAMETERS)
        if unknown:
            known = ", ".join(sorted(PARAMETERS))
            raise ConfigError(f"{unknown[0]} is not a parameter of /flows; it has {known}")
        given = {name: text for name, text in parameters.items() if text}
        limit = _read(given, "limit", _limit)
        return cls(
            id=given.get("id"),
            source=_read(given, "source", _address),
            destination=_read(given, "destination", _address),
            protocol=_read(given, "protocol", lambda text: _choice(text.upper(), Protocol)),
            kind=_read(given, "kind", lambda text: _choice(text.lower(), FlowKind)),
            outcome=_read(given, "outcome", lambda text: _choice(text.lower(), Outcome)),
            since=_read(given, "since", _seconds),
            limit=LIMIT_DEFAULT if limit is None else limit,
        )

    def to_parameters(self) -> dict[str, str]:
        """The parameters that `parse` reads back to this query."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return {name: _text(value) for name, value in values.items() if value is not None}

    def matches(self, segment: Segment | Draft) -> bool:
        """Whether a segment is wanted, written out or not; `limit` is the recorder's to keep."""
        if self.id is not None and segment.flow_id != self.id:
            return False
        if self.kind is not None and segment.kind is not self.kind:
            return False
        if self.outcome is not None and segment.outcome is not self.outcome:
            return False
        if self.since is not None and segment.started < self.since:
            return False
        if self.protocol is not None and segment.original.protocol is not self.protocol:
            return False
        return self._matches_ends(segment)

    def _matches_ends(self, segment: Segment | Draft) -> bool:
        source, destination = self.source, self.destination
        if source is not None and not any(_is(source, flow.source) for flow in segment.flows()):
            return False
        return destination is None or any(
            _is(destination, flow.destination) for flow in segment.flows()
        )


PARAMETERS = frozenset(each.name for each in fields(Query))


def _is(wanted: SocketAddress, found: SocketAddress) -> bool:
    return wanted.ip == found.ip and wanted.port in (ANY_PORT, found.port)


def _read(given: Mapping[str, str], name: str, read: Callable[[str], Value]) -> Value | None:
    try:
        return read(given[name]) if name in given else None
    except ValueError as error:
        raise ConfigError(f"{name}={given[name]}: {error}") from error


def _address(text: str) -> SocketAddress:
    return SocketAddress.parse(text, default_port=ANY_PORT)


def _choice(text: str, choices: type[Choice]) -> Choice:
    try:
        return choices(text)
    except ValueError:
        raise ValueError(f"must be one of {', '.join(choices)}") from None


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError("must be a number of seconds since 1970") from None


def _limit(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= LIMIT_MAX:
        raise ValueError(f"must be a number from 1 to {LIMIT_MAX}")
    return int(text)


def _text(value: object) -> str:
    if isinstance(value, SocketAddress) and value.port == ANY_PORT:
        return value.ip
    return repr(value) if isinstance(value, float) else str(value)
