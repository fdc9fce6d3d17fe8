"""What a node keeps of what it is told: documents read late, changes told to whoever asks."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest

from cluster.aio.clock import SystemClock
from cluster.client.mirror import ClusterMirror, Documents
from cluster.errors import ApiError
from cluster.objects.resources import NODES, PODS, SERVICES
from cluster.wire.changes import OWN, Batch, Change

KEY = ("shop", "cart")


def document(name: str = "cart", **labels: str) -> dict[str, Any]:
    return {"metadata": {"namespace": "shop", "name": name, "labels": labels}}


def change(name: str = "cart", *, resource: str = "pods", gone: bool = False, **labels: str) -> Any:
    body = None if gone else orjson.dumps(document(name, **labels))
    return Change(resource, "shop", name, body)


def batch(*changes: Any, whole: bool = False, **versions: int) -> Batch:
    return Batch(whole, versions, list(changes))


class Told:
    """Control, as far as a mirror sees it: streams of batches, errors among them."""

    def __init__(self) -> None:
        self.batches: asyncio.Queue[Batch | Exception | None] = asyncio.Queue()
        self.asked: list[str] = []

    async def follow(self, node: str) -> AsyncIterator[Batch]:
        self.asked.append(node)
        while (each := await self.batches.get()) is not None:
            if isinstance(each, Exception):
                raise each
            yield each


@pytest.fixture
def control() -> Told:
    return Told()


@pytest.fixture
async def mirror(control: Told) -> ClusterMirror:
    return ClusterMirror(control, "node-1", clock=SystemClock())  # type: ignore[arg-type]


def test_a_document_is_parsed_when_it_is_read_and_only_once() -> None:
    held = Documents()
    held.replace(KEY, orjson.dumps(document()))
    held.replace(("shop", "broken"), b"no JSON")
    assert len(held) == 2 and ("shop", "broken") in held and set(held) >= {KEY}
    assert held[KEY] == document() and held[KEY] is held[KEY]
    held.replace(KEY, None)
    held.replace(KEY, None)
    assert held.get(KEY) is None and len(held) == 1


async def test_changes_are_told_with_both_states(mirror: ClusterMirror) -> None:
    seen: list[Any] = []
    keys: list[Any] = []
    mirror.held[PODS].on_change(lambda old, new: seen.append((old, new)))
    mirror.held[PODS].on_key(keys.append)
    mirror.take(batch(change(a="1"), whole=True, pods=1))
    mirror.take(batch(change(a="2"), pods=2))
    mirror.take(batch(change(gone=True), pods=3))
    mirror.take(batch(change("never", gone=True), pods=4))
    first, second = document(a="1"), document(a="2")
    assert seen == [(None, first), (first, second), (second, None)]
    assert keys == [KEY, KEY, KEY, ("shop", "never")]


async def test_what_everything_does_not_name_is_gone(mirror: ClusterMirror) -> None:
    mirror.take(batch(change("one"), change("two"), change(resource="services"), whole=True))
    gone: list[Any] = []
    mirror.held[PODS].on_change(lambda old, new: gone.append((old and old["metadata"], new)))
    mirror.take(batch(change("two"), whole=True))
    assert set(mirror.held[PODS].objects) == {("shop", "two")}
    assert gone[0] == (document("one")["metadata"], None)
    assert len(mirror.held[SERVICES].objects) == 0


async def test_what_is_the_nodes_own_is_held_apart(mirror: ClusterMirror) -> None:
    mirror.take(batch(change(a="trimmed"), change(resource=OWN + "pods", a="own"), whole=True))
    mirror.take(batch(change(a="trimmed")))
    assert mirror.own[PODS].objects[KEY] == document(a="own")
    assert mirror.held[PODS].objects[KEY] == document(a="trimmed")
    assert not mirror.own[NODES].objects


async def test_what_is_the_nodes_own_is_decided_by_before_others_know_of_it(
    mirror: ClusterMirror,
) -> None:
    mirror.take(batch(change(resource=OWN + "pods", a="own"), whole=True))
    assert mirror.held[PODS].objects[KEY] == document(a="own")
    mirror.take(batch(change(resource=OWN + "pods", gone=True)))
    assert not mirror.held[PODS].objects and not mirror.own[PODS].objects


async def test_it_is_waited_for_by_version(mirror: ClusterMirror) -> None:
    pods = mirror.held[PODS]
    waits = [asyncio.create_task(pods.wait_for(version)) for version in (3, 1)]
    await asyncio.sleep(0)
    mirror.take(batch(whole=True, pods=1))
    await asyncio.wait_for(waits[1], 10)
    assert not waits[0].done() and pods.synced.is_set()
    mirror.take(batch(pods=5))
    await asyncio.wait_for(waits[0], 10)
    await asyncio.wait_for(pods.wait_for(4), 10)


async def test_a_control_plane_that_lost_its_store_counts_anew(mirror: ClusterMirror) -> None:
    mirror.take(batch(whole=True, pods=100))
    mirror.take(batch(whole=True, pods=2))
    waits = asyncio.create_task(mirror.held[PODS].wait_for(3))
    await asyncio.sleep(0)
    assert not waits.done()
    mirror.take(batch(pods=3))
    await asyncio.wait_for(waits, 10)


async def test_one_readers_fault_does_not_stop_the_others(
    mirror: ClusterMirror, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[Any] = []

    def fails(old: Any, new: Any) -> None:
        raise RuntimeError("a fault")

    mirror.held[PODS].on_change(fails)
    mirror.held[PODS].on_change(lambda old, new: seen.append(new))
    mirror.take(batch(change()))
    assert seen == [document()] and "change not taken in" in caplog.text


async def test_it_follows_again_whatever_ends_the_stream(
    mirror: ClusterMirror, control: Told
) -> None:
    refused = ApiError({"code": 500, "message": "no"})
    task = asyncio.create_task(mirror.run())
    for each in (None, ConnectionError("gone"), refused, batch(whole=True, pods=9)):
        control.batches.put_nowait(each)
    await asyncio.wait_for(mirror.held[PODS].wait_for(9), 10)
    assert control.asked == ["node-1"] * 4
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
