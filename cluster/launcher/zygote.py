"""The parent of a cluster's processes: imports everything once, then forks on request.

A fork of a warm parent takes milliseconds and shares its memory, where an interpreter of its own
would take a fifth of a second and 25 MB. The zygote has no event loop and no threads, so that a
fork is safe; it speaks with the launcher over a socket pair:

    launcher -> {"fork": NAME, "module": M, "arguments": [...]}   and descriptors: ready, lifeline
    zygote   -> {"forked": NAME, "pid": N} or {"failed": NAME, "error": WHY}
    zygote   -> {"exited": NAME, "pid": N, "status": S}           S < 0: by that signal

Importing is most of a start, and two processors can share it: the process of the module that is
imported `ahead` is forked before the zygote imports the others, does its own imports meanwhile, and
waits for the first request for that module to learn who it is.

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
from contextlib import redirect_stderr, suppress
from io import StringIO
from typing import Any, NamedTuple, NoReturn

from cluster.dataclass import compile_one

AHEAD = "control.__main__"  # one process, which the others wait for
MODULES = (  # in steps of some ten milliseconds: a request for AHEAD waits for one step at most
    AHEAD,
    "cluster.client.api",
    "cluster.dataplane.node_view",
    "cluster.trace.recorder",
    "cluster.dns.resolver",
    "cluster.dns.server",
    "node_agent.cni.router",
    "node_agent.cni.pod_network",
    "node_agent.kubelet.pod_worker",
    "node_agent.kubelet.kubelet",
    "node_agent.__main__",
    "cluster.gateway.__main__",
    "cluster.dns.__main__",
)
SHARED = ("aiohttp.web", "cluster.aio.process", "cluster.aio.tasks", "orjson", "uvloop")
MESSAGE_BYTES_MAX = 256 * 1024
PASSED = 2  # descriptors with each request: where to say ready, and whose end says stop
STOP_SECONDS = 5.0
POLL_SECONDS = 0.05
CRASHED = 70  # EX_SOFTWARE: a child's main raised


def import_all() -> None:
    """Import what every process needs, without the CA bundle that nobody here uses."""
    _import(MODULES)


def import_shared() -> None:
    """Import what all of them need, and the launcher too."""
    _import(SHARED)


def _import(names: Iterable[str]) -> None:
    given = os.environ.get("SSL_CERT_FILE")
    os.environ["SSL_CERT_FILE"] = os.devnull  # aiohttp builds a TLS context as it is imported
    gc.disable()  # what is imported stays: to look for garbage in it takes a tenth of the time
    try:
        for name in names:
            importlib.import_module(name)
    finally:
        gc.enable()
        if given is None:
            del os.environ["SSL_CERT_FILE"]
        else:
            os.environ["SSL_CERT_FILE"] = given


def fork_zygote(
    name: str,
    not_for_it: Iterable[int] = (),
    *,
    ahead: str = AHEAD,
    modules: Iterable[str] = MODULES,
    stop_seconds: float = STOP_SECONDS,
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
            status = serve(far, name, ahead=ahead, modules=modules, stop_seconds=stop_seconds)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    far.close()
    near.setblocking(False)
    return near, pid


def serve(
    sock: socket.socket,
    name: str,
    *,
    ahead: str = "",
    modules: Iterable[str] = (),
    stop_seconds: float = STOP_SECONDS,
) -> int:
    """Be the zygote until the launcher is gone and every child has ended; the exit status.

    `modules` are imported first, but for the one that is imported `ahead`, in its own process.
    """
    return _Zygote(sock, name, stop_seconds).run(ahead, [each for each in modules if each != ahead])


class _Ahead(NamedTuple):
    """The process that was forked before anybody asked for it."""

    module: str
    pid: int
    sock: socket.socket


class _Zygote:
    """The forking side."""

    def __init__(self, sock: socket.socket, name: str, stop_seconds: float) -> None:
        self._sock = sock
        self._children: dict[int, str] = {}  # "": it waits to be told who it is
        self._name = name
        self._stop_seconds = stop_seconds
        self._ahead: _Ahead | None = None

    def run(self, ahead: str, modules: Iterable[str]) -> int:
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
            if ahead:
                self._fork_ahead(ahead, wake_read, wake_write)
            for name in modules:
                _import([name])
                if not self._serve_ahead(wake_read, wake_write):
                    return 0
            gc.collect()
            gc.freeze()
            self._serve(wake_read, wake_write)
        finally:  # whatever goes wrong here, nobody is left
            self._end()
        return 0

    def _fork_ahead(self, module: str, *inherited: int) -> None:
        near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})  # kept until it listens
        pid = os.fork()
        if pid == 0:
            near.close()
            self._leave(inherited)
            _wait_ahead(far, module)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        far.close()
        self._children[pid] = ""
        self._ahead = _Ahead(module, pid, near)

    def _serve_ahead(self, *inherited: int) -> bool:
        """Between imports: take the request that somebody waits for already; others have time."""
        if self._ahead is None or not select.select([self._sock.fileno()], [], [], 0)[0]:
            return True
        return self._take(*inherited)

    def _serve(self, wake_read: int, wake_write: int) -> None:
        warming = True  # compiling what its children would each compile again
        while True:
            if warming and not compile_one():
                warming = False
                gc.freeze()
            wait = 0 if warming else None
            readable, _, _ = select.select([self._sock.fileno(), wake_read], [], [], wait)
            if wake_read in readable:
                _drain(wake_read)
                self._reap()
            if self._sock.fileno() in readable and not self._take(wake_read, wake_write):
                return

    def _take(self, *inherited: int) -> bool:
        """Carry out one request; False when the launcher is gone."""
        try:
            data, descriptors, _, _ = socket.recv_fds(self._sock, MESSAGE_BYTES_MAX, PASSED)
        except ConnectionResetError:  # it died with something from us unread
            return False
        if not data:
            return False
        request = json.loads(data)
        if not self._told_ahead(request, data, descriptors):
            self._fork(request, descriptors, inherited)
        for descriptor in descriptors:
            os.close(descriptor)
        return True

    def _told_ahead(self, request: dict[str, Any], data: bytes, descriptors: list[int]) -> bool:
        """Give a request to the process that waits for one, if it waits for this one."""
        ahead = self._ahead
        if ahead is None or ahead.module != request["module"]:
            return False
        self._ahead = None
        with ahead.sock:
            try:
                socket.send_fds(ahead.sock, [data], descriptors)
            except OSError:  # it has died: another is forked, and tells why if it dies too
                return False
        self._children[ahead.pid] = request["fork"]
        self._tell({"forked": request["fork"], "pid": ahead.pid})
        return True

    def _fork(
        self, request: dict[str, Any], descriptors: list[int], inherited: Iterable[int]
    ) -> None:
        if len(descriptors) != PASSED:
            error = f"{len(descriptors)} of {PASSED} descriptors arrived: too many files are open"
            self._tell({"failed": request["fork"], "error": error})
            return
        module, arguments = _told(request, descriptors)
        config = _parsed(module, arguments)
        # the child must not lose what it is told before it listens, as we, who ignore it, do
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        try:
            pid = os.fork()
        except OSError as error:  # no memory, too many processes: perhaps not for long
            self._tell({"failed": request["fork"], "error": str(error)})
        else:
            if pid == 0:
                self._leave(inherited)
                _run_child(module, arguments, config)
            self._children[pid] = request["fork"]
            self._tell({"forked": request["fork"], "pid": pid})
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})

    def _leave(self, inherited: Iterable[int]) -> None:
        """In a child: nothing of the zygote's is its own."""
        self._children.clear()
        signal.set_wakeup_fd(-1)
        self._sock.close()
        if self._ahead is not None:
            self._ahead.sock.close()
        for descriptor in inherited:
            os.close(descriptor)

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
            if name:  # else it died before anybody asked for it
                self._tell({"exited": name, "pid": pid, "status": exit_status})

    def _tell(self, message: dict[str, Any]) -> None:
        with suppress(OSError):  # the launcher is gone: the next read says so
            self._sock.send(json.dumps(message).encode())

    def _end(self) -> None:
        """Nobody may outlive the cluster."""
        if self._ahead is not None:
            self._ahead.sock.close()
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


