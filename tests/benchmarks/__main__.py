"""Measures and writes down what came of it; asserts nothing.

python -m tests.benchmarks                         everything, to docs/benchmarks.md
python -m tests.benchmarks --smoke -o FILE         tiny rounds: that it runs at all
python -m tests.benchmarks --only start            to the terminal alone
"""

import argparse
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from tests.benchmarks import api, machine, memory, request, start
from tests.benchmarks.table import Table

HERE = Path(__file__).parent
DOCUMENT = HERE.parent.parent / "docs" / "benchmarks.md"
ROUNDS = 7
REQUESTS = 4000


def main() -> int:
    """Run what was asked for; the exit status."""
    options = _parser().parse_args()
    rounds, requests = (1, 40) if options.smoke else (options.rounds, REQUESTS)
    nodes = 1 if options.smoke else 3
    api_size = api.Size.smoke() if options.smoke else api.Size(rounds)
    if options.smoke:
        machine.Quiet.seconds_max = 0.0
    before = machine.load_average()
    tables: list[Table] = []
    with tempfile.TemporaryDirectory(prefix="kb-") as scratch:
        directory = Path(scratch)
        benchmarks: dict[str, Callable[[], list[Table]]] = {
            "start": lambda: start.measure(directory, rounds, nodes),
            "memory": lambda: memory.measure(directory, (1,) if options.smoke else (3, 30)),
            "request": lambda: request.measure(directory, rounds, requests, nodes),
            "api": lambda: api.measure(directory, api_size),
        }
        for name in options.only or benchmarks:
            for table in benchmarks[name]():
                print(table.text(), flush=True)
                tables.append(table)
    if options.output or not (options.only or options.smoke):
        (options.output or DOCUMENT).write_text(document(tables, rounds, before))
    return 0


def document(tables: list[Table], rounds: int, load_before: str) -> str:
    """docs/benchmarks.md."""
    facts = machine.described() | {
        "measured": f"{datetime.now(UTC):%Y-%m-%d}, {rounds} rounds, medians",
        "load average": f"{load_before} before, {machine.load_average()} after, by this too",
    }
    return "\n".join(
        [
            "# Benchmarks",
            "",
            "Written by `make bench` (`python -m tests.benchmarks`); no test asserts a number.",
            "",
            *(f"- {name}: {value}" for name, value in facts.items()),
            "",
            (HERE / "method.md").read_text(),
            *(table.markdown() for table in tables),
            (HERE / "reading.md").read_text().rstrip(),
            "",
        ]
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    add = parser.add_argument
    add("--only", action="append", choices=["start", "memory", "request", "api"], help="just these")
    add("--rounds", type=int, default=ROUNDS, help="at least 5 for a document (default: 7)")
    add("--smoke", action="store_true", help="tiny rounds: that everything runs")
    add("-o", "--output", type=Path, help="write the document here")
    return parser


if __name__ == "__main__":
    sys.exit(main())
