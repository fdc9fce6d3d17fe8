"""Takes old Events away, as the real server's time to live does: whatever grows has a bound.

The Events of core/v1 and of events.k8s.io/v1 are one collection.
"""

import logging
from datetime import UTC, datetime

from cluster.aio.clock import Clock
from cluster.errors import ApiError
from cluster.objects.resources import EVENTS
from control.apiserver.local import LocalApi
from control.store.record import Record
from control.store.store import Store

log = logging.getLogger(__name__)

EVENT_SECONDS_MAX = 3600.0
EVENTS_MAX = 5_000
LOOK_SECONDS = 60.0


async def expire_events(api: LocalApi, store: Store, clock: Clock) -> None:
    """Remove Events that are an hour old, and the oldest beyond a number, for ever."""
    while True:
        await clock.sleep(LOOK_SECONDS)
        await _expire(api, store, clock.now())


async def _expire(api: LocalApi, store: Store, now: float) -> None:
    for record in too_old(store.list((EVENTS.group, EVENTS.plural)), now):
        try:
            await api.delete(EVENTS, record.key.name, namespace=record.key.namespace)
        except ApiError as error:
            log.debug("event not removed name=%s error=%s", record.key.name, error)


def too_old(records: list[Record], now: float) -> list[Record]:
    """The Events to remove, by when they last happened."""
    ordered = sorted(records, key=last_seen)
    surplus = ordered[: max(len(ordered) - EVENTS_MAX, 0)]
    limit = now - EVENT_SECONDS_MAX
    old = (each for each in ordered[len(surplus) :] if last_seen(each) < limit)
    return [*surplus, *old]


def last_seen(record: Record) -> float:
    """Seconds since 1970 at which an Event last happened."""
    document = record.document
    stamp = document.get("lastTimestamp") or document["metadata"].get("creationTimestamp")
    try:
        return datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()
    except (TypeError, ValueError):
        return 0.0  # written by somebody without a time: the first to go
