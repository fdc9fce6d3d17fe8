"""Batches of datagrams by one system call: recvmmsg and sendmmsg, where the machine has them.

Linux does, other systems and C libraries may not: `open_batch` tries once what it would use, and
gives the plain `Batch` where that does not work. Both do the same, one faster.
Spec: recvmmsg(2), sendmmsg(2).
"""

import ctypes
import os
import socket
from functools import cache
from typing import Any, Final

from cluster.aio.batch import BATCH_DATAGRAMS, DATAGRAM_BYTES_MAX, Batch
from cluster.aio.socket_names import pack_name
from cluster.wire.addresses import SocketAddress


class _Iovec(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


class _Message(ctypes.Structure):
    """struct msghdr"""

    _fields_ = (
        ("name", ctypes.c_void_p),
        ("name_length", ctypes.c_uint32),
        ("iovecs", ctypes.c_void_p),
        ("iovecs_count", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_length", ctypes.c_size_t),
        ("flags", ctypes.c_int),
    )


class _Header(ctypes.Structure):
    """struct mmsghdr: a message, and how many bytes it was."""

    _fields_ = (("message", _Message), ("bytes", ctypes.c_uint))


_HEADER_BYTES: Final = ctypes.sizeof(_Header)
_WORDS: Final = _HEADER_BYTES // ctypes.sizeof(ctypes.c_uint)
_BYTES_AT: Final = _Header.bytes.offset // ctypes.sizeof(ctypes.c_uint)


class MmsgBatch(Batch):
    """A batch that one call fills and one call empties."""

    def __init__(
        self,
        family: int,
        *,
        capacity: int = BATCH_DATAGRAMS,
        datagram_bytes_max: int = DATAGRAM_BYTES_MAX,
    ) -> None:
        super().__init__(family, capacity=capacity, datagram_bytes_max=datagram_bytes_max)
        self._receive, self._send = _calls()
        slots = ctypes.addressof(ctypes.c_char.from_buffer(self._slots))
        names = ctypes.addressof(ctypes.c_char.from_buffer(self._names))
        self._iovec_array = (_Iovec * capacity)()
        for index, iovec in enumerate(self._iovec_array):
            iovec.base, iovec.length = slots + index * self._stride, self._stride
        iovecs = ctypes.addressof(self._iovec_array)
        self._header_array = (_Header * capacity)()
        for index, header in enumerate(self._header_array):
            message = header.message
            message.name = names + index * self._name_bytes
            message.name_length = self._name_bytes
            message.iovecs = iovecs + index * ctypes.sizeof(_Iovec)
            message.iovecs_count = 1
        self._headers = ctypes.addressof(self._header_array)
        # What is read and written for each datagram, without an object for each.
        self._sizes_view = memoryview(self._header_array).cast("B").cast("I")
        self._iovecs_bytes = memoryview(self._iovec_array).cast("B")
        self._lengths = self._iovecs_bytes.cast("L")  # every second: the others are addresses
        self._whole = bytes(self._iovecs_bytes)
        self._shortened = False

    def _fill(self, sock: socket.socket) -> None:
        if self._shortened:
            self._iovecs_bytes[:] = self._whole
            self._shortened = False
        count = _checked(
            self._receive(sock.fileno(), self._headers, self.capacity, socket.MSG_DONTWAIT, None)
        )
        self.sizes = self._sizes_view[_BYTES_AT : count * _WORDS : _WORDS].tolist()

    def send(self, sock: socket.socket, first: int, end: int) -> int:
        headers = self._headers + first * _HEADER_BYTES
        return _checked(self._send(sock.fileno(), headers, end - first, socket.MSG_DONTWAIT))

    def _length(self, index: int, length: int) -> None:
        self._lengths[2 * index + 1] = length
        self._shortened = True


def open_batch(
    family: int,
    *,
    capacity: int = BATCH_DATAGRAMS,
    datagram_bytes_max: int = DATAGRAM_BYTES_MAX,
) -> Batch:
    """The fastest batch that works here."""
    kind = MmsgBatch if mmsg_works() else Batch
    return kind(family, capacity=capacity, datagram_bytes_max=datagram_bytes_max)


@cache
def mmsg_works() -> bool:
    """Whether the two calls are there and mean what this module thinks: two datagrams are sent."""
    try:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    except OSError:
        return False
    with sock:
        try:
            sock.bind(("127.0.0.1", 0))
            return _carries(sock)
        except (OSError, AttributeError):  # the C library, or the kernel, has no such call
            return False


def _carries(sock: socket.socket) -> bool:
    batch, name = MmsgBatch(sock.family, capacity=2, datagram_bytes_max=8), _own_name(sock)
    for index in range(2):
        batch.put(index, b"probe", b"%d" % index, name)
    if batch.send(sock, 0, 2) != 2 or batch.receive(sock) != 2:
        return False
    return list(batch.datagrams()) == [(b"probe0", name), (b"probe1", name)]


def _own_name(sock: socket.socket) -> bytes:
    return pack_name(SocketAddress(*sock.getsockname()))


@cache
def _calls() -> tuple[Any, Any]:
    library = ctypes.CDLL(None, use_errno=True)
    receive, send = library.recvmmsg, library.sendmmsg
    receive.argtypes = (
        *(ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int),
        ctypes.c_void_p,  # no time limit: nothing is waited for
    )
    send.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int)
    return receive, send


def _checked(count: int) -> int:
    if count >= 0:
        return count
    number = ctypes.get_errno()
    raise OSError(number, os.strerror(number))
