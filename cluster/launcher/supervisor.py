"""Keeps a cluster's processes running: starts them by the zygote, hears when they are ready, starts
again what dies.

A process that dies comes back with the same command line, so with the same addresses; quickly at
first, with growing pauses when it dies again and again. What the user stopped stays down.
"""

import asyncio
import json
import logging
import os
import signal as signals
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import field
from enum import StrEnum
from typing import Any

from cluster.dataclass import dataclass
from cluster.errors import ClusterError
from cluster.launcher.commands import Command
from cluster.launcher.zygote import CRASHED, MESSAGE_BYTES_MAX

log = logging.getLogger(__name__)

RESTART_FIRST_SECONDS = 0.05
RESTART_LIMIT_SECONDS = 5.0
STABLE_SECONDS = 10.0  # who lived so long is restarted without a pause
READY_LINE_BYTES_MAX = 65_536
STOP_SECONDS = 5.0


class ProcessState(StrEnum):
    """What a process of the cluster is doing."""

    STARTING = "starting"
    READY = "ready"
    WAITING = "waiting"  # died, and comes back
    STOPPED = "stopped"  # by the user
    FROZEN = "frozen"  # powered off by the user


class ProcessFailed(ClusterError):
    """A process ended before it was ready."""


@dataclass(slots=True, eq=False)
class Process:
    """One process, over all its lives."""

    command: Command
    state: ProcessState = ProcessState.STOPPED
    pid: int | None = None
    started: float = 0.0  # seconds since 1970
    restarts: int = 0
    last_status: int | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    forked: asyncio.Event = field(default_factory=asyncio.Event)  # the zygote has answered
    exited: asyncio.Event = field(default_factory=asyncio.Event)
    pause: float = RESTART_FIRST_SECONDS
    again: asyncio.TimerHandle | None = None  # when it is started again
    lives: int = 0
    wanted: bool = False

    @property
    def name(self) -> str:
        """As it is called in traces and logs."""
        return self.command.name


