"""The stream that nodes follow, over a real socket and from inside."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest

from cluster.objects.resources import CONFIG_MAPS, NODES, PODS, SERVICES
from cluster.wire.changes import Batch, BatchReader
from control.apiserver import followers as module
from control.apiserver.followers import PATH, Followers
from control.apiserver.registry import Registry
from control.store.store import Store

Client = Any
Taken = dict[tuple[str, str], Any]


def pod(name: str, node: str = "node-1", ip: str = "", **labels: str) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "namespace": "shop", "labels": labels},
        "spec": {"nodeName": node, "containers": [{"name": "main", "image": "pause"}]},
        "status": {"phase": "Running", "podIP": ip} if ip else {"phase": "Pending"},
    }


def node(name: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "labels": {}}, "spec": {"podCIDR": "10.244.0.0/24"}}


def place(resource: Any) -> tuple[str, str]:
    return resource.group, resource.plural


def told(batch: Batch) -> Taken:
    return {
        (each.resource, each.name): each.document and orjson.loads(each.document)
        for each in batch.changes
        if each.resource != "namespaces"  # the registry's own
    }


class Node:
    """One that follows; it can be made to take nothing."""

    def __init__(self, followers: Followers, name: str) -> None:
        self.batches: asyncio.Queue[Batch] = asyncio.Queue()
        self.takes = asyncio.Event()
        self.takes.set()
        self.waits = asyncio.Event()
        self._reader = BatchReader()
        self.cut = asyncio.Event()
        self.task = asyncio.create_task(followers.serve(name, self._send, self.cut.set))

    async def _send(self, data: bytes) -> None:
        if not self.takes.is_set():
            self.waits.set()
        await self.takes.wait()
        for batch in self._reader.read(data):
            self.batches.put_nowait(batch)

    async def next(self) -> Batch:
        return await asyncio.wait_for(self.batches.get(), 10)

    async def until(self, resource: str, name: str) -> Any:
        while True:
            changes = told(await self.next())
            if (resource, name) in changes:
                return changes[resource, name]


@pytest.fixture
async def store(registry: Registry) -> Store:
    return registry.store


@pytest.fixture
async def followers(registry: Registry, clock: Any) -> Followers:
    return Followers(registry.store, clock)


@pytest.fixture
async def nodes(followers: Followers) -> AsyncIterator[Any]:
    made: list[Node] = []

    def follow(name: str) -> Node:
        made.append(Node(followers, name))
        return made[-1]

    yield follow
    for each in made:
        each.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await each.task


async def test_it_begins_with_everything_and_goes_on_with_changes(nodes: Any, store: Store) -> None:
    store.put(place(PODS), pod("cart", ip="10.244.0.2"))
    store.put(place(PODS), pod("waiting"))
    store.put(place(CONFIG_MAPS), {"metadata": {"name": "a", "namespace": "shop"}})
    one = nodes("node-9")
    first = await one.next()
    assert first.whole and set(told(first)) == {("pods", "cart")}
    assert first.versions["pods"] == store.version - 1
    store.put(place(PODS), pod("waiting", ip="10.244.0.3"))
    later = await one.next()
    assert not later.whole and set(told(later)) == {("pods", "waiting")}
    assert later.versions["pods"] == store.version


async def test_of_many_changes_of_an_object_the_last_is_told(nodes: Any, store: Store) -> None:
    one = nodes("node-9")
    await one.next()
    for number in range(50):
        store.put(place(PODS), pod("cart", ip="10.244.0.2", turn=str(number)))
    seen = [await one.until("pods", "cart")]
    while seen[-1]["metadata"]["labels"] != {"turn": "49"}:
        seen.append(await one.until("pods", "cart"))
    assert len(seen) < 10


async def test_what_changes_nothing_for_decisions_only_moves_the_version(
    nodes: Any, store: Store
) -> None:
    store.put(place(PODS), pod("cart", ip="10.244.0.2"))
    one = nodes("node-9")
    await one.next()
    changed = pod("cart", ip="10.244.0.2")
    changed["status"]["containerStatuses"] = [{"name": "main"}]
    store.put(place(PODS), changed)
    batch = await one.next()
    assert batch.changes == [] and batch.versions["pods"] == store.version


async def test_a_node_alone_is_told_of_its_own_completely(nodes: Any, store: Store) -> None:
    store.put(place(NODES), node("node-1"))
    one, other = nodes("node-1"), nodes("node-2")
    first = told(await one.next())
    assert first["own/nodes", "node-1"]["metadata"]["resourceVersion"]
    assert set(told(await other.next())) == {("nodes", "node-1")}
    store.put(place(PODS), pod("cart"))
    mine = await one.until("own/pods", "cart")
    assert mine["spec"]["containers"] == [{"name": "main", "image": "pause"}]
    store.put(place(PODS), pod("late", ip="10.244.0.9"))
    assert ("own/pods", "cart") not in told(await other.next())


async def test_what_is_deleted_is_told_as_gone(nodes: Any, store: Store) -> None:
    record = store.put(place(PODS), pod("cart", ip="10.244.0.2"))
    one = nodes("node-1")
    await one.next()
    store.remove(place(PODS), record.key, record.document)
    assert await one.until("own/pods", "cart") is None
    assert await one.until("pods", "cart") is None


async def test_one_that_takes_too_little_is_told_everything_anew(
    nodes: Any, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WAITING_BYTES_MAX", 2000)
    slow, quick = nodes("node-8"), nodes("node-9")
    await slow.next()
    await quick.next()
    slow.takes.clear()
    for number in range(30):
        store.put(place(PODS), pod(f"cart-{number}", ip=f"10.244.0.{number + 2}"))
        await quick.until("pods", f"cart-{number}")
    slow.takes.set()
    batch = await slow.next()
    while not batch.whole:
        batch = await slow.next()
    assert len(told(batch)) == 30


async def test_it_ends_with_the_store_and_forgets_who_has_gone(
    nodes: Any, followers: Followers, store: Store
) -> None:
    one, other = nodes("node-1"), nodes("node-1")
    await one.next()
    await other.next()
    assert len(followers) == 2
    other.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await other.task
    assert len(followers) == 1
    store.close()
    await asyncio.wait_for(one.task, 10)
    assert len(followers) == 0 and not one.cut.is_set()


async def test_one_that_takes_nothing_is_cut_off_when_the_store_closes(
    nodes: Any, store: Store
) -> None:
    one = nodes("node-1")
    await one.next()
    one.takes.clear()
    store.put(place(PODS), pod("cart"))
    await asyncio.wait_for(one.waits.wait(), 10)
    store.close()
    assert one.cut.is_set()


async def test_it_is_served_over_http(client: Client, registry: Registry) -> None:
    registry.store.put(
        place(SERVICES), {"metadata": {"name": "web", "namespace": "shop"}, "spec": {}}
    )
    async with client.session.get(f"http://api{PATH}?node=node-1") as answer:
        assert answer.status == 200
        reader, found = BatchReader(), []
        async for chunk in answer.content.iter_any():
            found += reader.read(chunk)
            if found:
                break
    assert found[0].whole and ("services", "web") in told(found[0])
    assert (await client("POST", PATH)).status in (404, 405)


async def test_who_may_not_see_the_cluster_may_not_follow_it(client: Client) -> None:
    assert (await client("GET", PATH, Impersonate_User="jane")).status == 403
