"""Runs a cluster at half load for a while, with changes all the time, and counts what is lost.

python -m tests.benchmarks.soak --minutes 10       to the end of docs/benchmarks.md
python -m tests.benchmarks.soak --minutes 0.2 -o FILE

The load is found out first: what the same mix reaches flat out. The exit status says whether
anything was lost that no announced death explains, or misdelivered. Everything is on 127.0.0.0/8.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from string import Template

import uvloop

from cluster.objects.resources import NODES, SERVICES
from cluster.testing.guard import Guard
from cluster.testing.names import cluster_name
from cluster.testing.start import start, stop
from cluster.testing.under_test import ClusterUnderTest
from cluster.testing.wishes import Wishes
from cluster.traffic.resolve import resolve
from cluster.wire.addresses import Protocol
from tests.benchmarks import document, machine, namespace
from tests.benchmarks.bench_cluster import ROOT
from tests.benchmarks.soak import pods
from tests.benchmarks.soak.changes import Changes, watch_pods
from tests.benchmarks.soak.load import Load, Targets
from tests.benchmarks.soak.result import Result
from tests.benchmarks.soak.samples import Samples
from tests.benchmarks.soak.tally import Deaths

HERE = Path(__file__).parent
NODE_COUNT = 4
STEADY = "node-1"
MINUTES = 10.0
FLAT_OUT_SECONDS = 5.0
SAMPLE_SECONDS = 2.0
TIME_SCALE = 0.1  # grace periods and probes in a tenth of their time: ten times as many changes


def main() -> int:
    """The exit status."""
    options = _parser().parse_args()
    own_network = namespace.enter()
    namespace.raise_limits()
    guard = Guard()
    cluster: ClusterUnderTest | None = None
    try:
        wishes = Wishes(
            nodes=NODE_COUNT, app_dir=ROOT, time_scale=TIME_SCALE, durable=True, settled_seconds=60
        )
        cluster = start(cluster_name("soak", os.getpid(), 1), wishes, guard)
        facts = machine.described() | {"network": namespace.described(own_network)}
        found = uvloop.run(_soak(cluster, options.minutes * 60, facts))
    finally:
        if cluster is not None:
            stop(cluster)
        guard.close()
    for table in found.tables():
        print(table.text(), flush=True)
    for tally in found.tallies:
        for example in tally.examples:
            print(f"{tally.name}: {example}", file=sys.stderr)
    Path(options.output or document.SOAK).write_text(found.markdown())
    if not options.output:
        document.with_soak()
    return 1 if found.failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.soak")
    parser.add_argument("--minutes", type=float, default=MINUTES)
    parser.add_argument("-o", "--output", metavar="FILE", help="write the section there instead")
    return parser


async def _soak(cluster: ClusterUnderTest, seconds: float, facts: Mapping[str, str]) -> Result:
    await cluster.apply(Template((HERE / "objects.yaml").read_text()).substitute(steady=STEADY))
    deaths, node_of_pod, listed = Deaths(), dict[str, str](), asyncio.Event()
    watching = asyncio.create_task(watch_pods(cluster, deaths, node_of_pod, listed))
    await listed.wait()
    load = Load(await _targets(cluster), deaths, node_of_pod)
    await load.run(min(FLAT_OUT_SECONDS, seconds / 3), {})
    changes, samples = Changes(cluster, deaths, _others()), Samples()
    ended = asyncio.Event()
    sampling = asyncio.create_task(_sample(cluster, samples, ended))
    changing = asyncio.create_task(changes.run(ended))
    try:
        await load.run(seconds, load.halves())
    finally:
        ended.set()
        await asyncio.gather(sampling, changing)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    return Result(
        seconds=seconds,
        nodes=NODE_COUNT,
        facts=facts,
        changes=changes.done,
        tallies=tuple(load.tallies.values()),
        samples=samples.taken,
    )


def _others() -> tuple[str, ...]:
    names = (f"node-{number}" for number in range(1, NODE_COUNT + 1))
    return tuple(name for name in names if name != STEADY)


async def _targets(cluster: ClusterUnderTest) -> Targets:
    known = await cluster.access.known()
    server = await cluster.api.get(SERVICES, "server", namespace="default")
    dns = (await cluster.processes())["dns"]["facts"]["dns"]
    host, _, port = dns.rpartition(":")
    return Targets(
        http=tuple(resolve("server", 80, known).real),
        udp=tuple(resolve("server", pods.UDP, known, protocol=Protocol.UDP).real),
        caller=tuple(resolve("caller", pods.CALLER, known).real),
        dns=(host, int(port)),
        service_ip=server["spec"]["clusterIP"],
        nodes={
            each["address"]: node["metadata"]["name"]
            for node in (await cluster.api.list(NODES)).items
            for each in node["status"]["addresses"]
        },
    )


async def _sample(cluster: ClusterUnderTest, samples: Samples, ended: asyncio.Event) -> None:
    """Look at the processes every few seconds, and once more at the end."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    while True:
        found = await cluster.processes()
        pids = {name: each["pid"] for name, each in found.items() if each["pid"]}
        samples.take(pids, loop.time() - began)
        if ended.is_set():
            return
        try:
            async with asyncio.timeout(SAMPLE_SECONDS):
                await ended.wait()
        except TimeoutError:
            continue


if __name__ == "__main__":
    sys.exit(main())