class Supervisor:
    """The processes, by name."""

    def __init__(
        self,
        zygote: socket.socket,
        changed: Callable[[], None] = lambda: None,
        *,
        stop_seconds: float = STOP_SECONDS,
    ) -> None:
        self.stop_seconds = stop_seconds
        self.processes: dict[str, Process] = {}
        self._zygote = zygote
        self._changed = changed
        self._lifeline, self._lifeline_write = os.pipe()
        self._requests: list[tuple[bytes, int]] = []  # one a process at most
        self._closing = False
        self.zygote_gone = asyncio.Event()
        asyncio.get_running_loop().add_reader(zygote.fileno(), self._readable)

    def add(self, command: Command) -> Process:
        """Know a process; `start` runs it."""
        process = Process(command)
        self.processes[command.name] = process
        return process

    def start(self, name: str) -> Process:
        """Run a process from now on."""
        process = self.processes[name]
        process.wanted = True
        process.pause = RESTART_FIRST_SECONDS
        self._fork(process)
        return process

    async def ready(self, name: str) -> Process:
        """Wait until a process serves; ProcessFailed when it ended instead, for good."""
        process = self.processes[name]
        waits = [asyncio.ensure_future(each.wait()) for each in (process.ready, self.zygote_gone)]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()
        if not process.ready.is_set():
            raise ProcessFailed("the zygote is gone: nothing can be started any more")
        await process.forked.wait()  # what it says itself may be heard first
        return process

    def signal(self, name: str, number: int) -> None:
        """Send a signal to a process that runs."""
        process = self.processes[name]
        if process.pid is None:
            raise ClusterError(f"{name} does not run: it is {process.state}")
        if number == signals.SIGKILL:
            process.ready.clear()  # it serves no more, though its end is yet to be heard of
        _kill(process.pid, number)

    async def stop(self, name: str, number: int = signals.SIGTERM) -> None:
        """End a process and leave it down."""
        process = self.processes[name]
        process.wanted = False
        if process.state is ProcessState.STARTING:
            await process.forked.wait()  # only then it can be told
        if process.again is not None:
            process.again.cancel()
        if process.pid is None:
            process.state = ProcessState.STOPPED
            self._changed()
            return
        _kill(process.pid, number)
        if process.state is ProcessState.FROZEN:
            _kill(process.pid, signals.SIGCONT)
        try:
            async with asyncio.timeout(self.stop_seconds):
                await process.exited.wait()
        except TimeoutError:
            log.warning("killed, it did not stop in %g s process=%s", self.stop_seconds, name)
            if process.pid is not None:
                _kill(process.pid, signals.SIGKILL)
            await process.exited.wait()

    def freeze(self, name: str) -> None:
        """Power off: nothing answers any more, and nobody is told."""
        process = self.processes[name]
        self.signal(name, signals.SIGSTOP)
        process.wanted = False
        process.state = ProcessState.FROZEN
        self._changed()

    async def close(self) -> None:
        """End every process, the control plane last; then the zygote."""
        self._closing = True
        others = [name for name in self.processes if name != "control"]
        await asyncio.gather(*(self.stop(name, self._ending(name)) for name in others))
        if "control" in self.processes:
            await self.stop("control")
        if not self.zygote_gone.is_set():
            self._zygote.shutdown(socket.SHUT_WR)  # it ends, and so does the other direction
            await self.zygote_gone.wait()
        self._zygote.close()
        os.close(self._lifeline_write)
        os.close(self._lifeline)

    def _ending(self, name: str) -> int:
        frozen = self.processes[name].state is ProcessState.FROZEN
        return signals.SIGKILL if frozen else signals.SIGTERM

    # -- forking

    def _fork(self, process: Process) -> None:
        process.state = ProcessState.STARTING
        process.lives += 1
        for event in (process.forked, process.ready, process.exited):
            event.clear()
        process.started = time.time()
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        loop = asyncio.get_running_loop()
        loop.add_reader(reading, self._told, process, process.lives, reading, bytearray())
        request = {
            "fork": process.name,
            "module": process.command.module,
            "arguments": process.command.arguments,
        }
        self._requests.append((json.dumps(request).encode(), writing))
        self._send()
        self._changed()

    def _send(self) -> None:
        """Ask the zygote for what is to be forked; it takes so many requests at a time."""
        loop = asyncio.get_running_loop()
        while self._requests:
            data, writing = self._requests[0]
            try:
                socket.send_fds(self._zygote, [data], [writing, self._lifeline])
            except BlockingIOError:
                loop.add_writer(self._zygote.fileno(), self._send)
                return
            except OSError:
                self._lost()
                return
            self._requests.pop(0)
            os.close(writing)
        loop.remove_writer(self._zygote.fileno())

    def _told(self, process: Process, life: int, reading: int, buffer: bytearray) -> None:
        """The ready message of a process, or the end of its pipe."""
        chunk = os.read(reading, READY_LINE_BYTES_MAX)
        buffer += chunk
        if chunk and b"\n" not in buffer and len(buffer) < READY_LINE_BYTES_MAX:
            return
        asyncio.get_running_loop().remove_reader(reading)
        os.close(reading)
        if b"\n" not in buffer or process.lives != life or process.exited.is_set():
            return  # it died; the zygote tells
        process.facts = json.loads(buffer)
        process.state = ProcessState.READY
        process.ready.set()
        self._changed()

    def _readable(self) -> None:
        while True:
            try:
                data = self._zygote.recv(MESSAGE_BYTES_MAX)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                self._lost()
                return
            self._heard(json.loads(data))

    def _heard(self, message: dict[str, Any]) -> None:
        if "forked" in message:
            process = self.processes[message["forked"]]
            process.pid = message["pid"]
            process.forked.set()
        elif "failed" in message:
            log.error("cannot be forked process=%s error=%s", message["failed"], message["error"])
            self._exited(self.processes[message["failed"]], CRASHED)
        else:
            exited = self.processes.get(message["exited"])
            if exited is not None and exited.pid == message["pid"]:
                self._exited(exited, message["status"])
        self._changed()

    def _lost(self) -> None:
        """Without the zygote nothing can be started, and nobody says what ends: end everything."""
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._zygote.fileno())
        loop.remove_writer(self._zygote.fileno())
        if not self._closing:
            log.error("the zygote is gone")
        for _, writing in self._requests:
            os.close(writing)
        self._requests.clear()
        for process in self.processes.values():
            process.wanted = False
            if process.pid is not None:
                _kill(process.pid, signals.SIGKILL)
            if process.state is not ProcessState.STOPPED:
                self._exited(process, -signals.SIGKILL)
        self.zygote_gone.set()
        self._changed()

    def _exited(self, process: Process, status: int) -> None:
        process.pid = None
        process.last_status = status
        process.forked.set()
        process.exited.set()
        process.ready.clear()
        if not process.wanted:
            process.state = ProcessState.STOPPED
            return
        process.state = ProcessState.WAITING
        process.restarts += 1
        lived = time.time() - process.started
        pause, process.pause = restart_pauses(lived, process.pause)
        text = "process died, it is started again process=%s status=%d pause_seconds=%.2f"
        log.warning(text, process.name, status, pause)
        process.again = asyncio.get_running_loop().call_later(pause, self._again, process)

    def _again(self, process: Process) -> None:
        if process.wanted and process.state is ProcessState.WAITING:
            self._fork(process)


def restart_pauses(lived: float, pause: float) -> tuple[float, float]:
    """Before this restart, and before the next if that life is short too."""
    if lived > STABLE_SECONDS:
        return 0.0, RESTART_FIRST_SECONDS
    return pause, min(pause * 2, RESTART_LIMIT_SECONDS)


def _kill(pid: int, number: int) -> None:
    with suppress(ProcessLookupError):  # it has just ended, and the zygote is about to tell
        os.kill(pid, number)
