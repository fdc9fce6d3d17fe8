"""Notices when a pod's code goes past the event loop, to the machine itself, and fails closed.

An audit hook of the interpreter sees each such call before it is made, in whichever thread. Only
asyncio's calls use the pod's network; what a C library does by itself, nobody sees. A thread that a
pod's code starts is the pod's: `threading.Thread.start` gives it the pod's context.
"""

import contextvars
import errno
import functools
import ipaddress
import os
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from node_agent.cni.pod_context import POD

if TYPE_CHECKING:
    from node_agent.cni.pod_network import PodNetwork

ESCAPES_REMEMBERED_MAX = 1024

Report = Callable[["PodNetwork", str], None]


class Escapes:
    """The hook; `report` hears of each pod and call once, as far as they are remembered."""

    _installed: ClassVar["Escapes | None"] = None

    def __init__(self, report: Report) -> None:
        self._report = report
        self._seen: set[tuple[str, str]] = set()

    def install(self) -> None:
        """Watch from now on, in place of who did before: a hook stays for the process's life."""
        if Escapes._installed is None:
            sys.addaudithook(_audit)
        Escapes._installed = self
        threading.Thread.start = _start_in_context  # type: ignore[method-assign,assignment]

    def refuse(self, pod: "PodNetwork", event: str, target: str) -> None:
        """Report a pod's call, and fail it with the error that its program can understand."""
        what = f"{event} {target}"
        seen = (pod.origin.name, what)
        if seen not in self._seen and len(self._seen) < ESCAPES_REMEMBERED_MAX:
            self._seen.add(seen)
            self._report(pod, what)
        if event in _PROCESSES:
            raise _refusal(errno.EPERM, pod, f"{what}: a pod runs inside the node's process")
        instead = "only asyncio's calls use the pod's network"
        raise _refusal(errno.ENETUNREACH, pod, f"{what} past the event loop; {instead}")


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    """The hook itself: it sees every event of the interpreter, so most must cost nothing."""
    target_of = _WATCHED.get(event)
    if target_of is None:
        return
    pod = POD.get()
    if pod is None or Escapes._installed is None:
        return
    target = target_of(arguments)
    if target is not None:
        Escapes._installed.refuse(pod, event, target)


def _refusal(number: int, pod: "PodNetwork", why: str) -> OSError:
    return OSError(number, f"{os.strerror(number)}: pod {pod.origin.name} called {why}")


def _address(arguments: tuple[Any, ...]) -> str | None:
    """The IP address that a socket is bound, connected or sent to; None for a Unix socket."""
    address = arguments[1]
    return str(address) if isinstance(address, tuple) else None


def _name(arguments: tuple[Any, ...]) -> str | None:
    """The name that is asked for; None for an address, which needs no question."""
    host = arguments[0]
    if host is None:
        return None
    text = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return text
    return None


def _command(arguments: tuple[Any, ...]) -> str | None:
    return str(arguments[0]) if arguments else ""


_start_thread = threading.Thread.start


def _start_in_context(thread: threading.Thread) -> None:
    """Start a thread; a pod's in its context, where any other begins with an empty one."""
    if POD.get() is not None:
        run = functools.partial(contextvars.copy_context().run, thread.run)
        thread.run = run  # type: ignore[method-assign]
    _start_thread(thread)


_PROCESSES = frozenset(
    {"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.forkpty"}
)
_WATCHED: dict[str, Callable[[tuple[Any, ...]], str | None]] = {
    "socket.bind": _address,
    "socket.connect": _address,
    "socket.sendto": _address,
    "socket.sendmsg": _address,
    "socket.getaddrinfo": _name,
    "socket.gethostbyname": _name,
    "socket.gethostbyaddr": _name,
    **dict.fromkeys(_PROCESSES, _command),
}