def _wait_ahead(sock: socket.socket, module: str) -> NoReturn:
    """Import, and wait to be told who this process is; it ends with the zygote."""
    try:
        _import([module])
        data, descriptors, _, _ = socket.recv_fds(sock, MESSAGE_BYTES_MAX, PASSED)
    except BaseException:
        traceback.print_exc()
        os._exit(CRASHED)
    if not data:
        os._exit(0)
    sock.close()
    _run_child(*_told(json.loads(data), descriptors), None)


def _told(request: dict[str, Any], descriptors: Iterable[int]) -> tuple[str, list[str]]:
    """The module that is asked for, and its command line."""
    ready, lifeline = map(str, descriptors)
    options = ["--ready-fd", ready, "--lifeline-fd", lifeline]
    return request["module"], [*request["arguments"], *options]


def _parsed(module: str, arguments: list[str]) -> Any:
    """What a command line says, read once for all that the zygote forks: the memory that reading
    takes is shared. None where that is not possible; what is wrong is told by the process."""
    try:
        with redirect_stderr(StringIO()):
            return importlib.import_module(module).parse(arguments)
    except (Exception, SystemExit):
        return None


def _run_child(module: str, arguments: list[str], config: Any) -> NoReturn:
    """Be the process that was asked for; never returns."""
    status = CRASHED
    try:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        main = importlib.import_module(module).main
        status = main(arguments) if config is None else main(arguments, config)
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
