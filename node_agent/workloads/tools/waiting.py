"""`sleep`, `timeout`, `time`, `nohup`: commands about time and about other commands."""

import asyncio
import re
import signal
import time as clock

from node_agent.workloads.tools import running
from node_agent.workloads.tools.options import UsageError, parse
from node_agent.workloads.tools.process import Process
from node_agent.workloads.tools.signals import number_of

UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SECONDS = re.compile(r"(\d+\.?\d*|\.\d+)([smhd]?)")
SECONDS_MAX = 10 * 365 * 86400.0
EXIT_TIMED_OUT = 124
EXIT_TROUBLE = 125


def seconds_of(text: str) -> float:
    """`5`, `0.5`, `2m`, `infinity`."""
    if text in ("infinity", "inf"):
        return SECONDS_MAX
    found = _SECONDS.fullmatch(text)
    if found is None:
        raise UsageError(f"invalid time interval '{text}'")
    return min(float(found[1]) * UNITS[found[2]], SECONDS_MAX)


async def sleep(process: Process) -> int:
    """Wait for the sum of the times."""
    operands = parse(process.arguments).operands
    if not operands:
        raise UsageError("missing operand")
    total = sum(seconds_of(each) for each in operands)
    await asyncio.sleep(min(total, SECONDS_MAX) * process.ctx.time_scale)
    return 0


async def timeout(process: Process) -> int:
    """Run a command for so long and no longer."""
    options = parse(process.arguments, "s:k:t:", "signal:=s kill-after:=k", mixed=False)
    words = list(options.operands)
    limit = options.value("t") or (words.pop(0) if words else "")
    if not words:
        raise UsageError("missing operand", EXIT_TROUBLE)
    number = number_of(options.value("s", "TERM"))
    child = process.fork(words)
    task = running.start(child)
    seconds = seconds_of(limit) * process.ctx.time_scale
    try:
        done, _ = await asyncio.wait([task], timeout=seconds or None)
        if done:
            return await running.finished(child, task)
        child.signal(number)
        await asyncio.wait([task])
        return EXIT_TIMED_OUT
    finally:
        if not task.done():
            child.signal(signal.SIGKILL)
            await asyncio.wait([task])


async def time(process: Process) -> int:
    """Run a command and tell how long it took."""
    words = parse(process.arguments, "p", mixed=False).operands
    started = clock.monotonic()
    status = await running.run(process.fork(words)) if words else 0
    minutes, seconds = divmod(clock.monotonic() - started, 60)
    took = f"real\t{int(minutes)}m {seconds:.2f}s\nuser\t0m 0.00s\nsys\t0m 0.00s\n"
    await process.stderr.write(took.encode())
    return status


async def nohup(process: Process) -> int:
    """Run a command that the end of its terminal does not end."""
    if not process.arguments:
        raise UsageError("missing operand")
    child = process.fork(process.arguments)
    child.ignored = child.ignored | {signal.SIGHUP}
    return await running.run(child)
