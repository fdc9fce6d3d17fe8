"""Events about objects: written beside the work, counted up when they repeat.

An Event never delays or fails what it tells about. Both the pending and the remembered ones are
bounded; what does not fit is dropped and counted in the log.
"""

import asyncio
import logging
from collections import deque
from typing import Any

from cluster.aio.clock import Clock
from cluster.client.interface import Api, Document
from cluster.dataclass import dataclass
from cluster.errors import ApiError
from cluster.objects.resources import EVENTS
from control.controllers.times import timestamp
from control.controllers.view import uid_of
from control.controllers.writes import EmitEvent

log = logging.getLogger(__name__)

EVENTS_PENDING_MAX = 2000
EVENTS_REMEMBERED_MAX = 4096
MESSAGE_CHARACTERS_MAX = 1024


@dataclass(slots=True)
class _Told:
    """An Event that exists, and how often it happened."""

    name: str
    count: int


class EventRecorder:
    """Writes Events in the background, in order."""

    def __init__(self, api: Api, clock: Clock, *, component: str) -> None:
        self._api = api
        self._clock = clock
        self._component = component
        self._pending: deque[tuple[EmitEvent, str, float]] = deque()
        self._told: dict[tuple[str, str, str], _Told] = {}
        self._filled = asyncio.Event()
        self._serial = 0

    def record(self, event: EmitEvent, component: str = "") -> None:
        """Take an Event; it is written soon."""
        if len(self._pending) >= EVENTS_PENDING_MAX:
            log.warning("event dropped reason=%s pending=%d", event.reason, len(self._pending))
            return
        self._pending.append((event, component or self._component, self._clock.now()))
        self._filled.set()

    async def run(self) -> None:
        """Write what was recorded, until cancelled."""
        while True:
            while self._pending:
                await self._write(*self._pending.popleft())
            self._filled.clear()
            await self._filled.wait()

    async def _write(self, event: EmitEvent, component: str, now: float) -> None:
        identity = (uid_of(event.about), event.reason, event.message)
        told = self._told.pop(identity, None)
        try:
            if told is not None and await self._counted_up(event, told, now):
                self._remember(identity, told)
                return
            self._serial += 1
            name = f"{event.about['metadata']['name']}.{int(now * 1e9) + self._serial:x}"
            await self._api.create(EVENTS, event_document(event, name, component, now))
            self._remember(identity, _Told(name, 1))
        except ApiError as error:
            log.info("event refused reason=%s error=%s", event.reason, error)

    async def _counted_up(self, event: EmitEvent, told: _Told, now: float) -> bool:
        told.count += 1
        changes = {"count": told.count, "lastTimestamp": timestamp(now)}
        place = event_namespace(event.about)
        try:
            await self._api.patch(EVENTS, told.name, changes, namespace=place)
        except ApiError as error:
            if error.code != 404:  # expired meanwhile: it is written anew
                raise
            return False
        return True

    def _remember(self, identity: tuple[str, str, str], told: _Told) -> None:
        self._told[identity] = told
        if len(self._told) > EVENTS_REMEMBERED_MAX:
            del self._told[next(iter(self._told))]


@dataclass(frozen=True, slots=True)
class ComponentEvents:
    """The recorder as one controller uses it: its Events say whose they are."""

    recorder: EventRecorder
    component: str

    def record(self, event: EmitEvent) -> None:
        """Take an Event of this controller."""
        self.recorder.record(event, self.component)


def event_namespace(about: Document) -> str:
    """Where an Event about this object lives: with it, or in `default`."""
    return about["metadata"].get("namespace") or "default"


def event_document(event: EmitEvent, name: str, component: str, now: float) -> dict[str, Any]:
    """The Event as the API stores it."""
    metadata, when = event.about["metadata"], timestamp(now)
    involved = {
        "apiVersion": event.about.get("apiVersion"),
        "kind": event.about.get("kind"),
        "namespace": metadata.get("namespace"),
        "name": metadata["name"],
        "uid": metadata.get("uid"),
        "resourceVersion": metadata.get("resourceVersion"),
    }
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": name, "namespace": event_namespace(event.about)},
        "involvedObject": {key: value for key, value in involved.items() if value},
        "type": event.type,
        "reason": event.reason,
        "message": event.message[:MESSAGE_CHARACTERS_MAX],
        "source": {"component": component},
        "reportingComponent": component,
        "reportingInstance": "",
        "firstTimestamp": when,
        "lastTimestamp": when,
        "count": 1,
    }
