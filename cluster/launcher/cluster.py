"""A running cluster, as its launcher holds it."""

import asyncio
import logging
import os
import signal
import socket
import time
from collections.abc import Iterable
from contextlib import AsyncExitStack, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from cluster.aio.process import MISCONFIGURED
from cluster.client.api import ApiClient
from cluster.errors import ApiError, ClusterError, ConfigError
from cluster.launcher.commands import Addresses, commands
from cluster.launcher.manifests import apply, read_manifests
from cluster.launcher.places import Places
from cluster.launcher.ports import vacant_ports
from cluster.launcher.progress import Progress, ProgressState, Tell, silent
from cluster.launcher.record import start_of, write_record
from cluster.launcher.settled import SETTLE_SECONDS, NotSettled, settled
from cluster.launcher.slots import Slot, lease_slot, remember_slot, remembered_slot
from cluster.launcher.spec import ClusterSpec
from cluster.launcher.supervisor import Process, ProcessFailed, Supervisor
from cluster.launcher.sweep import Leave, clear, lock, sweep

log = logging.getLogger(__name__)

START_SECONDS_MAX = 60.0
START_SECONDS_A_NODE = 0.5
SETTLE_SECONDS_A_NODE = 0.5
RECORD_SHARE = 10  # writing the record may take one part in so many of the launcher's time


