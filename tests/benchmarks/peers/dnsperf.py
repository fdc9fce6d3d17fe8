"""dnsperf: a load generator for name servers, and what it says."""

import os
import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.peers.ports import Address
from tests.benchmarks.peers.programs import needed

CLIENTS, OUTSTANDING = 8, 100
SECONDS_MAX = 10
_COMPLETED = re.compile(r"Queries completed: +(\d+)")
_LOST = re.compile(r"Queries lost: +(\d+)")
_RATE = re.compile(r"Queries per second: +([\d.]+)")
_CODES = re.compile(r"Response codes: +(.+)")
_CODE = re.compile(r"(\w+) (\d+)")


@dataclass(frozen=True, slots=True)
class Dnsperf:
    """What came of one run."""

    completed: int
    per_second: float
    lost: int  # without an answer in time, or answered with anything but NOERROR
    cpu: float  # its own, seconds


def written(names: Iterable[str], path: Path) -> Path:
    """A file of questions: the address of each name."""
    path.write_text("".join(f"{name} A\n" for name in names))
    return path


def dnsperf(address: Address, questions: Path, seconds: int, *, edns: bool) -> Dnsperf:
    """Ask the questions over and over for so long, on one thread."""
    if not address[0].startswith("127."):
        raise ValueError(f"{address[0]} is not of this machine")
    if seconds > SECONDS_MAX:
        raise ValueError(f"{seconds} s: too long")
    command = command_line(address, str(questions), seconds, edns=edns)
    process = subprocess.Popen(
        [needed("dnsperf"), *command[1:]], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert process.stdout is not None
    with process.stdout as output:
        said = output.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)}: {said}")
    return parse(said, usage.ru_utime + usage.ru_stime)


def command_line(address: Address, questions: str, seconds: int, *, edns: bool) -> list[str]:
    """As it stands in the document."""
    how = ["-T", "1", "-c", str(CLIENTS), "-q", str(OUTSTANDING), "-l", str(seconds)]
    where = ["-s", address[0], "-p", str(address[1])]
    return ["dnsperf", *where, "-d", questions, *how, *(["-e"] if edns else [])]


def parse(said: str, cpu: float) -> Dnsperf:
    """Its words as numbers."""
    completed, lost, rate = _COMPLETED.search(said), _LOST.search(said), _RATE.search(said)
    if completed is None or lost is None or rate is None:
        raise RuntimeError(f"dnsperf said: {said}")
    codes = _CODES.search(said)
    answered = dict(_CODE.findall(codes[1])) if codes else {}
    wrong = sum(int(count) for code, count in answered.items() if code != "NOERROR")
    return Dnsperf(
        completed=int(completed[1]),
        per_second=float(rate[1]),
        lost=int(lost[1]) + wrong,
        cpu=cpu,
    )
