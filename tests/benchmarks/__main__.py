"""Measures and writes down what came of it; asserts nothing.

python -m tests.benchmarks                         everything, to docs/benchmarks.md
python -m tests.benchmarks --smoke -o FILE         tiny rounds: that it runs at all
python -m tests.benchmarks --only start            to the terminal alone

Tables are printed, and the document is written anew, as soon as there is one more: a run that is
ended early has written what it measured. The first parts are the ones that matter most.
"""

import argparse
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

from tests.benchmarks import (
    api,
    datagrams,
    decisions,
    document,
    machine,
    many_nodes,
    memory,
    names,
    namespace,
    paths,
    relays,
    start,
)
from tests.benchmarks.load import generator
from tests.benchmarks.table import Table

PARTS = ("paths", "datagrams", "names", "start", "memory", "many", "decisions", "api", "relays")
ROUNDS = 5
Part = Callable[[Path], Iterable[Table]]


def main() -> int:
    """Run what was asked for; the exit status."""
    options = _parser().parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))  # what was started is ended on the way out
    own_network = namespace.enter()
    namespace.raise_limits()
    writes = options.output or not (options.only or options.smoke)
    path = document.default_or(options.output) if writes else None
    facts = _facts(options.rounds, own_network)
    tables: list[Table] = []
    failed: list[str] = []
    with tempfile.TemporaryDirectory(prefix="kb-") as scratch:
        for name, part in _parts(options).items():
            if options.only and name not in options.only:
                continue
            directory = Path(scratch) / name
            directory.mkdir()
            try:
                for table in part(directory):
                    print(table.text(), flush=True)
                    tables.append(table)
                    if path:
                        document.write(path, facts | _after(), tables)
            except Exception:  # the other parts may still be measured
                traceback.print_exc()
                failed.append(name)
    if failed:
        print(f"error: not measured whole: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def _parts(options: argparse.Namespace) -> dict[str, Part]:
    """By name, those first that matter most."""
    smoke, rounds = options.smoke, 1 if options.smoke else options.rounds
    if smoke:
        machine.Quiet.seconds_max = 0.0
    size = paths.Size.smoke() if smoke else paths.Size(rounds)
    api_size = api.Size.smoke() if smoke else api.Size(rounds)
    datagram_size = datagrams.Size.smoke() if smoke else datagrams.Size(rounds)
    many_size = many_nodes.Size.smoke() if smoke else many_nodes.Size()
    names_size = names.Size.smoke() if smoke else names.Size(rounds)
    return {
        "paths": lambda directory: paths.measure(directory, size),
        "datagrams": lambda directory: datagrams.measure(directory, datagram_size),
        "names": lambda directory: names.measure(directory, names_size),
        "start": lambda directory: start.measure(directory, rounds, 1 if smoke else 3),
        "memory": lambda directory: memory.measure(directory, (1,) if smoke else (3, 30)),
        "many": lambda directory: many_nodes.measure(directory, many_size),
        "decisions": lambda directory: decisions.measure(directory, rounds, smoke=smoke),
        "api": lambda directory: api.measure(directory, api_size),
        "relays": lambda directory: relays.measure(directory, size),
    }


def _facts(rounds: int, own_network: bool) -> dict[str, str]:
    return machine.described() | {
        "network": namespace.described(own_network),
        "compared with": document.peers(),
        "load": generator(),
        "measured": f"{datetime.now(UTC):%Y-%m-%d}, {rounds} rounds, medians",
        "load average before": machine.load_average(),
    }


def _after() -> dict[str, str]:
    return {"load average after": f"{machine.load_average()}, by this too"}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    add = parser.add_argument
    add("--only", action="append", choices=PARTS, help="just these")
    add("--rounds", type=int, default=ROUNDS, help="at least 5 for a document (default: 5)")
    add("--smoke", action="store_true", help="tiny rounds: that everything runs")
    add("-o", "--output", type=Path, help="write the document here")
    return parser


if __name__ == "__main__":
    sys.exit(main())
