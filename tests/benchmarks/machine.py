"""What the numbers were measured on, and with."""

import os
import platform
import subprocess
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

QUIET_MOMENT_SECONDS = 0.5
BUSY_PART_MAX = 0.1
PACKAGES = ("aiohttp", "uvloop", "msgpack", "orjson", "cryptography")


def described() -> dict[str, str]:
    """Machine and versions."""
    return {
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "memory": f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "packages": ", ".join(f"{name} {version(name)}" for name in PACKAGES),
        "kubehop": f"{version('kubehop')}, commit {_commit()}",
    }


class Quiet:
    """Waits before each round until nothing else runs, for a while, and counts how often it did."""

    seconds_max = 4.0  # for each round

    def __init__(self) -> None:
        self._rounds = 0
        self._idle = 0

    def wait(self) -> None:
        """Return when the processors have been idle for a moment, or the time is up."""
        ends = time.monotonic() + self.seconds_max
        self._rounds += 1
        while time.monotonic() < ends:
            if _busy(QUIET_MOMENT_SECONDS) < BUSY_PART_MAX:
                self._idle += 1
                return

    def __str__(self) -> str:
        return f"{self._idle} of {self._rounds} rounds began on idle processors."


@dataclass(frozen=True, slots=True)
class Spent:
    """The machine's time so far, in ticks."""

    total: int
    programs: int  # user and system; what interrupts take is nobody's
    steal: int

    @classmethod
    def now(cls) -> "Spent":
        """As the system tells; zeros where it does not."""
        ticks = _ticks() or [0] * 8
        return cls(sum(ticks[:8]), sum(ticks[:3]), ticks[7])

    def since(self, before: "Spent", ours: float) -> tuple[float, float]:
        """The parts of the machine that others had meanwhile, and that it did not get."""
        total = max(self.total - before.total, 1)
        foreign = self.programs - before.programs - ours * os.sysconf("SC_CLK_TCK")
        return max(foreign, 0.0) / total, (self.steal - before.steal) / total


def _busy(seconds: float) -> float:
    """The part of all processors' time that was not idle; 0 where the system does not tell."""
    before = _ticks()
    time.sleep(seconds)
    after = _ticks()
    spent = [now - then for then, now in zip(before, after, strict=True)]
    return 1 - (spent[3] + spent[4]) / sum(spent) if sum(spent) else 0.0


def _ticks() -> list[int]:
    try:
        return [int(each) for each in Path("/proc/stat").read_text().split("\n")[0].split()[1:]]
    except OSError:
        return []


def load_average() -> str:
    """Of the last minute: how busy the machine was with anything at all."""
    return f"{os.getloadavg()[0]:.2f}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _commit() -> str:
    ran = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return ran.stdout.strip() or "unknown"
