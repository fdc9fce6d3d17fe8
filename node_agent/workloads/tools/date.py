"""`date [-u] [-d TEXT] [-I[SPEC]] [-R] [+FORMAT]`: the time in the container, which is UTC."""

import re
import time
from datetime import UTC, datetime, timedelta

from node_agent.workloads.tools.options import Options, UsageError, parse
from node_agent.workloads.tools.process import Process
from node_agent.workloads.tools.running import files_of

DEFAULT = "%a %b %e %H:%M:%S UTC %Y"
ISO = {"": "%Y-%m-%d", "date": "%Y-%m-%d", "hours": "%Y-%m-%dT%H+00:00",
       "minutes": "%Y-%m-%dT%H:%M+00:00", "seconds": "%Y-%m-%dT%H:%M:%S+00:00",
       "ns": "%Y-%m-%dT%H:%M:%S,%N+00:00"}  # fmt: skip
UNITS = {"second": 1, "sec": 1, "minute": 60, "min": 60, "hour": 3600, "day": 86400, "week": 604800}


async def run(process: Process) -> int:
    """Tell the time."""
    words, iso = [], None
    for word in process.arguments:
        spec = re.fullmatch(r"-I(\w*)|--iso-8601(?:=(\w+))?", word)
        if spec is not None:
            iso = spec[1] or spec[2] or ""
        else:
            words.append(word)
    options = parse(
        words, "ud:Rr:s:", "utc=u universal=u date:=d rfc-email=R rfc-2822=R reference:=r"
    )
    if "s" in options:
        raise UsageError("cannot set date: Operation not permitted")
    moment = _moment(process, options)
    layout = next((each[1:] for each in options.operands if each.startswith("+")), DEFAULT)
    if any(not each.startswith("+") for each in options.operands):
        raise UsageError(f"invalid date '{options.operands[0]}'")
    if iso is not None:
        layout = ISO.get(iso, ISO["date"])
    elif "R" in options:
        layout = "%a, %d %b %Y %H:%M:%S +0000"
    await process.write(formatted(moment, layout) + "\n")
    return 0


def formatted(moment: datetime, layout: str) -> str:
    """A time in a layout of strftime, with GNU's %N and %s."""
    layout = layout.replace("%N", f"{moment.microsecond:06d}000")
    layout = re.sub(r"%(\d)N", lambda found: f"{moment.microsecond:06d}"[: int(found[1])], layout)
    layout = layout.replace("%s", str(int(moment.timestamp()))).replace("%:z", "+00:00")
    return moment.strftime(layout)


def _moment(process: Process, options: Options) -> datetime:
    if "r" in options:
        found = files_of(process).stat(options.value("r"))
        return datetime.fromtimestamp(found.st_mtime, UTC)
    now = datetime.fromtimestamp(time.time(), UTC)
    return parsed(options.value("d"), now) if "d" in options else now


def parsed(text: str, now: datetime) -> datetime:
    """`@123`, `2024-05-01 10:00`, `yesterday`, `2 days ago`, `+1 hour`."""
    words = text.strip().lower()
    if words.startswith("@"):
        return datetime.fromtimestamp(float(words[1:]), UTC)
    known = {"now": 0, "": 0, "today": 0, "yesterday": -86400, "tomorrow": 86400}
    if words in known:
        return now + timedelta(seconds=known[words])
    relative = re.fullmatch(r"([-+]?\d+) *([a-z]+?)s?( ago)?", words)
    if relative is not None and relative[2] in UNITS:
        seconds = int(relative[1]) * UNITS[relative[2]]
        return now + timedelta(seconds=-seconds if relative[3] else seconds)
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise UsageError(f"invalid date '{text}'") from None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
