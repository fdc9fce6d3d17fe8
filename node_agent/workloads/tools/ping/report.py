"""ping's command line and output.

Pure: words and numbers in, values and text out. Source: ping(8) of iputils.
"""

import math
from collections.abc import Sequence
from dataclasses import field

from cluster.dataclass import dataclass
from node_agent.workloads.tools.options import UsageError, parse

HEADER_BYTES = 8  # ICMP's
IP_BYTES = 20
COUNT_MAX = 1_000_000
EXIT_USAGE, EXIT_SILENT = 2, 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What was given."""

    host: str
    count: int = 0  # 0 is until interrupted
    interval: float = 1.0
    wait: float = 10.0  # for one answer
    deadline: float = 0.0  # for all of it; 0 is none
    size: int = 56
    quiet: bool = False
    numeric: bool = False


def parse_ping(words: Sequence[str]) -> Wanted:
    """Read a command line; UsageError."""
    options = parse(words, "c:i:W:w:s:t:I:qnv46ADOUabdf", code=EXIT_USAGE)
    if len(options.operands) != 1:
        missing = "usage error: Destination address required"
        raise UsageError(missing if not options.operands else "usage error: one destination", 1)
    if "6" in options:
        raise UsageError("pods have IPv4 only", EXIT_USAGE)
    count = _number(options.value("c", "0"), "c", whole=True)
    if "c" in options and not 1 <= count <= COUNT_MAX:
        text = f"invalid argument: '{options.value('c')}': out of range: 1 <= value <= {COUNT_MAX}"
        raise UsageError(text, 1)
    return Wanted(
        host=options.operands[0],
        count=int(count),
        interval=max(0.002, _number(options.value("i", "1"), "i")),
        wait=max(0.001, _number(options.value("W", "10"), "W")),
        deadline=_number(options.value("w", "0"), "w"),
        size=min(65507, int(_number(options.value("s", "56"), "s", whole=True))),
        quiet="q" in options,
        numeric="n" in options,
    )


def _number(text: str, letter: str, *, whole: bool = False) -> float:
    try:
        number = int(text) if whole else float(text)
    except ValueError:
        raise UsageError(f"invalid argument: '{text}'", 1) from None
    if not math.isfinite(number) or number < 0:
        raise UsageError(f"bad value of -{letter}: '{text}'", 1)
    return min(number, 1e9)


def head(host: str, ip: str, size: int) -> str:
    """The first line."""
    return f"PING {host} ({ip}) {size}({size + HEADER_BYTES + IP_BYTES}) bytes of data.\n"


def answered(name: str, size: int, number: int, ttl: int, seconds: float) -> str:
    """An answer came."""
    milliseconds = seconds * 1000
    digits = 3 if milliseconds < 1 else 2 if milliseconds < 10 else 1 if milliseconds < 100 else 0
    return (
        f"{size + HEADER_BYTES} bytes from {name}: icmp_seq={number} ttl={ttl} "
        f"time={milliseconds:.{digits}f} ms\n"
    )


@dataclass(slots=True)
class Statistics:
    """What came of all of them."""

    sent: int = 0
    errors: int = 0
    times: list[float] = field(default_factory=list)  # seconds, of at most COUNT_MAX answers

    def text(self, host: str, seconds: float) -> str:
        """The last lines."""
        received = len(self.times)
        lost = 100 * (self.sent - received) / self.sent if self.sent else 0
        errors = f", +{self.errors} errors" if self.errors else ""
        lines = (
            f"\n--- {host} ping statistics ---\n"
            f"{self.sent} packets transmitted, {received} received{errors}, "
            f"{lost:.6g}% packet loss, time {int(seconds * 1000)}ms\n"
        )
        if not self.times:
            return lines + ("\n" if not self.errors else "")
        mean = sum(self.times) / received
        spread = math.sqrt(sum((each - mean) ** 2 for each in self.times) / received)
        values = (min(self.times), mean, max(self.times), spread)
        shown = "/".join(f"{each * 1000:.3f}" for each in values)
        return f"{lines}rtt min/avg/max/mdev = {shown} ms\n"
