"""Sends a pod's status to the API: the newest only, one patch at a time, until it is taken."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from cluster.aio.clock import Clock
from cluster.client.interface import Api, Document, PatchType
from cluster.errors import ApiError
from cluster.objects.resources import PODS
from node_agent.kubelet.pod_status import Status, patch_of

log = logging.getLogger(__name__)

RETRY_FIRST_SECONDS = 0.1
RETRY_LIMIT_SECONDS = 1.0  # also how late a status may come when the API is back
GONE = (404, 409)  # deleted, or another pod of that name


class StatusWriter:
    """The status of one pod, as the API should have it."""

    def __init__(self, api: Api, clock: Clock, pod: Document) -> None:
        self._api = api
        self._clock = clock
        self._namespace = pod["metadata"]["namespace"]
        self._name = pod["metadata"]["name"]
        self._uid = pod["metadata"].get("uid")
        self._wanted: Status | None = None
        self._sent: Mapping[str, Any] = pod.get("status") or {}
        self._version = _version(pod)  # of the document that `_sent` is true of
        self._shown: Document = pod  # the newest that the API has shown
        self._changed = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self.gone = False

    def put(self, status: Status) -> None:
        """The status is this now; written when it differs from what was written last."""
        if self.gone or status == (self._wanted or self._sent):
            return
        self._wanted = status
        self._idle.clear()
        self._changed.set()

    def reconcile(self, pod: Document) -> None:
        """The API shows this; a condition of ours that another wrote is written again (P-74)."""
        if _version(pod) > _version(self._shown):
            self._shown = pod
        if self._idle.is_set():
            self._settle()

    def _settle(self) -> None:
        """Take what others have written since our own last write for what the API has."""
        if _version(self._shown) > self._version:
            self._sent = _as_shown(self._sent, self._shown)
            self._version = _version(self._shown)

    async def flushed(self) -> None:
        """Wait until the API has the newest status, or the pod is gone from it."""
        await self._idle.wait()

    async def run(self) -> None:
        """Write until the pod is gone."""
        pause = RETRY_FIRST_SECONDS
        while not self.gone:
            await self._changed.wait()
            self._changed.clear()
            status, self._wanted = self._wanted, None
            if status is None:
                continue
            taken = await self._write(status)
            if taken and _conditions(self._sent) == _conditions(status):
                pause = RETRY_FIRST_SECONDS
            else:  # not taken, or another wrote a condition of ours meanwhile
                self._wanted = self._wanted or status
                await self._clock.sleep(pause)
                pause = min(pause * 2, RETRY_LIMIT_SECONDS)
                self._changed.set()
            if self._wanted is None:
                self._idle.set()
        self._idle.set()

    async def _write(self, status: Status) -> bool:
        changes = patch_of(status, self._sent)
        try:
            written = await self._api.patch(
                PODS,
                self._name,
                {"metadata": {"uid": self._uid}, "status": changes},
                namespace=self._namespace,
                patch_type=PatchType.STRATEGIC,
                subresource="status",
            )
        except ApiError as error:
            self.gone = error.code in GONE
            retry = error.code >= 500 or error.code == 429
            if not self.gone:
                log.warning("status refused pod=%s error=%s", self._name, error)
            self._sent = self._sent if retry else status  # a refusal that will not change is left
            return not retry
        except (OSError, TimeoutError) as error:
            log.info("status not written pod=%s error=%s", self._name, error)
            return False
        self._sent, self._version = _as_shown(status, written), _version(written)
        self._settle()
        return True


def _version(document: Document) -> int:
    return int((document.get("metadata") or {}).get("resourceVersion") or 0)


def _as_shown(ours: Mapping[str, Any], pod: Document) -> Mapping[str, Any]:
    """Our status with each condition that the API shows otherwise as the API shows it."""
    shown = _conditions(pod.get("status") or {})
    conditions = [
        each if shown[each["type"]].get("status") == each["status"] else shown[each["type"]]
        for each in ours.get("conditions") or ()
        if each["type"] in shown
    ]
    return {**ours, "conditions": conditions} if "conditions" in ours else ours


def _conditions(status: Mapping[str, Any]) -> dict[str, Any]:
    return {each["type"]: each for each in status.get("conditions") or ()}
