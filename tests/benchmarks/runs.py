"""Ways taken in turns, in random order within each round, and what came of each."""

import random
import resource
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from tests.benchmarks.bench_cluster import cpu_seconds
from tests.benchmarks.machine import Quiet, Spent
from tests.benchmarks.peers.ports import Address

DISTURBED_PART = 0.15


@dataclass(frozen=True, slots=True)
class Way:
    """Somewhere to ask, and the processes between there and the pod, and the pod's own."""

    name: str
    address: Address
    relays: Callable[[], Sequence[int]]
    pod: Callable[[], Sequence[int]]

    def pids(self) -> list[int]:
        """Everybody's on the way."""
        return [*self.relays(), *self.pod()]


@dataclass(frozen=True, slots=True)
class Sample:
    """One run's outcome."""

    value: float  # what is compared
    count: float  # what the CPU time is for: requests, connections, gigabytes
    lost: int
    cpu: float  # the generator's own, seconds
    p50: float = 0.0  # seconds
    p99: float = 0.0


@dataclass(frozen=True, slots=True)
class _Run:
    sample: Sample
    path_cpu: float  # seconds, of all on the way
    foreign: float  # part of the machine that others used meanwhile
    steal: float  # part of the machine that it did not get


@dataclass(slots=True)
class Results:
    """All runs of all ways."""

    rounds: int
    quiet: Quiet
    runs: dict[str, list[_Run]] = field(default_factory=dict)

    def values(self, way: str) -> list[float]:
        """What is compared, of each run."""
        return [run.sample.value for run in self.runs[way]]

    def median(self, way: str) -> float:
        """What is compared."""
        return median(self.values(way))

    def ratio(self, way: str, to: str) -> float | None:
        """Of the medians; None where one of the two was not there."""
        if way not in self.runs or to not in self.runs:
            return None
        return self.median(way) / self.median(to)

    def quantiles(self, way: str) -> tuple[float, float]:
        """Latency at the half and at 99 of a hundred, seconds."""
        samples = [run.sample for run in self.runs[way]]
        return median(each.p50 for each in samples), median(each.p99 for each in samples)

    def cpu(self, way: str) -> float:
        """Seconds of all on the way, for each of what was counted."""
        return median(run.path_cpu / max(run.sample.count, 1e-9) for run in self.runs[way])

    def lost(self, way: str) -> int:
        """Of all runs together."""
        return sum(run.sample.lost for run in self.runs[way])

    def disturbance(self) -> str:
        """How much others had of the machine."""
        runs = [run for each in self.runs.values() for run in each]
        foreign, steal = [run.foreign for run in runs], [run.steal for run in runs]
        much = sum(max(run.foreign, run.steal) > DISTURBED_PART for run in runs)
        return (
            f"{self.quiet} Of the machine others had {median(foreign):.0%} in the median run "
            f"({max(foreign):.0%} at most), {median(steal):.0%} were not given "
            f"({max(steal):.0%}); {much} of {len(runs)} runs were disturbed by more than "
            f"{DISTURBED_PART:.0%}."
        )


def alternate(ways: Sequence[Way], rounds: int, run: Callable[[Way], Sample]) -> Results:
    """Each way once in each round."""
    results = Results(rounds, Quiet(), {way.name: [] for way in ways})
    for _ in range(rounds):
        results.quiet.wait()
        for way in random.sample(ways, len(ways)):
            results.runs[way.name].append(_watched(way, run))
    return results


def _watched(way: Way, run: Callable[[Way], Sample]) -> _Run:
    pids = way.pids()
    spent, path, own = Spent.now(), _cpu(pids), _own_cpu()
    sample = run(way)
    path_cpu = _cpu(pids) - path
    ours = path_cpu + sample.cpu + _own_cpu() - own
    foreign, steal = Spent.now().since(spent, ours)
    return _Run(sample, path_cpu, foreign, steal)


def _cpu(pids: Iterable[int]) -> float:
    return sum(map(cpu_of, pids))


def cpu_of(pid: int) -> float:
    """Seconds so far: finer than the ticks of utime and stime, where the scheduler tells."""
    try:
        threads = Path(f"/proc/{pid}/task").glob("*/schedstat")
        return sum(int(each.read_text().split()[0]) for each in threads) / 1e9
    except OSError:
        return cpu_seconds(pid)


def _own_cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
