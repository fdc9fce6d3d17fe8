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
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from cluster.errors import ClusterError
from cluster.launcher.commands import Command
from cluster.launcher.zygote import MESSAGE_BYTES_MAX

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
    exited: asyncio.Event = field(default_factory=asyncio.Event)
    pause: float = RESTART_FIRST_SECONDS
    wanted: bool = False

    @property
    def name(self) -> str:
        """As it is called in traces and logs."""
        return self.command.name


class Supervisor:
    """The processes, by name."""

    def __init__(self, zygote: socket.socket, changed: Callable[[], None] = lambda: None) -> None:
        self.processes: dict[str, Process] = {}
        self._zygote = zygote
        self._changed = changed
        self._lifeline, self._lifeline_write = os.pipe()
        self._queue: list[tuple[bytes, list[int]]] = []
        self._timers: set[asyncio.TimerHandle] = set()
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
        return process

    def signal(self, name: str, number: int) -> None:
        """Send a signal to a process that runs."""
        process = self.processes[name]
        if process.pid is None:
            raise ClusterError(f"{name} does not run: it is {process.state}")
        os.kill(process.pid, number)

    async def stop(self, name: str, number: int = signals.SIGTERM) -> None:
        """End a process and leave it down."""
        process = self.processes[name]
        process.wanted = False
        if process.pid is None:
            process.state = ProcessState.STOPPED
            self._changed()
            return
        os.kill(process.pid, number)
        if process.state is ProcessState.FROZEN:
            os.kill(process.pid, signals.SIGCONT)
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await process.exited.wait()
        except TimeoutError:
            log.warning("killed, it did not stop in %g s process=%s", STOP_SECONDS, name)
            os.kill(process.pid, signals.SIGKILL)
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
        for timer in self._timers:
            timer.cancel()
        others = [name for name in self.processes if name != "control"]
        await asyncio.gather(*(self.stop(name, self._ending(name)) for name in others))
        if "control" in self.processes:
            await self.stop("control")
        asyncio.get_running_loop().remove_reader(self._zygote.fileno())
        self._zygote.close()
        os.close(self._lifeline_write)
        os.close(self._lifeline)

    def _ending(self, name: str) -> int:
        frozen = self.processes[name].state is ProcessState.FROZEN
        return signals.SIGKILL if frozen else signals.SIGTERM

    # -- forking

    def _fork(self, process: Process) -> None:
        process.state = ProcessState.STARTING
        process.ready.clear()
        process.exited.clear()
        process.started = time.time()
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        loop = asyncio.get_running_loop()
        loop.add_reader(reading, self._told, process, reading, bytearray())
        request = {
            "fork": process.name,
            "module": process.command.module,
            "arguments": process.command.arguments,
        }
        try:
            socket.send_fds(self._zygote, [json.dumps(request).encode()], [writing, self._lifeline])
        finally:
            os.close(writing)
        self._changed()

    def _told(self, process: Process, reading: int, buffer: bytearray) -> None:
        """The ready message of a process, or the end of its pipe."""
        chunk = os.read(reading, READY_LINE_BYTES_MAX)
        buffer += chunk
        if chunk and b"\n" not in buffer and len(buffer) < READY_LINE_BYTES_MAX:
            return
        asyncio.get_running_loop().remove_reader(reading)
        os.close(reading)
        if b"\n" not in buffer:
            return  # it died first; the zygote tells
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
                log.error("the zygote is gone")
                asyncio.get_running_loop().remove_reader(self._zygote.fileno())
                self.zygote_gone.set()
                return
            self._heard(json.loads(data))

    def _heard(self, message: dict[str, Any]) -> None:
        if "forked" in message:
            self.processes[message["forked"]].pid = message["pid"]
        else:
            process = self.processes.get(message["exited"])
            if process is not None and process.pid == message["pid"]:
                self._exited(process, message["status"])
        self._changed()

    def _exited(self, process: Process, status: int) -> None:
        process.pid = None
        process.last_status = status
        process.exited.set()
        process.ready.clear()
        if not process.wanted:
            process.state = ProcessState.STOPPED
            return
        process.state = ProcessState.WAITING
        process.restarts += 1
        lived = time.time() - process.started
        pause = 0.0 if lived > STABLE_SECONDS else process.pause
        process.pause = RESTART_FIRST_SECONDS if lived > STABLE_SECONDS else process.pause * 2
        process.pause = min(process.pause, RESTART_LIMIT_SECONDS)
        text = "process died, it is started again process=%s status=%d pause_seconds=%.2f"
        log.warning(text, process.name, status, pause)
        timer = asyncio.get_running_loop().call_later(pause, self._again, process)
        self._timers = {each for each in self._timers if not each.cancelled()} | {timer}

    def _again(self, process: Process) -> None:
        if process.wanted and process.pid is None:
            self._fork(process)
