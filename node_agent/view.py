"""The node's view of the cluster: what control tells it, as one immutable NodeView.

What sockets are opened for (Services) becomes a new view in the same turn of the
loop, swapped in by one assignment; whoever carries the view out (node ports, UDP flows) is told
afterwards. Of all else only the names of what has changed are kept until somebody asks for the
view: a node on which no connection is decided reads nothing of ten thousand foreign pods, and who
decides never does so by less than was told. It may be a pod's program that asks: who carries the
view out opens sockets of the node's all the same.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from cluster.aio.clock import Clock
from cluster.aio.streams import outside
from cluster.aio.tasks import Tasks
from cluster.client.interface import NodeApi
from cluster.client.mirror import ClusterMirror
from cluster.dataplane.node_view import Change, NodeView
from cluster.objects.meta import Key
from cluster.objects.resources import ENDPOINT_SLICES, SERVICES, Resource

log = logging.getLogger(__name__)

Listener = Callable[[NodeView, NodeView], None]


class ClusterView:
    """What is told in, NodeView out."""

    def __init__(self, api: NodeApi, empty: NodeView, clock: Clock, tasks: Tasks) -> None:
        self._current = empty
        self._mirror = ClusterMirror(api, empty.node_name, clock=clock)
        self.informers = self._mirror.held
        self.own = self._mirror.own  # this node's pods and Node, complete
        self._tasks = tasks
        self._pending: dict[Resource, dict[Key, None]] = {}  # at most what there is
        self._soon: set[Resource] = set()
        self._listeners: list[Listener] = []
        self._served: list[Callable[[], bool]] = []
        for resource, informer in self.informers.items():
            informer.on_key(partial(self._changed, resource))

    @property
    def current(self) -> NodeView:
        """The view to decide by."""
        if self._pending:
            self.flush()
        return self._current

    def subscribe(self, listener: Listener, endpoints: Callable[[], bool] = lambda: True) -> None:
        """Be told of every new view, with the old one beside it.

        While `endpoints()` is true, a change of endpoints makes a view at once; else it is told
        with the next one that is made.
        """
        self._listeners.append(listener)
        self._served.append(endpoints)

    def start(self) -> None:
        """Follow the cluster for as long as the process lives."""
        self._tasks.supervise(self._mirror.run, name="follow the cluster")

    async def synced(self) -> None:
        """Wait until everything has been told once."""
        for informer in self.informers.values():
            await informer.synced.wait()

    async def programmed(self, wanted: Mapping[str, int], seconds: float) -> bool:
        """Whether decisions are made by these versions of these resources, within a time."""
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
        self._flush_soon()  # sockets are opened before anybody is told that they are
        return True

    def attached(self, ip: str, namespace: str, name: str) -> None:
        """A pod of this node has got an address: decide by it before the API has heard of it."""
        self._replace(self._current.with_attached(ip, namespace, name))

    def detached(self, ip: str) -> None:
        """An address of this node belongs to nobody any more."""
        self._replace(self._current.with_detached(ip))

    def _replace(self, view: NodeView) -> None:
        before, self._current = self._current, view
        if view is before:  # nothing that decisions read
            return
        for listener in self._listeners:
            outside(listener, before, view)

    def _changed(self, resource: Resource, key: Key) -> None:
        self._pending.setdefault(resource, {})[key] = None
        if resource not in self._soon and self._urgent(resource):
            if not self._soon:
                asyncio.get_running_loop().call_soon(self._flush_soon)
            self._soon.add(resource)

    def _urgent(self, resource: Resource) -> bool:
        """Whether somebody carries this out without asking for the view."""
        if resource == ENDPOINT_SLICES:
            return self._endpoints_wanted()
        return resource == SERVICES

    def _endpoints_wanted(self) -> bool:
        return any(served() for served in self._served)

    def _flush_soon(self) -> None:
        self._put(self._soon & self._pending.keys())

    def flush(self) -> None:
        """Put all that has been told into the view now."""
        self._put(set(self._pending))

    def _put(self, resources: set[Resource]) -> None:
        self._soon -= resources
        if not resources:
            return
        changes = [
            self._change(resource, key)
            for resource in resources
            for key in self._pending.pop(resource)
        ]
        self._replace(self._current.with_changes(changes))
        if ENDPOINT_SLICES in self._pending and self._endpoints_wanted():
            self._put({ENDPOINT_SLICES})  # of a Service that wants them from this view on

    def _change(self, resource: Resource, key: Key) -> Change:
        document = self.informers[resource].objects.get(key)
        gone = {"metadata": {"namespace": key[0], "name": key[1]}}
        return resource, gone if document is None else None, document
