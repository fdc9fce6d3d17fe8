"""The few commands that containers know of themselves, for exec probes and hooks.

`sleep`, `true` and `false`, also as one plain command of `sh -c`. Anything else is not found, as in
an image that does not hold it. What `kubectl exec` finds belongs here too, one tool a file.
"""

import asyncio
import shlex
from collections.abc import Sequence

from node_agent.workloads.workload import EXIT_NOT_FOUND, ExecResult

SHELLS = ("sh", "bash", "ash")
SHELL_SYNTAX = frozenset(";&|<>$`(){}*?\\\n")


async def execute(command: Sequence[str], *, scale: float = 1.0) -> ExecResult:
    """Run a command; the exit codes are those of a shell."""
    words = _plain(command)
    name = words[0].rsplit("/", 1)[-1] if words else ""
    match name, words[1:]:
        case "true" | ":", _:
            return ExecResult(0)
        case "false", _:
            return ExecResult(1)
        case "sleep", ["infinity"]:
            await asyncio.get_running_loop().create_future()
        case "sleep", [seconds] if _number(seconds):
            await asyncio.sleep(float(seconds) * scale)
            return ExecResult(0)
    text = f'exec: "{words[0] if words else ""}": executable file not found in $PATH'
    return ExecResult(EXIT_NOT_FOUND, text)


def known(command: Sequence[str]) -> bool:
    """Whether `execute` can really run it."""
    words = _plain(command)
    return bool(words) and words[0].rsplit("/", 1)[-1] in ("true", ":", "false", "sleep")


def _plain(command: Sequence[str]) -> list[str]:
    """The words of a command, out of `sh -c "..."` where that is one plain command."""
    words = list(command)
    match words:
        case [shell, "-c", text] if shell.rsplit("/", 1)[-1] in SHELLS and SHELL_SYNTAX.isdisjoint(
            text
        ):
            try:
                return shlex.split(text)
            except ValueError:
                return words
    return words


def _number(text: str) -> bool:
    try:
        return float(text) >= 0
    except ValueError:
        return False
