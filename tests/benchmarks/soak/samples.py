"""Memory and descriptors of the cluster's processes over time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean

from tests.benchmarks.bench_cluster import proportional_kib

SAMPLES_MAX = 100_000
EDGE = 5  # samples whose mean is the start, or the end


@dataclass(frozen=True, slots=True)
class Sample:
    """One process at one moment."""

    at: float  # seconds since the load began
    proportional_kib: int
    resident_kib: int
    descriptors: int


@dataclass(slots=True)
class Samples:
    """All processes', by name."""

    taken: dict[str, list[Sample]] = field(default_factory=dict)

    def take(self, pids: Mapping[str, int], at: float) -> None:
        """Look at each process that is there."""
        for name, pid in pids.items():
            try:
                kib = proportional_kib(pid)
                descriptors = len(list(Path(f"/proc/{pid}/fd").iterdir()))
            except OSError:  # it is between two lives
                continue
            found = self.taken.setdefault(name, [])
            if len(found) < SAMPLES_MAX:
                found.append(Sample(at, kib["Pss"], kib["Rss"], descriptors))


def edges(values: Sequence[float]) -> tuple[float, float]:
    """The means of the first few and of the last few."""
    return fmean(values[:EDGE]), fmean(values[-EDGE:])


def slope(pairs: Sequence[tuple[float, float]]) -> float:
    """By how much the second grows while the first grows by 1, by least squares."""
    middle_at, middle = fmean(at for at, _ in pairs), fmean(value for _, value in pairs)
    spread = sum((at - middle_at) ** 2 for at, _ in pairs)
    if not spread:
        return 0.0
    return sum((at - middle_at) * (value - middle) for at, value in pairs) / spread
