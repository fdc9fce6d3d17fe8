"""What control tells its nodes: batches of changes of objects, whose documents stay bytes.

    batch   [whole, {resource: version}, [change, ...]]                            MessagePack
    change  [resource, namespace, name, document as JSON | nil when it is gone]

A `whole` batch is everything there is: what it does not name is gone. The versions say how far the
resources are with this batch; a batch may only say that. A resource after `own/` is an object that
concerns the receiver alone, complete; all others hold what decisions about connections read. A
document stays bytes on both sides: most nodes never read most documents.

Pure: values and bytes.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import msgpack

OWN = "own/"
BATCH_BYTES_MAX = 256 * 1024 * 1024
READ_BYTES = 16 * 1024  # the least that is kept for what is read; a node has it for good
_ARRAY_OF_THREE = b"\x93"


class Change(NamedTuple):
    """One object's new state; no document when it is gone."""

    resource: str
    namespace: str
    name: str
    document: bytes | None


class Batch(NamedTuple):
    """What was told at once."""

    whole: bool
    versions: Mapping[str, int]
    changes: list[Change]


def encode_change(change: Change) -> bytes:
    """A change, to be put into as many batches as there are."""
    packed: bytes = msgpack.packb(change)
    return packed


def encode_batch(
    changes: Iterable[bytes], versions: Mapping[str, int], *, whole: bool = False
) -> bytes:
    """A batch of changes that are encoded already."""
    listed = list(changes)
    head = msgpack.packb(whole) + msgpack.packb(versions)
    count = msgpack.Packer().pack_array_header(len(listed))
    return b"".join([_ARRAY_OF_THREE, head, count, *listed])


class BatchReader:
    """Batches out of a stream, however it is cut."""

    def __init__(self) -> None:
        self._unpacker = msgpack.Unpacker(
            use_list=True, read_size=READ_BYTES, max_buffer_size=BATCH_BYTES_MAX
        )

    def read(self, chunk: bytes) -> Iterator[Batch]:
        """The batches that are whole with this chunk; ValueError for what is none."""
        try:
            self._unpacker.feed(chunk)
            for whole, versions, changes in self._unpacker:
                yield Batch(bool(whole), versions, [Change(*each) for each in changes])
        except (msgpack.UnpackException, TypeError, ValueError) as error:
            raise ValueError(f"no batch of changes: {error!r}") from error
