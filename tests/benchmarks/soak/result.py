"""What the soak found, as tables and as a section of the document.

Pure: values in, text out.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from tests.benchmarks.document import SOAK_HEADING
from tests.benchmarks.soak.samples import Sample, edges, slope
from tests.benchmarks.soak.tally import Tally
from tests.benchmarks.table import Table

HOUR = 3600
MIB = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One run."""

    seconds: float
    nodes: int
    facts: Mapping[str, str]
    changes: Mapping[str, int]
    tallies: tuple[Tally, ...]
    samples: Mapping[str, list[Sample]]

    @property
    def failed(self) -> int:
        """Requests that were lost without an announced death, or misdelivered."""
        return sum(each.lost + each.misdelivered for each in self.tallies)

    def tables(self) -> tuple[Table, Table]:
        """Requests and processes."""
        return self._requests(), self._processes()

    def markdown(self) -> str:
        """The section."""
        changes = ", ".join(f"{name} {count}" for name, count in sorted(self.changes.items()))
        lines = [
            SOAK_HEADING,
            "",
            f"{self.seconds / 60:.1f} minutes on {self.nodes} nodes, at half of the load that the "
            "same mix reaches flat out, while pods, nodes and policies change all the time "
            f"({changes}). `make soak` writes this section anew.",
            "",
            *(f"- {name}: {value}" for name, value in self.facts.items()),
            "",
            *(table.markdown() for table in self.tables()),
        ]
        return "\n".join(lines).rstrip() + "\n"

    def _requests(self) -> Table:
        table = Table(
            "Requests",
            ("kind", "requests", "a second", "lost", "misdelivered", "ended by announced deaths"),
            note="Each answer must carry the token that it was asked with, and the name of a pod "
            "of the Service. Ended by announced deaths: without an answer, on a connection whose "
            "pod was being ended, or while a node on its way was stopped.",
        )
        for each in self.tallies:
            counts = (each.lost, each.misdelivered, each.announced)
            rate = f"{each.all / each.seconds:.0f}" if each.seconds else "-"
            table.add(each.name, f"{each.all:,}", rate, *(f"{count:,}" for count in counts))
        return table

    def _processes(self) -> Table:
        table = Table(
            "Memory and descriptors",
            (
                "process",
                "MiB at start",
                "at end",
                "most",
                "MiB an hour",
                "descriptors at start",
                "at end",
            ),
            note="Proportional set size. The growth by least squares over the second half of the "
            "run. A node that was stopped is a new process when it is started: node-1 never was.",
        )
        for name, samples in self.samples.items():
            table.add(name, *_row(samples))
        return table


def _row(samples: list[Sample]) -> tuple[str, ...]:
    memory = [each.proportional_kib / MIB for each in samples]
    half = samples[len(samples) // 2 :]
    growth = slope([(each.at, each.proportional_kib / MIB) for each in half]) * HOUR
    first, last = edges(memory)
    opened = edges([each.descriptors for each in samples])
    numbers = (first, last, max(memory), growth)
    return (*(f"{each:.1f}" for each in numbers), *(f"{each:.0f}" for each in opened))
