"""What the gateway writes to the API: Events about Services, and the real addresses of their ports.

Neither holds anything up: both wait in one bounded queue. An Event that the API does not take is
dropped with a log line; an annotation is tried again.
"""

import asyncio
import itertools
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from cluster.aio.clock import Clock
from cluster.client.interface import Api
from cluster.dataclass import dataclass
from cluster.errors import ApiError
from cluster.gateway.balancer import FrontPlan
from cluster.objects.meta import Key
from cluster.objects.resources import EVENTS, SERVICES

log = logging.getLogger(__name__)

QUEUE_MAX = 1000
COMPONENT = "kubehop-gateway"
REAL_ADDRESSES = "kubehop.dev/real-addresses"
NOT_FOUND = 404


@dataclass(frozen=True, slots=True)
class _Event:
    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Annotation:
    service: Key
    text: str | None


class Announcer:
    """Tells people, through the API; `run` is its background task."""

    def __init__(self, api: Api, clock: Clock) -> None:
        self._api = api
        self._clock = clock
        self._number = itertools.count()  # tells Events of one moment apart
        self._sent: dict[Key, str | None] = {}  # annotations on their way
        self._queue: asyncio.Queue[_Event | _Annotation] = asyncio.Queue(QUEUE_MAX)

    def event(self, plan: FrontPlan, kind: str, reason: str, message: str) -> None:
        """Something happened to a front of a Service."""
        now = self._clock.now()
        namespace, name = plan.service
        at = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        event_name = f"{name}.{int(now * 1e9) + next(self._number):x}"
        self._put(
            _Event(
                {
                    "apiVersion": "v1",
                    "kind": "Event",
                    "metadata": {"name": event_name, "namespace": namespace},
                    "involvedObject": {
                        "apiVersion": "v1",
                        "kind": "Service",
                        "namespace": namespace,
                        "name": name,
                        "uid": plan.uid,
                    },
                    "type": kind,
                    "reason": reason,
                    "message": message,
                    "count": 1,
                    "firstTimestamp": at,
                    "lastTimestamp": at,
                    "source": {"component": COMPONENT},
                    "reportingComponent": COMPONENT,
                    "reportingInstance": COMPONENT,
                }
            )
        )

    def real_addresses(self, held: Mapping[Key, str | None], wanted: Mapping[Key, str]) -> None:
        """Make each Service's annotation what is wanted; `held` is what the Services have now."""
        for service, text in held.items():
            target = wanted.get(service)
            if text == target:
                self._sent.pop(service, None)
            elif self._sent.get(service, text) != target and self._put(
                _Annotation(service, target)
            ):
                self._sent[service] = target
        for service in self._sent.keys() - held.keys():
            del self._sent[service]

    def _put(self, item: _Event | _Annotation) -> bool:
        try:
            self._queue.put_nowait(item)
        except asyncio.QueueFull:
            log.warning("not announced, %d wait already: %s", QUEUE_MAX, item)
            return False
        return True

    async def run(self) -> None:
        """Write what is announced, for as long as the gateway lives."""
        while True:
            match await self._queue.get():
                case _Event(document):
                    await self._create(document)
                case _Annotation(service, text):
                    await self._annotate(service, text)

    async def _create(self, document: Mapping[str, Any]) -> None:
        try:
            await self._api.create(EVENTS, document)
        except (ApiError, OSError) as error:
            log.info("event not written reason=%s error=%s", document["reason"], error)

    async def _annotate(self, service: Key, text: str | None) -> None:
        namespace, name = service
        patch = {"metadata": {"annotations": {REAL_ADDRESSES: text}}}
        written = False
        try:
            await self._api.patch(SERVICES, name, patch, namespace=namespace)
            written = True
        except ApiError as error:
            written = error.code == NOT_FOUND
            if not written:
                log.warning("annotation not written service=%s/%s error=%s", *service, error)
        except OSError as error:
            log.warning("annotation not written service=%s/%s error=%s", *service, error)
        finally:
            if not written:  # so that it is tried again
                self._sent.pop(service, None)
