"""Pages of one list: every page comes from the state that the first one saw.

A page's token names a snapshot, which is only a list of references to immutable records; snapshots
are bounded in number and time, and a token whose snapshot is gone is 410 Expired.
"""

import base64
import binascii
from collections import OrderedDict

import orjson

from cluster.dataclass import dataclass
from control.apiserver import statuses
from control.store.record import Record

SNAPSHOTS_MAX = 64
SNAPSHOT_SECONDS = 300.0

Place = tuple[str, str, str | None, str]  # group, plural, namespace, fields: what a list is of


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the objects, and how to ask for the others."""

    records: list[Record]
    version: int
    token: str = ""
    remaining: int = 0


@dataclass(frozen=True, slots=True)
class _Snapshot:
    place: Place
    records: list[Record]
    version: int
    taken: float


class Pages:
    """The snapshots that tokens point into."""

    def __init__(self) -> None:
        self._snapshots: OrderedDict[int, _Snapshot] = OrderedDict()
        self._serial = 0

    def first(
        self, place: Place, records: list[Record], version: int, limit: int, now: float
    ) -> Page:
        """The first page; `limit` 0 is everything."""
        if not limit or len(records) <= limit:
            return Page(records, version)
        self._expire(now)
        self._serial += 1
        self._snapshots[self._serial] = _Snapshot(place, records, version, now)
        while len(self._snapshots) > SNAPSHOTS_MAX:
            self._snapshots.popitem(last=False)
        return self._page(self._serial, 0, limit)

    def next(self, place: Place, token: str, limit: int, now: float) -> Page:
        """The page that a token names; ApiError 400 or 410."""
        self._expire(now)
        number, start = _decode(token)
        if number not in self._snapshots:
            raise statuses.expired(
                "The provided continue parameter is too old to display a consistent list result. "
                "You can start a new list without the continue parameter."
            )
        if self._snapshots[number].place != place:
            raise statuses.bad_request(f"continue key is not valid: {token!r} is of another list")
        return self._page(number, start, limit)

    def _page(self, number: int, start: int, limit: int) -> Page:
        snapshot = self._snapshots[number]
        end = start + limit if limit else len(snapshot.records)
        remaining = max(len(snapshot.records) - end, 0)
        token = _encode(number, end) if remaining else ""
        return Page(snapshot.records[start:end], snapshot.version, token, remaining)

    def _expire(self, now: float) -> None:
        while self._snapshots:
            oldest = next(iter(self._snapshots))
            if now - self._snapshots[oldest].taken < SNAPSHOT_SECONDS:
                return
            del self._snapshots[oldest]


def _encode(number: int, start: int) -> str:
    return base64.urlsafe_b64encode(orjson.dumps([number, start])).decode()


def _decode(token: str) -> tuple[int, int]:
    try:
        number, start = orjson.loads(base64.urlsafe_b64decode(token))
        return int(number), max(int(start), 0)
    except (ValueError, TypeError, binascii.Error) as error:
        raise statuses.bad_request(f"continue key is not valid: {token!r}") from error
