"""Benchmark 1: from the command to the first answer through the gateway."""

import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from statistics import median

from tests.benchmarks.bench_cluster import ROOT, BenchCluster, Start, environment
from tests.benchmarks.machine import Quiet
from tests.benchmarks.table import Table, milliseconds

EVERYTHING = "... that imports every process"
OURS = ("cluster", "control", "node_agent")
IMPORTS = {
    "an interpreter that does nothing": "pass",
    "... that imports the command": "import cluster.cli.main",
    EVERYTHING: "from cluster.launcher.zygote import import_all; import_all()",
}
_IMPORTED = re.compile(r"^import time: +(\d+) \| +\d+ \| +(\S+)$", re.MULTILINE)


def measure(directory: Path, rounds: int, nodes: int) -> list[Table]:
    """Rounds of starts, each a cluster of its own; the round before the first does not count."""
    _once(directory, nodes)
    quiet = Quiet()
    starts = []
    for _ in range(rounds):
        quiet.wait()
        starts.append(_once(directory, nodes))
    imports = [_imports(directory) for _ in range(rounds)]
    tables = [_phases(starts, nodes, quiet), _cpu(starts), _import_table(imports)]
    return [*tables, _import_profile(directory)]


def _once(directory: Path, nodes: int) -> Start:
    cluster = BenchCluster(directory, nodes)
    try:
        return cluster.up()
    finally:
        cluster.down()


def _phases(starts: list[Start], nodes: int, quiet: Quiet) -> Table:
    phases = [start.phases() for start in starts]
    table = Table(
        f"Start of {nodes} nodes, cold processes: when each phase was over",
        ("phase", "median", "fastest", "slowest"),
        note="Wall time since the command was executed; nodes, gateway and DNS start side by side. "
        f"{quiet}",
    )
    for name in phases[0]:
        table.add(name, *_spread([each[name] for each in phases]))
    table.figures["start: first 200"] = median(each["first 200"] for each in phases)
    return table


def _cpu(starts: list[Start]) -> Table:
    table = Table(
        "CPU time of the same starts, at the first answer",
        ("process", "median", "fastest", "slowest"),
        note="User and system, imports included: `launcher` imports what all share; `control` "
        "its own and, meanwhile, `zygote` what the others are forked with.",
    )
    for name in starts[0].cpu:
        table.add(name, *_spread([each.cpu[name] for each in starts]))
    table.add("all", *_spread([sum(each.cpu.values()) for each in starts]))
    return table


def _imports(directory: Path) -> dict[str, float]:
    took = {}
    for name, code in IMPORTS.items():
        began = time.monotonic()
        command = [sys.executable, "-c", code]
        subprocess.run(command, cwd=ROOT, env=environment(directory), check=True)
        took[name] = time.monotonic() - began
    return took


def _import_table(rounds: list[dict[str, float]]) -> Table:
    table = Table(
        "Below that no start can be: interpreters and imports alone",
        ("process", "median", "fastest", "slowest"),
        note="One after the other, in turns; wall time.",
    )
    for name in IMPORTS:
        table.add(name, *_spread([each[name] for each in rounds]))
    return table


def _import_profile(directory: Path) -> Table:
    """Whose modules the imports' time goes to, each without what it imports in turn."""
    ran = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", IMPORTS[EVERYTHING]],
        cwd=ROOT,
        env=environment(directory),
        capture_output=True,
        text=True,
        check=True,
    )
    spent, modules = Counter[str](), Counter[str]()
    for own, module in _IMPORTED.findall(ran.stderr):
        package = module.partition(".")[0]
        group = package if package in (*OURS, "aiohttp", "asyncio") else "everything else"
        spent[group] += int(own)
        modules[group] += 1
    table = Table(
        "Whose those imports are",
        ("package", "modules", "time", "part"),
        note="One run of `python -X importtime`, which itself takes time: read the parts.",
    )
    for name, microseconds in spent.most_common():
        part = f"{microseconds / spent.total():.0%}"
        table.add(name, str(modules[name]), milliseconds(microseconds / 1e6), part)
    return table


def _spread(seconds: list[float]) -> tuple[str, str, str]:
    return milliseconds(median(seconds)), milliseconds(min(seconds)), milliseconds(max(seconds))
