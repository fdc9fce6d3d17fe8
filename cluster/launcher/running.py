"""Finding running clusters and giving them orders."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from cluster.dataclass import dataclass
from cluster.errors import ClusterError, ConfigError
from cluster.launcher.places import Places, run_root
from cluster.launcher.record import read_record
from cluster.launcher.sweep import running

GONE_SECONDS = 15.0
ANSWER_BYTES_MAX = 1 << 20


@dataclass(frozen=True, slots=True)
class Running:
    """A cluster whose launcher lives; `record` is its cluster.json at the time."""

    name: str
    places: Places
    record: dict[str, Any]

    @property
    def run_dir(self) -> Path:
        """Where its sockets are."""
        return self.places.run_dir

    @property
    def kubeconfig(self) -> Path:
        """For kubectl."""
        return self.places.kubeconfig

    @property
    def processes(self) -> list[dict[str, Any]]:
        """Its processes: name, pid, state, restarts, facts."""
        return list(self.record.get("processes", ()))

    @property
    def nodes(self) -> list[str]:
        """Its nodes."""
        return list(self.record.get("nodes", ()))

    async def call(self, verb: str, **arguments: Any) -> Any:
        """Give an order and wait for its end; the error carries what the launcher said."""
        reader, writer = await self._connect()
        try:
            return await self._ask(reader, writer, {"verb": verb, **arguments})
        finally:
            writer.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        try:
            return await asyncio.open_unix_connection(
                str(self.places.launcher_socket), limit=ANSWER_BYTES_MAX
            )
        except OSError as error:
            raise ConfigError(_none(self.name)) from error

    async def _ask(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, order: dict[str, Any]
    ) -> Any:
        writer.write(json.dumps(order).encode() + b"\n")
        line = await reader.readline()
        if not line:
            raise ClusterError(f"the launcher of {self.name!r} ended when asked: {order['verb']}")
        answer = json.loads(line)
        if "error" in answer:
            raise (ConfigError if answer.get("misused") else ClusterError)(answer["error"])
        return answer.get("ok")

    async def down(self, *, keep: bool = False) -> None:
        """End the cluster and wait until nothing of it is left."""
        launcher = int((self.record.get("launcher") or {}).get("pid") or 0)
        reader, writer = await self._connect()
        try:
            async with asyncio.timeout(GONE_SECONDS), _end_of(launcher) as ended:
                await self._ask(reader, writer, {"verb": "down", "keep": keep})
                await reader.read()  # the connection ends with the launcher, which goes last
                await ended.wait()
        except TimeoutError:
            raise ClusterError(
                f"cluster {self.name!r} is not down after {GONE_SECONDS:g} s; its launcher is "
                f"process {launcher}, its logs are in {self.places.logs}"
            ) from None
        finally:
            writer.close()


@asynccontextmanager
async def _end_of(pid: int) -> AsyncIterator[asyncio.Event]:
    """An event for the end of a process, where the kernel tells of it; elsewhere it is set."""
    ended = asyncio.Event()
    try:
        descriptor = os.pidfd_open(pid)
    except (AttributeError, OSError):  # not Linux; or it has ended
        ended.set()
        yield ended
        return
    loop = asyncio.get_running_loop()
    loop.add_reader(descriptor, ended.set)
    try:
        yield ended
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


def find(name: str = "default") -> Running:
    """The running cluster of a name; ConfigError says what to do when there is none."""
    places = Places.of(name)
    record = read_record(places.cluster_file) if running(places) else None
    if record is None:
        raise ConfigError(_none(name))
    return Running(name, places, record)


def list_running() -> list[Running]:
    """Every running cluster of this user."""
    root = run_root()
    found = []
    for directory in sorted(root.iterdir()) if root.is_dir() else ():
        places = Places.of(directory.name)
        record = read_record(places.cluster_file) if running(places) else None
        if record is not None:
            found.append(Running(directory.name, places, record))
    return found


def _none(name: str) -> str:
    others = [each.name for each in list_running()]
    start = "kubehop up" + ("" if name == "default" else f" --name {name}")
    known = f"; running: {', '.join(others)} (--name)" if others else ""
    return f"no cluster {name!r} runs: start it with `{start}`{known}"
