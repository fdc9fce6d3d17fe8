"""`trap`, `wait` and `jobs`: signals, and what runs in the background."""

import asyncio
import signal
from collections.abc import Sequence

from node_agent.workloads.tools import running
from node_agent.workloads.tools.shell.redirection import Streams
from node_agent.workloads.tools.shell.shell import Shell
from node_agent.workloads.tools.signals import NUMBERS as SIGNALS


def quoted(text: str) -> str:
    """A value as it can be typed again."""
    return "'" + text.replace("'", "'\\''") + "'"


async def trap(shell: Shell, words: Sequence[str], streams: Streams) -> int:
    """Commands for when a signal comes, or the shell ends."""
    operands = [each for each in words[1:] if each != "--"]
    if not operands:
        for name, text in sorted(shell.traps.items()):
            await streams.write(1, f"trap -- {quoted(text)} {name}\n")
        return 0
    text = operands[0]
    names = operands[1:] or operands
    for each in names:
        name = _signal_name(each)
        if not name:
            return await shell.say(f"trap: {each}: invalid signal specification", 1)
        if text == "-" or len(operands) == 1:
            shell.traps.pop(name, None)
        else:
            shell.traps[name] = text
        _set_handler(shell, name)
    return 0


def _signal_name(text: str) -> str:
    name = text.upper().removeprefix("SIG")
    if name in ("EXIT", "0"):
        return "EXIT"
    if name.isdecimal():
        return next((each for each, number in SIGNALS.items() if number == int(name)), "")
    return name if name in SIGNALS else ""


def _set_handler(shell: Shell, name: str) -> None:
    """A signal that is trapped: its commands run before the next command does."""
    if name == "EXIT":
        return
    number, process = SIGNALS[name], shell.process
    process.handlers.pop(number, None)
    process.ignored = process.ignored - {number}
    loop = asyncio.get_running_loop()
    main = process.pid == 1 and number not in (signal.SIGKILL, signal.SIGSTOP)
    if name not in shell.traps:
        if main:
            loop.remove_signal_handler(number)
        return
    if not shell.traps[name]:
        process.ignored = process.ignored | {number}
    else:
        process.handlers[number] = lambda _: shell.interrupt(name)
    if main:
        loop.add_signal_handler(number, process.signal, number)


async def wait(shell: Shell, words: Sequence[str], streams: Streams) -> int:
    """Until background jobs have ended; the status of the last."""
    wanted = [int(each.lstrip("%")) for each in words[1:] if each.lstrip("%").isdecimal()]
    status = 0
    for pid in wanted or list(shell.jobs):
        job = shell.jobs.get(pid)
        if job is None:
            status = 127
            continue
        status = await shell.interruptible(running.finished(*job))
        shell.jobs.pop(pid, None)
    return status if wanted else 0


async def jobs(shell: Shell, words: Sequence[str], streams: Streams) -> int:
    """What runs in the background."""
    for number, (pid, (_, task)) in enumerate(shell.jobs.items(), 1):
        state = "Done" if task.done() else "Running"
        await streams.write(1, f"[{number}]   {pid} {state}\n")
    return 0
