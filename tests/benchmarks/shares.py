"""Benchmark: which process the CPU time of a new connection is spent in."""

from tests.benchmarks import pods
from tests.benchmarks.load import load
from tests.benchmarks.runs import cpu_of
from tests.benchmarks.stage import Stage
from tests.benchmarks.table import Table


def measure(up: Stage, clients: int, seconds: float) -> Table:
    """One run of new connections through each cluster."""
    spent = {name: _spent(up, name, clients, seconds) for name in up.clusters}
    table = Table(
        "Where the CPU time of a new connection is spent, minimal pod, us",
        ("process", *spent),
        note=f"One run of {seconds:g} s with {clients} clients each. A node that is not the pod's "
        "has part in a third of the connections, the gateway and the pod's node in all.",
    )
    for process in next(iter(spent.values())):
        table.add(process, *(f"{each[process]:.1f}" for each in spent.values()))
    table.add("all", *(f"{sum(each.values()):.1f}" for each in spent.values()))
    return table


def _spent(up: Stage, name: str, clients: int, seconds: float) -> dict[str, float]:
    """Microseconds for each connection, by process."""
    running = up.clusters[name]
    processes = running.processes()
    before = {process: cpu_of(pid) for process, pid in processes.items()}
    ran = load(running.address("server", pods.MINIMAL), clients, seconds, close=True)
    connections = max(ran.requests, 1)
    return {
        process: (cpu_of(pid) - before[process]) / connections * 1e6
        for process, pid in processes.items()
    }
