"""The pods' programs outside the cluster: on uvloop, on 127.0.0.1, each in a process of its own.

python -m tests.benchmarks.direct server PORT PORT PORT PORT PORT     until its input ends
python -m tests.benchmarks.direct client PORT

The server's last port is the minimal program again, with the transport that a pod holds.
"""

import asyncio
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from subprocess import PIPE, Popen

import uvloop

from node_agent.cni.transport import Greeter
from tests.benchmarks import pods
from tests.benchmarks.bench_cluster import ROOT, environment
from tests.benchmarks.peers.ports import LOOPBACK, free_port, is_served

STOP_SECONDS = 10
LOOK_SECONDS = 0.01
READY = "ready"


@contextmanager
def direct(role: str, count: int, directory: Path) -> Iterator[tuple[list[int], int]]:
    """A process of that role, serving: its ports, and its pid."""
    ports = [free_port() for _ in range(count)]
    process = Popen(
        [sys.executable, "-m", "tests.benchmarks.direct", role, *map(str, ports)],
        cwd=ROOT,
        env=environment(directory),
        stdin=PIPE,
        stdout=PIPE,
        text=True,
    )
    assert process.stdin is not None and process.stdout is not None
    try:
        if process.stdout.readline().strip() != READY:
            raise RuntimeError(f"the {role} outside the cluster did not start")
        yield ports, process.pid
    finally:
        process.stdin.close()
        process.wait(STOP_SECONDS)
        process.stdout.close()


async def _serve(role: str, ports: Sequence[int]) -> None:
    serving = asyncio.create_task(ROLES[role](ports), name=role)
    while not all(is_served(port, "tcp") for port in ports):
        if serving.done():
            await serving
        await asyncio.sleep(LOOK_SECONDS)
    print(READY, flush=True)
    await asyncio.to_thread(sys.stdin.read)
    serving.cancel()
    with suppress(asyncio.CancelledError):
        await serving


async def _server(ports: Sequence[int]) -> None:
    *usual, proxied = ports
    loop = asyncio.get_running_loop()
    own = peer = (LOOPBACK, proxied)
    await loop.create_server(
        lambda: Greeter(pods.Minimal, own, peer, loop), LOOPBACK, proxied, backlog=pods.BACKLOG
    )
    await pods.serve(LOOPBACK, usual)


async def _client(ports: Sequence[int]) -> None:
    await pods.serve_client(LOOPBACK, *ports)


ROLES = {"server": _server, "client": _client}

if __name__ == "__main__":
    uvloop.run(_serve(sys.argv[1], [int(port) for port in sys.argv[2:]]))
