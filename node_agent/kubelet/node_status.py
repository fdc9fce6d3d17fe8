"""Registers the node, renews its Lease, posts its status; learns its pod range from the API.

Spec: P-18, P-26, P-66, P-74.
"""

import asyncio
import logging
import os
import platform
from collections.abc import Awaitable, Callable
from typing import Any

from cluster.aio.clock import Clock
from cluster.client.interface import Api, Document, PatchType
from cluster.errors import ApiError
from cluster.objects.resources import LEASES, NODES
from node_agent.kubelet.deadline import within
from node_agent.kubelet.node_document import (
    LEASE_NAMESPACE,
    NodeFacts,
    annotations,
    labels,
    lease_document,
    lease_spec,
    node_document,
    status,
)

log = logging.getLogger(__name__)

LEASE_PERIOD_SECONDS = 10.0
STATUS_PERIOD_SECONDS = 300.0
RETRY_FIRST_SECONDS = 0.05
RETRY_LIMIT_SECONDS = 1.0


class NodeStatus:
    """The Node object of this node, and its Lease."""

    def __init__(self, api: Api, facts: NodeFacts, clock: Clock) -> None:
        self.facts = facts
        self.document: Document = {"metadata": {"name": facts.name}}
        self._api = api
        self._clock = clock
        self._cidr: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._registered = asyncio.Event()
        self._network_ready = False
        self._dirty = asyncio.Event()

    async def pod_cidr(self) -> str:
        """The node's pod range, once the control plane has given it one (P-18)."""
        return await asyncio.shield(self._cidr)

    def network_ready(self) -> None:
        """Pods can be attached: the node becomes Ready (P-26)."""
        self._network_ready = True
        self._dirty.set()

    def node_changed(self, old: Document | None, new: Document | None) -> None:
        """For `Informer.on_change` of Nodes; others than this node are ignored."""
        if new is not None and new["metadata"]["name"] == self.facts.name:
            self._take(new)
        elif old is not None and old["metadata"]["name"] == self.facts.name and new is None:
            self._registered.clear()
            self._dirty.set()  # somebody deleted our Node: register again

    def _take(self, document: Document) -> None:
        self.document = document
        cidr = (document.get("spec") or {}).get("podCIDR")
        if cidr and not self._cidr.done():
            self._cidr.set_result(cidr)
        if self._network_ready and self._disputed():
            self._dirty.set()  # the controller wrote Unknown while we were away (P-67, P-74)

    def _disputed(self) -> bool:
        for each in (self.document.get("status") or {}).get("conditions") or ():
            if each["type"] == "Ready":
                return bool(each["status"] != "True")
        return False

    async def run(self) -> None:
        """Register, then keep Lease and status fresh, for as long as the node lives."""
        await self._insist(self._register, "register")
        self._registered.set()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_lease(), name="node lease")
            group.create_task(self._keep_status(), name="node status")

    async def _keep_lease(self) -> None:
        while True:
            await self._insist(self._renew, "lease")
            await self._clock.sleep(LEASE_PERIOD_SECONDS * self._clock.scale)

    async def _keep_status(self) -> None:
        while True:
            if self._network_ready or self._dirty.is_set():
                self._dirty.clear()
                await self._insist(self._post, "status")
            await self._pause(STATUS_PERIOD_SECONDS * self._clock.scale)

    async def _pause(self, seconds: float) -> None:
        await within(self._clock, seconds, self._dirty.wait())

    async def _insist(self, work: Callable[[], Awaitable[None]], what: str) -> None:
        """Try until the API takes it: a node that cannot be heard of is as good as dead.

        Never slower than the Lease's period, so that a node is in time when the API is back.
        """
        limit = min(RETRY_LIMIT_SECONDS, LEASE_PERIOD_SECONDS * self._clock.scale)
        pause = min(RETRY_FIRST_SECONDS, limit)
        while True:
            try:
                return await work()
            except (ApiError, OSError, TimeoutError) as error:
                log.info("node %s not written, again in %.2f s: %s", what, pause, error)
            await self._clock.sleep(pause)
            pause = min(pause * 2, limit)

    async def _register(self) -> None:
        try:
            self._take(await self._api.create(NODES, node_document(self.facts, self._clock.now())))
        except ApiError as error:
            if error.reason != "AlreadyExists":
                raise
            meta = {"labels": labels(self.facts), "annotations": annotations(self.facts)}
            self._take(await self._api.patch(NODES, self.facts.name, {"metadata": meta}))

    async def _post(self) -> None:
        if not self._registered.is_set():
            await self._register()
            self._registered.set()
        wanted = status(
            self.facts,
            network_ready=self._network_ready,
            now=self._clock.now(),
            before=self.document.get("status") or {},
        )
        try:
            await self._api.patch(
                NODES,
                self.facts.name,
                {"status": wanted},
                patch_type=PatchType.STRATEGIC,
                subresource="status",
            )
        except ApiError as error:
            if error.code == 404:  # deleted, and the watch has not said so yet
                self._registered.clear()
            raise

    async def _renew(self) -> None:
        name, now = self.facts.name, self._clock.now()
        try:
            change = {"spec": lease_spec(name, now)}
            await self._api.patch(LEASES, name, change, namespace=LEASE_NAMESPACE)
        except ApiError as error:
            if error.code != 404:
                raise
            uid = self.document["metadata"].get("uid", "")
            await self._api.create(LEASES, lease_document(name, uid, now))


def machine_facts() -> dict[str, Any]:
    """What `NodeFacts` asks of the machine."""
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    disk = os.statvfs("/")
    pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return {
        "operating_system": platform.system().lower(),
        "architecture": machine,
        "kernel": platform.release(),
        "cpus": os.cpu_count() or 1,
        "memory_bytes": pages * size,
        "disk_bytes": disk.f_blocks * disk.f_frsize,
    }
