"""recvmmsg and sendmmsg: an array of messages in memory, and the two calls that go through it.

    message   name | iovec -> bytes | control -> one number of UDP's, or none | flags, bytes

Every message has all three from the start; what changes from call to call is a number here and
there, written and read through views, without an object for each message.
Spec: recvmmsg(2), sendmmsg(2), cmsg(3), udp(7) UDP_SEGMENT and UDP_GRO.
"""

import ctypes
import os
import socket
from functools import cache
from typing import Any, Final

SEGMENT, COALESCE = 103, 104  # UDP_SEGMENT, UDP_GRO
NAME_BYTES_MAX = 28


class _Iovec(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


class _Message(ctypes.Structure):
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
    _fields_ = (("message", _Message), ("bytes", ctypes.c_uint))


class _Control(ctypes.Structure):
    """struct cmsghdr and its number: 16 bits when sent, 32 when received."""

    _fields_ = (
        ("length", ctypes.c_size_t),
        ("level", ctypes.c_int),
        ("kind", ctypes.c_int),
        ("number", ctypes.c_int),
        ("padding", ctypes.c_int),
    )


_UDP, _NOW = int(socket.IPPROTO_UDP), int(socket.MSG_DONTWAIT)
_HEADER_BYTES: Final = ctypes.sizeof(_Header)
_INTS: Final = _HEADER_BYTES // 4
_LONGS: Final = _HEADER_BYTES // ctypes.sizeof(ctypes.c_size_t)
_NAME_LENGTH_AT: Final = _Message.name_length.offset // 4
_BYTES_AT: Final = _Header.bytes.offset // 4
_CONTROL_AT: Final = _Message.control_length.offset // ctypes.sizeof(ctypes.c_size_t)
_NUMBER_AT: Final = _Control.number.offset // 4
_CONTROL_INTS: Final = ctypes.sizeof(_Control) // 4
_SENT_CONTROL_BYTES: Final = _Control.number.offset + 2
_CONTROL_BYTES: Final = ctypes.sizeof(_Control)


class Messages:
    """As many messages as one call takes; `slots` is what their bytes lie in."""

    def __init__(self, count: int, slots: Any, names: bytearray, name_bytes: int) -> None:
        self._receive, self._send = _calls()
        self._held = slots, names
        self._base = ctypes.addressof(ctypes.c_char.from_buffer(slots))
        self._headers, self._iovecs = (_Header * count)(), (_Iovec * count)()
        self._controls = (_Control * count)()
        name = ctypes.addressof(ctypes.c_char.from_buffer(names))
        for index in range(count):
            message = self._headers[index].message
            message.name, message.name_length = name + index * name_bytes, name_bytes
            message.iovecs = ctypes.addressof(self._iovecs[index])
            message.iovecs_count = 1
            message.control = ctypes.addressof(self._controls[index])
        self._at = ctypes.addressof(self._headers)
        header_bytes = memoryview(self._headers).cast("B")
        self._ints, self._longs = header_bytes.cast("I"), header_bytes.cast("L")
        self._iovec_longs = memoryview(self._iovecs).cast("B").cast("L")
        self._control_ints = memoryview(self._controls).cast("B").cast("I")

    # -- what each message is

    def bytes_at(self, index: int, start: int, length: int) -> None:
        """Where in the slots the bytes of a message are, or shall be."""
        self._iovec_longs[2 * index] = self._base + start
        self._iovec_longs[2 * index + 1] = length

    def length(self, index: int, length: int) -> None:
        """How many bytes a message has."""
        self._iovec_longs[2 * index + 1] = length

    def name_length(self, index: int, length: int) -> None:
        """How long the name of a message is."""
        self._ints[index * _INTS + _NAME_LENGTH_AT] = length

    def segmented(self, index: int, size: int) -> None:
        """Let a message be datagrams of one size, the last of what is left; 0: it is one."""
        if size:
            control = self._controls[index]
            control.length = _SENT_CONTROL_BYTES
            control.level, control.kind, control.number = _UDP, SEGMENT, size
        self._longs[index * _LONGS + _CONTROL_AT] = _CONTROL_BYTES if size else 0

    # -- the calls

    def receive(self, sock: socket.socket, count: int) -> list[int]:
        """The sizes of up to `count` messages that were there; OSError as `recvfrom` does."""
        came: int = self._receive(sock.fileno(), self._at, count, _NOW, None)
        if came < 0:
            raise _last_error()
        if came == 1:
            return [self._ints[_BYTES_AT]]
        return self._ints[_BYTES_AT : came * _INTS : _INTS].tolist()

    def expect_segments(self, count: int) -> None:
        """Make room for what the kernel says of datagrams that it put together."""
        for index in range(count):
            self._longs[index * _LONGS + _CONTROL_AT] = _CONTROL_BYTES

    def segments(self, count: int) -> list[int]:
        """The sizes of the datagrams in each message that came; 0: it is one."""
        found = [0] * count
        for index in range(count):
            if self._longs[index * _LONGS + _CONTROL_AT]:
                found[index] = self._control_ints[index * _CONTROL_INTS + _NUMBER_AT]
        return found

    def send(self, sock: socket.socket, first: int, end: int) -> int:
        """How many messages from `first` on left; OSError: not even that one."""
        at = self._at + first * _HEADER_BYTES
        left: int = self._send(sock.fileno(), at, end - first, _NOW)
        if left < 0:
            raise _last_error()
        return left


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


def _last_error() -> OSError:
    number = ctypes.get_errno()
    return OSError(number, os.strerror(number))
