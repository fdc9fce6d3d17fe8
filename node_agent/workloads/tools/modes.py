"""A file's mode as `ls -l` and `chmod` write it; times as `ls -l` does.

Pure: numbers and texts.
"""

import re
import stat
from datetime import UTC, datetime

from node_agent.workloads.tools.options import UsageError

UNITS = " KMGTP"
HALF_A_YEAR = 15778476
WHO = {"u": 0o700, "g": 0o070, "o": 0o007, "a": 0o777}
WHAT = {"r": 0o444, "w": 0o222, "x": 0o111, "X": 0o111, "t": 0o1000, "s": 0}


def mode_text(mode: int) -> str:
    """`drwxr-xr-x`."""
    return stat.filemode(mode)


def changed(mode: int, text: str, *, directory: bool = False) -> int:
    """The mode after `755` or `u+x,go-w`."""
    if re.fullmatch(r"[0-7]{1,4}", text):
        return int(text, 8)
    for clause in text.split(","):
        found = re.fullmatch(r"([ugoa]*)((?:[-+=][rwxXst]*)+)", clause)
        if found is None:
            raise UsageError(f"invalid mode: '{text}'")
        who = 0
        for each in found[1] or "a":
            who |= WHO[each]
        for operator, letters in re.findall(r"([-+=])([rwxXst]*)", found[2]):
            bits = 0
            for letter in letters:
                if letter == "X" and not (directory or mode & 0o111):
                    continue
                bits |= WHAT[letter] & (who | 0o1000)
            mode = _applied(mode, operator, bits, who)
    return mode


def _applied(mode: int, operator: str, bits: int, who: int) -> int:
    match operator:
        case "+":
            return mode | bits
        case "-":
            return mode & ~bits
    return (mode & ~who) | bits


def time_text(at: float, now: float) -> str:
    """`Nov 25 06:30`, or with the year for what is long ago."""
    moment = datetime.fromtimestamp(at, UTC)
    layout = "%b %e %H:%M" if -60 < now - at < HALF_A_YEAR else "%b %e  %Y"
    return moment.strftime(layout)


def size_text(size: int) -> str:
    """`1.5K`, as -h shows sizes."""
    if size < 1024:
        return str(size)
    value, unit = float(size), 0
    while value >= 1024 and unit < len(UNITS) - 1:
        value, unit = value / 1024, unit + 1
    shown = f"{value:.1f}" if value < 9.95 else f"{value:.0f}"
    return shown + UNITS[unit]
