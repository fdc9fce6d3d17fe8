"""Nodes that follow the cluster: one stream a node instead of a watch of each resource.

    GET /kubehop/v1/follow?node=NAME      batches of changes (`cluster.wire.changes`), without end

Each change is trimmed and encoded once, and one batch is the same bytes for all nodes. What
changes is gathered: the first change after a quiet moment goes out at once, and the next batch not
before all nodes may have taken in this one, so that a thousand changes cost each node a few
batches. Only the last state of an object is told. A node's own pods and its own Node are told to
it alone, complete and at once. A node that takes too little is told everything anew.

Real clients watch; this stream is for kubehop's own nodes, which would each parse each change of
each pod of the cluster otherwise.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from functools import partial

import orjson

from cluster.aio.clock import Clock
from cluster.client.interface import EventType
from cluster.objects.resources import NODES, PODS, Resource
from cluster.wire.changes import OWN, Change, encode_batch, encode_change
from control.apiserver.connection_facts import RESOURCES, connection_facts
from control.store import record as stored
from control.store.store import Store

PATH = "/kubehop/v1/follow"
GATHERED_SECONDS = 0.001
PACE_SECONDS = 0.0003  # a node's share of two processors for a batch: so long for each node
WAITING_BYTES_MAX = 8 * 1024 * 1024  # for one node

Place = tuple[str, str, str]  # resource, namespace, name
Send = Callable[[bytes], Awaitable[None]]


class Followers:
    """Everything that decisions read, and who is told of it."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._told: dict[Place, bytes] = {}
        self._fresh: dict[Place, bytes] = {}
        self._versions: dict[str, int] = {}
        self._followers: dict[str, set[_Follower]] = {}
        self._whole: list[bytes] = []  # all of `_told` in one piece, or nothing
        self._timer: asyncio.TimerHandle | None = None
        self._not_before = 0.0
        self._began = False

    async def serve(self, node: str, send: Send, cut: Callable[[], None]) -> None:
        """Tell a node everything, and what changes, until it is gone or the store closes.

        `cut` ends the connection of a node that takes nothing.
        """
        await self._store.committed()  # what is shown as present must last
        self._begin()
        follower = _Follower(send, cut)
        self._followers.setdefault(node, set()).add(follower)
        try:
            while not follower.ended:
                if follower.anew:
                    follower.anew = False
                    await follower.send(self._everything(node))
                await follower.send(await follower.waiting())
        finally:
            self._forget(node, follower)

    def __len__(self) -> int:
        return sum(map(len, self._followers.values()))

    def _begin(self) -> None:
        """Read the store once, when the first node asks, and follow it from there."""
        if self._began:
            return
        self._began = True
        for resource in RESOURCES:
            place = resource.group, resource.plural
            feed = self._store.feed(place)
            self._versions[resource.plural] = feed.newest
            for each in self._store.list(place):
                self._keep(resource, each, gone=False)
            feed.tell(partial(self._changed, resource), self._close)
        self._fresh.clear()

    def _changed(self, resource: Resource, change: stored.Change) -> None:
        gone = change.type == EventType.DELETED
        self._versions[resource.plural] = change.version
        self._keep(resource, change.record, gone=gone)
        own = self._followers.get(_owner(resource, change.record))
        if own:
            entry = _own(resource, change.record, gone=gone)
            for each in own:
                each.offer(encode_batch([entry], {}))
        if not self._followers:
            self._fresh.clear()
        elif self._timer is None:
            loop = asyncio.get_running_loop()
            wait = max(GATHERED_SECONDS, self._not_before - self._clock.monotonic())
            self._timer = loop.call_later(wait, self._flush)

    def _keep(self, resource: Resource, record: stored.Record, *, gone: bool) -> None:
        place = resource.plural, record.key.namespace, record.key.name
        facts = None if gone else connection_facts(resource, record.document)
        entry = encode_change(Change(*place, orjson.dumps(facts) if facts is not None else None))
        if facts is None:
            if self._told.pop(place, None) is None:
                return
        elif self._told.get(place) == entry:
            return
        else:
            self._told[place] = entry
        self._fresh[place] = entry
        self._whole.clear()

    def _flush(self) -> None:
        self._timer = None
        batch = encode_batch(self._fresh.values(), self._versions)
        self._fresh.clear()
        for follower in self._each():
            follower.offer(batch)
        self._not_before = self._clock.monotonic() + PACE_SECONDS * len(self)

    def _everything(self, node: str) -> bytes:
        if not self._whole:
            self._whole.extend(self._told.values())
        own = [
            _own(resource, each, gone=False)
            for resource in (NODES, PODS)
            for each in self._store.list((resource.group, resource.plural))
            if _owner(resource, each) == node
        ]
        return encode_batch([*self._whole, *own], self._versions, whole=True)

    def _each(self) -> Iterator["_Follower"]:
        for followers in self._followers.values():
            yield from followers

    def _forget(self, node: str, follower: "_Follower") -> None:
        held = self._followers[node]
        held.discard(follower)
        if not held:
            del self._followers[node]

    def _close(self) -> None:
        """The store is closed: every stream ends."""
        if self._timer is not None:
            self._timer.cancel()
        for follower in self._each():
            follower.end()


class _Follower:
    """One node: what it has still to be told."""

    def __init__(self, send: Send, cut: Callable[[], None]) -> None:
        self.anew = True
        self.ended = False
        self._send = send
        self._cut = cut
        self._sending = False
        self._batches: list[bytes] = []
        self._bytes = 0
        self._wake = asyncio.Event()

    def offer(self, batch: bytes) -> None:
        """Take a batch; too many waiting are forgotten, for it is told everything instead."""
        if self.anew:  # that is to come, and has this
            return
        self._bytes += len(batch)
        if self._bytes > WAITING_BYTES_MAX:
            self.anew = True
            self._batches.clear()
            self._bytes = 0
        else:
            self._batches.append(batch)
        self._wake.set()

    async def waiting(self) -> bytes:
        """All that waits; empty when everything is to be told anew, or nothing any more."""
        await self._wake.wait()
        self._wake.clear()
        taken = b"".join(self._batches)
        self._batches.clear()
        self._bytes = 0
        return taken

    async def send(self, batches: bytes) -> None:
        """Send; returns when the node has room for more."""
        if batches:
            self._sending = True
            await self._send(batches)
            self._sending = False

    def end(self) -> None:
        """Nothing more comes; a node that stands still is cut off."""
        self.ended = True
        self._wake.set()
        if self._sending:
            self._cut()


def _owner(resource: Resource, record: stored.Record) -> str:
    """The node that an object concerns by itself; "" for none."""
    if resource == NODES:
        return record.key.name
    if resource == PODS:
        return str((record.document.get("spec") or {}).get("nodeName") or "")
    return ""


def _own(resource: Resource, record: stored.Record, *, gone: bool) -> bytes:
    body = None if gone else record.body
    return encode_change(Change(OWN + resource.plural, *record.key, body))
