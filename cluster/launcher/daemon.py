"""The launcher's own loop: start the cluster, take orders, end it."""

import asyncio
import json
import logging
import os
import signal
import socket
import sys
from contextlib import suppress
from typing import Any

from cluster.aio.process import ProcessConfig, log_to, raise_open_files, set_title
from cluster.errors import ClusterError, ConfigError
from cluster.launcher.cluster import Cluster
from cluster.launcher.places import Places
from cluster.launcher.progress import Progress
from cluster.launcher.service import Service
from cluster.launcher.spec import ClusterSpec

log = logging.getLogger(__name__)

OK, FAILED = 0, 1


def run(spec: ClusterSpec, zygote: socket.socket, report_fd: int) -> int:
    """Run to the end; the exit status."""
    log_to(ProcessConfig(title=""))
    set_title(f"kubehop launcher ({spec.name})")
    raise_open_files()  # two for each process
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_Daemon(spec, zygote, report_fd).serve())


class _Daemon:
    """One launcher."""

    def __init__(self, spec: ClusterSpec, zygote: socket.socket, report_fd: int) -> None:
        self._spec = spec
        self._zygote = zygote
        self._report_fd: int | None = report_fd
        self._stopping = asyncio.Event()
        self._failed = False

    async def serve(self) -> int:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(number, self._stopping.set)
        try:
            cluster = Cluster(self._spec, Places.of(self._spec.name), self._zygote)
        except ClusterError as error:
            self._report(_failure(str(error), error))
            return FAILED
        service = Service(cluster)
        try:
            return await self._run(cluster, service)
        finally:
            await service.close()
            await cluster.stop(keep=service.keep, failed=self._failed)

    async def _run(self, cluster: Cluster, service: Service) -> int:
        stopping = asyncio.ensure_future(self._stopping.wait())
        starting = asyncio.ensure_future(self._start(cluster, service))
        down = asyncio.ensure_future(service.down.wait())
        lost = asyncio.ensure_future(cluster.supervisor.zygote_gone.wait())
        try:
            await _first(starting, stopping, lost)
            if starting.done():
                starting.result()
                self._report({"done": True})
                await _first(down, stopping, lost)
            return FAILED if lost.done() else OK
        except Exception as error:
            log.exception("the cluster did not start")
            self._failed = True
            known = isinstance(error, ClusterError | OSError | TimeoutError)
            hint = "" if known else f" (a fault of kubehop: see {cluster.places.logs}/launcher.log)"
            self._report(_failure(f"{error}{hint}", error))
            return FAILED
        finally:
            for each in (starting, stopping, down, lost):
                each.cancel()
            await asyncio.gather(starting, stopping, down, lost, return_exceptions=True)

    async def _start(self, cluster: Cluster, service: Service) -> None:
        await service.start()
        await cluster.start(self._tell)

    def _tell(self, progress: Progress) -> None:
        self._report(
            {
                "what": progress.what,
                "state": str(progress.state),
                "seconds": round(progress.seconds, 3),
                "detail": progress.detail,
            }
        )

    def _report(self, message: dict[str, object]) -> None:
        if self._report_fd is None:
            return
        with suppress(OSError):  # whoever started us has left
            os.write(self._report_fd, json.dumps(message).encode() + b"\n")
        if "done" in message or "failed" in message:
            os.close(self._report_fd)
            self._report_fd = None
            sys.stdout.flush()


def _failure(text: str, error: Exception) -> dict[str, object]:
    return {"failed": text, "misused": isinstance(error, ConfigError)}


async def _first(*futures: asyncio.Future[Any]) -> None:
    await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)
