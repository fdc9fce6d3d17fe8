"""Events that the kubelet writes about pods and its node.

They are for people, so they never hold anything up: they wait a moment in a bounded queue, equal
ones are counted together, and what the API does not take is dropped with a log line.
"""

import asyncio
import itertools
import logging
from typing import Any

from cluster.aio.clock import Clock
from cluster.client.interface import Api, Document
from cluster.errors import ApiError
from cluster.objects.resources import EVENTS, NODES, PODS, Resource
from node_agent.kubelet.event_log import EventKey, EventLog, Occurrence
from node_agent.kubelet.timestamps import seconds_text

log = logging.getLogger(__name__)

QUEUE_MAX = 1000
PAUSE_SECONDS = 0.25  # Events wait, so that status updates of starting pods go first
YIELD_SHARE = 4  # after each, so many times as long as it took
COMPONENT = "kubelet"

NORMAL, WARNING = "Normal", "Warning"


class Events:
    """The kubelet's event recorder."""

    def __init__(self, api: Api, clock: Clock, node: str) -> None:
        self._api = api
        self._clock = clock
        self._node = node
        self._log = EventLog()
        self._number = itertools.count()  # tells Events of one moment apart
        self._queue: asyncio.Queue[tuple[Document, EventKey, Occurrence]] = asyncio.Queue(QUEUE_MAX)

    def pod(
        self, pod: Document, reason: str, message: str, *, kind: str = NORMAL, container: str = ""
    ) -> None:
        """Something happened to a pod, or to one of its containers."""
        path = _field_path(pod, container) if container else ""
        self._add(_reference(PODS, pod, path), reason, message, kind)

    def node(self, node: Document, reason: str, message: str, *, kind: str = NORMAL) -> None:
        """Something happened to this node."""
        self._add(_reference(NODES, node, ""), reason, message, kind)

    def _add(self, involved: Document, reason: str, message: str, kind: str) -> None:
        now = self._clock.now()
        key = EventKey(involved["uid"], kind, reason, message, involved.get("fieldPath", ""))
        name = f"{involved['name']}.{int(now * 1e9) + next(self._number):x}"
        seen = self._log.observe(key, name, now)
        if seen is None:
            return
        try:
            self._queue.put_nowait((involved, key, seen))
        except asyncio.QueueFull:
            log.warning("event dropped, %d are waiting reason=%s", QUEUE_MAX, reason)

    async def run(self) -> None:
        """Write what arrives, for as long as the node lives."""
        while True:
            batch = [await self._queue.get()]
            await self._clock.sleep(PAUSE_SECONDS)
            while not self._queue.empty():
                batch.append(self._queue.get_nowait())
            newest = {key: (involved, seen) for involved, key, seen in batch}
            for key, (involved, seen) in newest.items():
                began = self._clock.monotonic()
                await self._write(involved, key, seen)
                # an API that takes long has more urgent work: a thousand pods may be starting
                await self._clock.sleep((self._clock.monotonic() - began) * YIELD_SHARE)

    async def _write(self, involved: Document, key: EventKey, seen: Occurrence) -> None:
        namespace = involved.get("namespace") or "default"
        try:
            if not self._log.written(key):
                await self._api.create(EVENTS, self._document(involved, key, seen, namespace))
                self._log.wrote(key)
            else:
                change = {"count": seen.count, "lastTimestamp": seconds_text(seen.last)}
                await self._api.patch(EVENTS, seen.name, change, namespace=namespace)
        except (ApiError, OSError) as error:
            self._log.forget(key)
            log.info("event not written reason=%s error=%s", key.reason, error)

    def _document(
        self, involved: Document, key: EventKey, seen: Occurrence, namespace: str
    ) -> dict[str, Any]:
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": seen.name, "namespace": namespace},
            "involvedObject": dict(involved),
            "type": key.kind,
            "reason": key.reason,
            "message": key.message,
            "count": seen.count,
            "firstTimestamp": seconds_text(seen.first),
            "lastTimestamp": seconds_text(seen.last),
            "source": {"component": COMPONENT, "host": self._node},
            "reportingComponent": COMPONENT,
            "reportingInstance": self._node,
        }


def _reference(resource: Resource, document: Document, path: str) -> dict[str, Any]:
    meta = document["metadata"]
    reference = {
        "kind": resource.kind,
        "apiVersion": resource.api_version,
        "name": meta["name"],
        "uid": meta.get("uid", ""),
    }
    if meta.get("namespace"):
        reference["namespace"] = meta["namespace"]
    if path:
        reference["fieldPath"] = path
    return reference


def _field_path(pod: Document, container: str) -> str:
    init = any(each["name"] == container for each in pod["spec"].get("initContainers") or ())
    return f"spec.{'initContainers' if init else 'containers'}{{{container}}}"
