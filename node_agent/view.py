"""The node's view of the cluster: what the informers hold, as one immutable NodeView.

Events of one loop turn become one new view, swapped in by one assignment; whoever carries the view
out (node ports, UDP flows) is told afterwards.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from cluster.aio.clock import Clock
from cluster.aio.tasks import Tasks
from cluster.client.informer import Informer
from cluster.client.interface import Api, Document
from cluster.dataplane.node_view import NodeView
from cluster.objects.resources import (
    ENDPOINT_SLICES,
    NAMESPACES,
    NETWORK_POLICIES,
    NODES,
    PODS,
    SERVICES,
    Resource,
)

log = logging.getLogger(__name__)

WATCHED = (NODES, NAMESPACES, SERVICES, ENDPOINT_SLICES, NETWORK_POLICIES, PODS)

Change = tuple[Resource, Document | None, Document | None]
Listener = Callable[[NodeView, NodeView], None]


class ClusterView:
    """Informers in, NodeView out."""

    def __init__(self, api: Api, empty: NodeView, clock: Clock, tasks: Tasks) -> None:
        self.current = empty
        self.informers = {each: Informer(api, each, clock=clock) for each in WATCHED}
        self._tasks = tasks
        self._pending: list[Change] = []
        self._flushing = False
        self._listeners: list[Listener] = []
        for resource, informer in self.informers.items():
            informer.on_change(partial(self._changed, resource))

    def subscribe(self, listener: Listener) -> None:
        """Be told of every new view, with the old one beside it."""
        self._listeners.append(listener)

    def start(self) -> None:
        """List and watch, for as long as the process lives."""
        for resource, informer in self.informers.items():
            self._tasks.supervise(informer.run, name=f"watch {resource.plural}")

    async def synced(self) -> None:
        """Wait until every resource has been listed once and is in the view."""
        for informer in self.informers.values():
            await informer.synced.wait()
        self.flush()

    async def programmed(self, wanted: Mapping[str, int], seconds: float) -> bool:
        """Whether the view in use holds these versions of these resources, within a time."""
        waits: list[Awaitable[object]] = [
            informer.wait_for(wanted[resource.plural])
            for resource, informer in self.informers.items()
            if resource.plural in wanted
        ]
        try:
            async with asyncio.timeout(seconds):
                await asyncio.gather(*waits)
        except TimeoutError:
            return False
        self.flush()
        return True

    def attached(self, ip: str, namespace: str, name: str) -> None:
        """A pod of this node has got an address: decide by it before the API has heard of it."""
        self._replace(self.current.with_attached(ip, namespace, name))

    def detached(self, ip: str) -> None:
        """An address of this node belongs to nobody any more."""
        self._replace(self.current.with_detached(ip))

    def _replace(self, view: NodeView) -> None:
        before, self.current = self.current, view
        for listener in self._listeners:
            listener(before, view)

    def _changed(self, resource: Resource, old: Document | None, new: Document | None) -> None:
        self._pending.append((resource, old, new))
        if not self._flushing:
            self._flushing = True
            asyncio.get_running_loop().call_soon(self.flush)

    def flush(self) -> None:
        """Put what has arrived into the view now."""
        self._flushing = False
        if not self._pending:
            return
        changes, self._pending = self._pending, []
        self._replace(self.current.with_changes(changes))
