"""Batches of changes: what is written is read, however the stream is cut."""

import msgpack
import pytest

from cluster.wire.changes import OWN, Batch, BatchReader, Change, encode_batch, encode_change

POD = Change("pods", "shop", "cart", b'{"metadata":{"name":"cart"}}')
GONE = Change("nodes", "", "node-2", None)
MINE = Change(OWN + "pods", "shop", "cart", b"{}")
WHOLE = Batch(True, {"pods": 12, "nodes": 3}, [POD, MINE])
LATER = Batch(False, {"nodes": 4}, [GONE])


def encoded(batch: Batch) -> bytes:
    changes = [encode_change(each) for each in batch.changes]
    return encode_batch(changes, batch.versions, whole=batch.whole)


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_what_was_written_is_read_however_it_is_cut(size: int) -> None:
    stream = encoded(WHOLE) + encoded(LATER)
    reader = BatchReader()
    chunks = [stream[at : at + size] for at in range(0, len(stream), size)]
    assert [batch for chunk in chunks for batch in reader.read(chunk)] == [WHOLE, LATER]


def test_a_batch_may_say_only_how_far_it_is() -> None:
    batch = Batch(False, {"pods": 7}, [])
    assert list(BatchReader().read(encoded(batch))) == [batch]


def test_a_batch_of_many_changes_is_one() -> None:
    changes = [Change("pods", "shop", f"cart-{number}", b"{}") for number in range(70_000)]
    (batch,) = BatchReader().read(encoded(Batch(True, {}, changes)))
    assert batch.changes == changes


@pytest.mark.parametrize(
    "stream", [b"\xc1", msgpack.packb(7), msgpack.packb([True, {}]), msgpack.packb([1, {}, [2]])]
)
def test_what_is_no_batch_is_refused(stream: bytes) -> None:
    with pytest.raises(ValueError, match="batch"):
        list(BatchReader().read(stream))
