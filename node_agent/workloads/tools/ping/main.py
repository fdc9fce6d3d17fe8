"""`ping [-c COUNT] [-i SECONDS] [-W SECONDS] [-w SECONDS] HOST`"""

import asyncio
import signal
import socket
import time

from node_agent.workloads.tools.ping.echo import Echo, echo
from node_agent.workloads.tools.ping.report import (
    EXIT_SILENT,
    EXIT_USAGE,
    Statistics,
    Wanted,
    answered,
    head,
    parse_ping,
)
from node_agent.workloads.tools.process import Failed, Process

TIMES_KEPT_MAX = 100_000
LOCAL_TTL = 64


async def run(process: Process) -> int:
    """Ask until the count, the deadline or an interrupt; the statistics come in each case."""
    wanted = parse_ping(process.arguments)
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            wanted.host, None, family=socket.AF_INET, type=socket.SOCK_STREAM
        )
    except socket.gaierror as error:
        raise Failed(f"{wanted.host}: {error.strerror}", EXIT_USAGE) from None
    ip = str(found[0][4][0])
    await process.write(head(wanted.host, ip, wanted.size))
    statistics, began = Statistics(), time.monotonic()
    interrupted = asyncio.Event()
    process.handlers[signal.SIGINT] = lambda _: interrupted.set()
    asking = asyncio.ensure_future(_ask(process, wanted, ip, statistics))
    stopping = asyncio.ensure_future(interrupted.wait())
    try:
        await asyncio.wait(
            (asking, stopping),
            timeout=wanted.deadline or None,
            return_when=asyncio.FIRST_COMPLETED,
        )
        if asking.done():
            asking.result()
    finally:
        for task in (asking, stopping):
            task.cancel()
        await asyncio.wait((asking, stopping))
        process.handlers.pop(signal.SIGINT, None)
    await process.write(statistics.text(wanted.host, time.monotonic() - began))
    return 0 if statistics.times else EXIT_SILENT


async def _ask(process: Process, wanted: Wanted, ip: str, statistics: Statistics) -> None:
    while True:
        began = time.monotonic()
        statistics.sent += 1
        result = await echo(ip, wanted.wait)
        if isinstance(result, Echo):
            if len(statistics.times) < TIMES_KEPT_MAX:
                statistics.times.append(result.seconds)
            if not wanted.quiet:
                name = ip if wanted.numeric or wanted.host == ip else f"{wanted.host} ({ip})"
                line = answered(name, wanted.size, statistics.sent, LOCAL_TTL, result.seconds)
                await process.write(line)
        elif result.reason:
            statistics.errors += 1
            await process.complain(f"sendmsg: {result.reason}")
        if wanted.count and statistics.sent >= wanted.count:
            return
        await asyncio.sleep(max(0.0, wanted.interval - (time.monotonic() - began)))
