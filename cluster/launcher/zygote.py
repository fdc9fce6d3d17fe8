"""The parent of a cluster's processes: imports everything once, then forks on request.

A fork of a warm parent takes milliseconds and shares its memory, where an interpreter of its own
would take a fifth of a second and 25 MB. The zygote has no event loop and no threads, so that a
fork is safe; it speaks with the launcher over a socket pair:

    launcher -> {"fork": NAME, "module": M, "arguments": [...]}   and descriptors: ready, lifeline
    zygote   -> {"forked": NAME, "pid": N} or {"failed": NAME, "error": WHY}
    zygote   -> {"exited": NAME, "pid": N, "status": S}           S < 0: by that signal

When the launcher is gone the socket ends: children stop by their lifelines, and what has not
stopped after a while, or cannot because it is frozen, is killed.
"""

import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import time
import traceback
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

MODULES = (
    "control.__main__",
    "node_agent.__main__",
    "cluster.gateway.__main__",
    "cluster.dns.__main__",
)
MESSAGE_BYTES_MAX = 256 * 1024
STOP_SECONDS = 5.0
POLL_SECONDS = 0.05
CRASHED = 70  # EX_SOFTWARE: a child's main raised


def import_all() -> None:
    """Import what every process needs, without the CA bundle that nobody here uses."""
    given = os.environ.get("SSL_CERT_FILE")
    os.environ["SSL_CERT_FILE"] = os.devnull  # aiohttp builds a TLS context as it is imported
    gc.disable()  # what is imported stays: to look for garbage in it takes a tenth of the time
    try:
        for name in MODULES:
            importlib.import_module(name)
    finally:
        gc.enable()
        if given is None:
            del os.environ["SSL_CERT_FILE"]
        else:
            os.environ["SSL_CERT_FILE"] = given


def fork_zygote(
    name: str, not_for_it: Iterable[int] = (), *, stop_seconds: float = STOP_SECONDS
) -> tuple[socket.socket, int]:
    """Fork this process, in which no loop and no thread runs yet; the launcher's end and the pid.

    `name` shows in process listings; descriptors that are `not_for_it` stay the launcher's alone.
    """
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    gc.collect()
    gc.freeze()
    pid = os.fork()
    if pid == 0:
        near.close()
        for descriptor in not_for_it:
            os.close(descriptor)
        status = CRASHED
        try:
            status = serve(far, name, stop_seconds=stop_seconds)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    far.close()
    near.setblocking(False)
    return near, pid


def serve(sock: socket.socket, name: str, *, stop_seconds: float = STOP_SECONDS) -> int:
    """Be the zygote until the launcher is gone and every child has ended; the exit status."""
    return _Zygote(sock, name, stop_seconds).run()


class _Zygote:
    """The forking side."""

    def __init__(self, sock: socket.socket, name: str, stop_seconds: float) -> None:
        self._sock = sock
        self._children: dict[int, str] = {}
        self._name = name
        self._stop_seconds = stop_seconds

    def run(self) -> int:
        """Serve until the launcher is gone."""
        from setproctitle import setproctitle

        setproctitle(f"kubehop zygote ({self._name})")
        os.setsid()  # Ctrl-C is the launcher's to handle
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        wake_read, wake_write = os.pipe()
        os.set_blocking(wake_write, False)
        os.set_blocking(wake_read, False)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        try:
            self._serve(wake_read, wake_write)
        finally:  # whatever goes wrong here, nobody is left
            self._end()
        return 0

    def _serve(self, wake_read: int, wake_write: int) -> None:
        while True:
            readable, _, _ = select.select([self._sock.fileno(), wake_read], [], [])
            if wake_read in readable:
                _drain(wake_read)
                self._reap()
            if self._sock.fileno() in readable and not self._take(wake_read, wake_write):
                return

    def _take(self, *inherited: int) -> bool:
        """Carry out one request; False when the launcher is gone."""
        try:
            data, descriptors, _, _ = socket.recv_fds(self._sock, MESSAGE_BYTES_MAX, 2)
        except ConnectionResetError:  # it died with something from us unread
            return False
        if not data:
            return False
        request = json.loads(data)
        # the child must not lose what it is told before it listens, as we, who ignore it, do
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        try:
            pid = os.fork()
        except OSError as error:  # no memory, too many processes: perhaps not for long
            self._tell({"failed": request["fork"], "error": str(error)})
        else:
            if pid == 0:
                self._children.clear()  # they are our parent's
                signal.set_wakeup_fd(-1)
                self._sock.close()
                for descriptor in inherited:
                    os.close(descriptor)
                _run_child(request, descriptors)
            self._children[pid] = request["fork"]
            self._tell({"forked": request["fork"], "pid": pid})
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        for descriptor in descriptors:
            os.close(descriptor)
        return True

    def _reap(self) -> None:
        while self._children:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            name = self._children.pop(pid, "")
            exit_status = os.waitstatus_to_exitcode(status)
            self._tell({"exited": name, "pid": pid, "status": exit_status})

    def _tell(self, message: dict[str, Any]) -> None:
        with suppress(OSError):  # the launcher is gone: the next read says so
            self._sock.send(json.dumps(message).encode())

    def _end(self) -> None:
        """Nobody may outlive the cluster."""
        deadline = time.monotonic() + self._stop_seconds
        self._signal(signal.SIGTERM)
        while self._children and time.monotonic() < deadline:
            self._reap()
            time.sleep(POLL_SECONDS)
        self._signal(signal.SIGKILL)
        while self._children:
            self._reap()
            time.sleep(POLL_SECONDS)

    def _signal(self, number: int) -> None:
        for pid in self._children:
            os.kill(pid, number)


def _run_child(request: dict[str, Any], descriptors: Iterable[int]) -> None:
    """Be the process that was asked for; never returns."""
    status = CRASHED
    try:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        ready, lifeline = descriptors
        arguments = [
            *request["arguments"],
            "--ready-fd",
            str(ready),
            "--lifeline-fd",
            str(lifeline),
        ]
        status = importlib.import_module(request["module"]).main(arguments)
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _drain(descriptor: int) -> None:
    with suppress(BlockingIOError):
        while os.read(descriptor, 4096):
            pass
