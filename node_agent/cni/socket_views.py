"""What a pod's program gets when it asks a server or a transport for its socket.

A listening or a UDP socket of a pod has no descriptor at all; a connection has one, and only its
names are emulated. Spec: P-2, P-4.
"""

import errno
import os
import socket
from typing import Any

Name = tuple[str, int]


class PodSocket:
    """A socket without a descriptor: its options have no effect and read as zero."""

    def __init__(
        self, ip: str, port: int, kind: int = socket.SOCK_STREAM, peer: Name | None = None
    ) -> None:
        self._name = (ip, port)
        self._peer = peer
        self.family = socket.AF_INET
        self.type = kind
        self.proto = 0

    def getsockname(self) -> Name:
        """The pod's address."""
        return self._name

    def getpeername(self) -> Name:
        """The address it is connected to; ENOTCONN for a listening socket."""
        if self._peer is None:
            raise OSError(errno.ENOTCONN, os.strerror(errno.ENOTCONN))
        return self._peer

    def setsockopt(self, *_: Any) -> None:
        """Accept any option."""

    def getsockopt(self, *_: Any) -> int:
        """Every option is zero."""
        return 0

    def fileno(self) -> int:
        """There is no descriptor."""
        return -1

    def __repr__(self) -> str:
        return f"<PodSocket laddr={self._name} raddr={self._peer}>"


class ConnectedSocket:
    """A connection's real socket with the names that the pod sees."""

    def __init__(self, real: Any, own: Name, peer: Name) -> None:
        self._real = real
        self._own = own
        self._peer = peer

    def getsockname(self) -> Name:
        """The pod's own address."""
        return self._own

    def getpeername(self) -> Name:
        """The peer's address, as the pod sees it."""
        return self._peer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def __repr__(self) -> str:
        return f"<ConnectedSocket laddr={self._own} raddr={self._peer}>"