class Cluster:
    """The processes of one cluster and everything that belongs to them."""

    def __init__(self, spec: ClusterSpec, places: Places, zygote: socket.socket) -> None:
        """Take the run directory and a slot; ConfigError says who has them."""
        self.spec = spec
        self.places = places
        self._documents = read_manifests(spec.manifests)  # before anything is started
        places.make()
        self._lock = lock(places)
        try:
            sweep(places)
            self._went_on = places.store.exists()  # with what an earlier cluster kept
            self._slot: Slot = lease_slot(preferred=remembered_slot(places.slot_file))
            remember_slot(places.slot_file, self._slot)
            ports = vacant_ports(Addresses(self._slot.number).control)
            self.addresses = Addresses(self._slot.number, *ports)
        except BaseException:
            os.close(self._lock)
            raise
        self.supervisor = Supervisor(zygote, self._schedule_record)
        self._record_scheduled: asyncio.Handle | None = None
        self._record_not_before = 0.0
        self._closed = False
        self._opened = AsyncExitStack()

    @property
    def api_url(self) -> str:
        """The API for kubectl."""
        return f"https://{self.addresses.control}:{self.addresses.api_port}"

    @property
    def sockets(self) -> list[Path]:
        """The diagnostics of the processes that decide flows and run."""
        return [
            self.places.run_dir / f"{process.name}.sock"
            for process in self.supervisor.processes.values()
            if process.name != "control" and process.wanted
        ]

    async def start(self, tell: Tell = silent) -> None:
        """Start everything; return when the cluster serves what it was given."""
        client = ApiClient.of(f"unix:{self.places.control_socket}")
        self.api = await self._opened.enter_async_context(client)
        began = time.monotonic()
        wanted = commands(self.spec, self.places, self.addresses)
        for command in wanted:
            self.supervisor.add(command)
        await self._start("control", tell)
        others = [each.name for each in wanted if each.name != "control"]
        await asyncio.gather(*(self._start(name, tell) for name in others))
        await self._apply(tell)
        tell(Progress("cluster", ProgressState.STARTING, detail="waiting until it is settled"))
        await self.settled(SETTLE_SECONDS + SETTLE_SECONDS_A_NODE * self.spec.nodes)
        self.record()
        seconds = time.monotonic() - began
        tell(Progress("cluster", ProgressState.READY, seconds, self.api_url))

    async def _start(self, name: str, tell: Tell) -> None:
        began = time.monotonic()
        tell(Progress(name, ProgressState.STARTING))
        self.supervisor.start(name)
        try:
            process = await self._ready(name)
        except ClusterError as error:
            reason = str(error).partition(": ")[2].partition(";")[0]
            tell(Progress(name, ProgressState.FAILED, time.monotonic() - began, reason))
            raise
        addresses = (process.facts.get(each) for each in ("address", "api", "dns"))
        detail = next((str(each) for each in addresses if each), "")
        tell(Progress(name, ProgressState.READY, time.monotonic() - began, detail))

    async def _ready(self, name: str) -> Process:
        """Wait until a process serves; the error says why it does not, with its last log lines."""
        seconds = START_SECONDS_MAX + START_SECONDS_A_NODE * self.spec.nodes
        try:
            async with asyncio.timeout(seconds):
                return await self._ready_or_ended(name)
        except TimeoutError:
            reason, status = f"it is not ready after {seconds:g} s", None
        except ProcessFailed as error:
            reason, status = str(error), self.supervisor.processes[name].last_status
        text = f"{name} did not start: {reason}; {_last_lines(self.places.logs / f'{name}.log')}"
        raise ConfigError(text) if status == MISCONFIGURED else ProcessFailed(text)

    async def _ready_or_ended(self, name: str) -> Process:
        """A first start that fails is no accident, though it would be tried again."""
        process = self.supervisor.processes[name]
        ready = asyncio.ensure_future(self.supervisor.ready(name))
        try:
            while not ready.done():
                exited = asyncio.ensure_future(process.exited.wait())
                await asyncio.wait([ready, exited], return_when=asyncio.FIRST_COMPLETED)
                exited.cancel()
                if process.exited.is_set() and not ready.done() and process.pid is None:
                    raise ProcessFailed(f"it ended with status {process.last_status}")
            return await ready
        finally:
            ready.cancel()

    async def _apply(self, tell: Tell) -> None:
        if not self._documents:
            return
        began = time.monotonic()
        tell(Progress("manifests", ProgressState.STARTING))
        done = await apply(self.api, self._documents)
        tell(
            Progress(
                "manifests", ProgressState.READY, time.monotonic() - began, f"{len(done)} objects"
            )
        )

    async def settled(self, seconds: float = SETTLE_SECONDS) -> None:
        """Return when nothing is under way any more; NotSettled says what is, after a time."""
        await self._all_ready(seconds)
        nodes = [name for name in self.spec.node_names if self.supervisor.processes[name].wanted]
        await settled(self.api, self.sockets, nodes=nodes, seconds=seconds)

    async def _all_ready(self, seconds: float) -> None:
        """Wait for what has died and is started again: it does not answer before."""
        missing = [each for each in self.supervisor.processes.values() if each.wanted]
        try:
            async with asyncio.timeout(seconds):
                for process in missing:
                    await self.supervisor.ready(process.name)
        except TimeoutError:
            names = ", ".join(each.name for each in missing if not each.ready.is_set())
            raise NotSettled(f"not settled after {seconds:g} s: {names} does not serve") from None

    # -- what can be done to it

    async def stop_node(self, name: str, how: str = "shutdown") -> None:
        """Take a node down: "shutdown" in good order, "crash" by resets, "power-off" in silence."""
        self._node(name)
        if how == "power-off":
            self.supervisor.freeze(name)
        elif how in ("shutdown", "crash"):
            number = signal.SIGQUIT if how == "crash" else signal.SIGTERM
            await self.supervisor.stop(name, number)
        else:
            raise ConfigError(f"{how!r}: a node stops by shutdown, crash or power-off")

    async def start_node(self, name: str) -> None:
        """Bring a node up again that was stopped; what it held is gone, as after a reboot."""
        process = self._node(name)
        if process.wanted:
            raise ConfigError(f"{name} runs already")
        await self.supervisor.stop(name, signal.SIGKILL)  # what is powered off, or still ending
        self.supervisor.start(name)
        await self._ready(name)

    def kill(self, name: str, number: int = signal.SIGKILL) -> None:
        """Send a signal to a process, which comes back if it dies: for rehearsals."""
        if name not in self.supervisor.processes:
            raise ConfigError(f"{name!r} is no process; there are {', '.join(self._names())}")
        self.supervisor.signal(name, number)

    async def stop(self, *, keep: bool = False, failed: bool = False) -> None:
        """End everything and leave nothing behind; `keep` leaves the store for the next start.

        What has failed leaves its logs, and the store that it was given.
        """
        if self._closed:
            return
        self._closed = True
        with suppress(ApiError, OSError):
            await self._opened.aclose()
        await self.supervisor.close()
        clear(self.places, self._left(keep, failed))
        self._slot.release()
        os.close(self._lock)

    def _left(self, keep: bool, failed: bool) -> Leave:
        if (keep and self.spec.durable) or (failed and self._went_on):
            return Leave.STATE
        return Leave.LOGS if failed else Leave.NOTHING

    def _node(self, name: str) -> Process:
        if name not in self.spec.node_names:
            nodes = ", ".join(self.spec.node_names)
            raise ConfigError(f"{name!r} is not a node of this cluster; nodes: {nodes}")
        return self.supervisor.processes[name]

    def _names(self) -> Iterable[str]:
        return self.supervisor.processes

    # -- what others read

    def described(self) -> dict[str, Any]:
        """What runs, for cluster.json and `kubehop status`."""
        return {
            "name": self.spec.name,
            "slot": self._slot.number,
            "launcher": {"pid": os.getpid(), "start": start_of(os.getpid())},
            "api": self.api_url,
            "kubeconfig": str(self.places.kubeconfig),
            "stateDir": str(self.places.state_dir),
            "spec": _plain(asdict(self.spec)),
            "nodes": list(self.spec.node_names),
            "processes": [_described(each) for each in self.supervisor.processes.values()],
        }

    def record(self) -> None:
        """Write down what runs, if that has changed."""
        if self._record_scheduled is not None:
            self._record_scheduled.cancel()
            self._write_record()

    def _schedule_record(self) -> None:
        if self._record_scheduled is None and not self._closed:
            wait = max(self._record_not_before - time.monotonic(), 0.0)
            self._record_scheduled = asyncio.get_running_loop().call_later(wait, self._write_record)

    def _write_record(self) -> None:
        """It names every process: a change of each of many is not written for each of them."""
        self._record_scheduled = None
        if not self._closed:
            began = time.monotonic()
            write_record(self.places.cluster_file, self.described())
            ended = time.monotonic()
            self._record_not_before = ended + (ended - began) * RECORD_SHARE


def _described(process: Process) -> dict[str, Any]:
    running = process.pid is not None
    return {
        "name": process.name,
        "pid": process.pid,
        "start": start_of(process.pid) if process.pid is not None else "",
        "state": str(process.state),
        "restarts": process.restarts,
        "seconds": round(time.time() - process.started, 3) if running else None,
        "lastStatus": process.last_status,
        "facts": process.facts,
    }


def _plain(spec: dict[str, Any]) -> dict[str, Any]:
    return {
        name: [str(each) for each in value]
        if isinstance(value, tuple)
        else str(value)
        if isinstance(value, Path)
        else value
        for name, value in spec.items()
    }


def _last_lines(path: Path, count: int = 5) -> str:
    try:
        lines = path.read_text(errors="replace").splitlines()[-count:]
    except OSError:
        return f"it wrote no log {path}"
    return f"the end of {path}:\n" + "\n".join(f"  {line}" for line in lines)
