"""docs/benchmarks.md, from the tables that there are so far."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.benchmarks import goals
from tests.benchmarks.peers import chains, configurations, dnsperf, programs, responder, wrk
from tests.benchmarks.table import Table

HERE = Path(__file__).parent
DOCUMENT = HERE.parent.parent / "docs" / "benchmarks.md"
SOAK, SOAK_HEADING = HERE / "soak.md", "## Soak"
_LISTEN, _TARGET = ("127.0.0.1", 20_001), ("127.0.0.1", 20_000)
_BALANCER = ("127.65.1.1", 8080)


def write(path: Path, facts: Mapping[str, str], tables: Sequence[Table]) -> None:
    """Put it there whole, in place of what was there."""
    partial = path.with_name(f".{path.name}")
    partial.write_text(text(facts, tables))
    partial.replace(path)


def text(facts: Mapping[str, str], tables: Sequence[Table]) -> str:
    """All of it."""
    return "\n".join(
        [
            "# Benchmarks",
            "",
            "Written by `make bench` (`python -m tests.benchmarks`); no test asserts a number.",
            "To repeat it: `make bench` on an idle machine, as root so that it installs what it",
            'compares with; `make bench BENCH_ARGS="--only paths"` prints one part of it alone.',
            "",
            *(f"- {name}: {value}" for name, value in facts.items()),
            "",
            goals.table(goals.gathered(tables)).markdown(heading="##"),
            (HERE / "method.md").read_text(),
            _commands(),
            "## Results",
            "",
            *(table.markdown() for table in tables),
            (HERE / "reading.md").read_text().rstrip(),
            "",
            *_soak(),
        ]
    )


def _soak() -> list[str]:
    """What the soak wrote when it ran last; it takes too long to run with the others."""
    return [SOAK.read_text()] if SOAK.exists() else []


def with_soak() -> None:
    """Put what the soak has found in the place of what it found before; the rest stays."""
    before, _, _ = DOCUMENT.read_text().partition(f"{SOAK_HEADING}\n")
    DOCUMENT.write_text("\n".join([before.rstrip(), "", *_soak()]))


def peers() -> str:
    """Who is compared with, of which version, and who could not be."""
    there = [f"{name} {version}" for name, version in programs.versions().items()]
    missing = [f"{name} is not installed" for name in programs.missing()]
    return ", ".join([*there, *missing])


def _commands() -> str:
    """The peers' commands and settings, as one of each chain is started."""
    blocks = {
        "haproxy -db -f FILE": configurations.haproxy(_LISTEN, _TARGET),
        "nginx -e stderr -p DIRECTORY -c FILE": configurations.nginx(
            _LISTEN, _TARGET, str(programs.NGINX_STREAM), "nginx.pid"
        ),
        "envoy --concurrency 1 --disable-hot-restart --log-level error -c FILE": (
            configurations.envoy(_LISTEN, _TARGET) + "\n"
        ),
        "envoy, for datagrams": configurations.envoy_udp(_LISTEN, _TARGET) + "\n",
    }
    shown = [f"`{name}`:\n\n```\n{block}```\n" for name, block in blocks.items()]
    return "\n".join(["### Commands", "", f"```\n{_as_typed()}```\n", *shown])


def _as_typed() -> str:
    lines = [
        wrk.command_line(_BALANCER, 32, 2),
        wrk.command_line(_BALANCER, 128, 2),
        wrk.command_line(_BALANCER, 32, 2, close=True),
        chains.socat_line(_LISTEN, _TARGET),
        dnsperf.command_line(_LISTEN, "FILE", 2, edns=False),
        responder.command_line("FILE", _LISTEN[1]),
    ]
    return "".join(f"{' '.join(words)}\n" for words in lines).replace(
        "Connection: close", '"Connection: close"'
    )


def default_or(path: Path | None) -> Path:
    """Where it is written; the directory must be there."""
    chosen = path or DOCUMENT
    if not os.access(chosen.parent, os.W_OK):
        raise SystemExit(f"error: {chosen.parent} cannot be written to")
    return chosen
