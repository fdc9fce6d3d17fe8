"""A network of this run's own, where the system allows it.

On many machines a firewall, connection tracking or a congestion control that paces (bbr) acts on
the loopback too, on everybody alike but not in equal parts. A new network namespace has none of
them, and nothing outside the machine can be reached from it.
"""

import ctypes
import fcntl
import os
import socket
import struct
from pathlib import Path

CLONE_NEWNET = 0x40000000
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 0x1
CONGESTION = Path("/proc/sys/net/ipv4/tcp_congestion_control")
UNPACED = "reno"  # always there; on a loopback, which loses nothing, as good as cubic


def enter() -> bool:
    """Leave the machine's network for one with a loopback alone; whether that was allowed.

    To be called once, early: all processes started after live in it too.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "unshare") or libc.unshare(CLONE_NEWNET):
        return False
    _loopback_up()
    CONGESTION.write_text(UNPACED)
    return True


def described(own: bool) -> str:
    """For the document."""
    control = CONGESTION.read_text().strip() if CONGESTION.exists() else "unknown"
    whose = (
        "a namespace of this run's own (loopback alone, no firewall, no connection tracking)"
        if own
        else "the machine's own"
    )
    return f"{whose}; TCP congestion control {control}"


def _loopback_up() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        asked = struct.pack("16sH14x", b"lo", 0)
        answered = fcntl.ioctl(sock, SIOCGIFFLAGS, asked)
        (flags,) = struct.unpack("16xH14x", answered)
        fcntl.ioctl(sock, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", flags | IFF_UP))


def raise_limits() -> None:
    """As many descriptors as this user may have: processes started after inherit it."""
    import resource

    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


if __name__ == "__main__":
    print(os.getuid(), enter())
