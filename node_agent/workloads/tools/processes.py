"""`ps`, `kill`, `pidof`, `uptime`: the container's processes."""

import time

from node_agent.workloads.tools.options import UsageError, parse
from node_agent.workloads.tools.process import Process
from node_agent.workloads.tools.signals import NUMBERS, name_of, number_of
from node_agent.workloads.workload import EXIT_FAILED

MAIN = 1
DAY, HOUR, MINUTE = 86400, 3600, 60


async def ps(process: Process) -> int:
    """Process 1 and the commands that run beside it."""
    full = any("f" in each or "u" in each for each in process.arguments[:1])
    rows = [_Row(MAIN, 0, _main_command(process), "")]
    for each in process.table.all():
        tty = "pts/0" if each.tty else "?"
        row = _Row(each.pid, each.parent, " ".join(each.argv), tty)
        rows = [row, *rows[1:]] if each.pid == MAIN else [*rows, row]
    if full:
        lines = [f"{'UID':8} {'PID':>7} {'PPID':>7} {'TTY':8} CMD"]
        lines += [
            f"{'root':8} {row.pid:7} {row.parent:7} {row.tty:8} {row.command}" for row in rows
        ]
    else:
        lines = ["PID   USER     TIME  COMMAND"]
        lines += [f"{row.pid:5} {'root':8}  0:00 {row.command}" for row in rows]
    await process.write("\n".join(lines) + "\n")
    return 0


class _Row:
    __slots__ = ("command", "parent", "pid", "tty")

    def __init__(self, pid: int, parent: int, command: str, tty: str) -> None:
        self.pid, self.parent, self.command, self.tty = pid, parent, command, tty


def _main_command(process: Process) -> str:
    return " ".join(process.ctx.words) or process.ctx.image


async def kill(process: Process) -> int:
    """Send a signal to commands of this container; process 1 is its program."""
    words = list(process.arguments)
    if words[:1] == ["-l"]:
        names = [name_of(int(each)) for each in words[1:] if each.isdecimal()] or list(NUMBERS)
        await process.write("\n".join(names) + "\n")
        return 0
    number = NUMBERS["TERM"]
    if words and words[0] in ("-s", "-n") and len(words) > 1:
        number, words = number_of(words[1]), words[2:]
    elif words and words[0].startswith("-") and words[0] != "--":
        number, words = number_of(words[0][1:]), words[1:]
    words = [each for each in words if each != "--"]
    if not words:
        raise UsageError("you need to specify whom to kill")
    return max([await _signal(process, each, number) for each in words])


async def _signal(process: Process, word: str, number: int) -> int:
    pid = int(word) if word.lstrip("-").isdecimal() else 0
    found = process.table.find(abs(pid))
    if found is not None:
        found.signal(number)
    elif pid == MAIN:
        if number and process.ctx.commands is not None:
            process.ctx.commands.signal_program(number)
    else:
        what = "No such process" if pid else "invalid number"
        await process.complain(f"can't kill pid {word}: {what}")
        return EXIT_FAILED
    return 0


async def pidof(process: Process) -> int:
    """The numbers of the commands with a name."""
    names = parse(process.arguments, "s").operands
    found = [each.pid for each in process.table.all() if each.name in names]
    if _main_command(process).partition(" ")[0].rpartition("/")[2] in names and MAIN not in found:
        found.append(MAIN)
    if found:
        await process.write(" ".join(str(pid) for pid in sorted(found, reverse=True)) + "\n")
    return 0 if found else EXIT_FAILED


async def uptime(process: Process) -> int:
    """How long the container has been running."""
    from node_agent.workloads.tools.running import files_of

    seconds = int(float(files_of(process).read("/proc/uptime").split()[0]))
    load = files_of(process).read("/proc/loadavg").decode().split()[:3]
    days, rest = divmod(seconds, DAY)
    up = (f"{days} days, " if days else "") + f"{rest // HOUR:2d}:{rest % HOUR // MINUTE:02d}"
    now = time.strftime("%H:%M:%S", time.gmtime())
    await process.write(f" {now} up {up},  load average: {', '.join(load)}\n")
    return 0
