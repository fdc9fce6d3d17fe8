"""Commands of containers: which of them a container can really run, and running them for probes.

A stand-in's program is not there, so neither is what that program would have made: a file, a
server. An exec probe or hook is therefore really run in a stand-in only where its outcome depends
on nothing of the kind; `kubectl exec` runs whatever it is given.
"""

from collections.abc import Sequence

from node_agent.workloads.images import toolbox
from node_agent.workloads.tools.names import TOOLS
from node_agent.workloads.tools.process import Bytes, Captured
from node_agent.workloads.workload import EXIT_NOT_FOUND, ContainerContext, ExecResult

SHELLS = ("sh", "bash", "ash", "dash")
INDEPENDENT = frozenset({"true", ":", "false", "sleep", "exit", "echo", "printf", "set"})
OUTPUT_BYTES_MAX = 64 * 1024


async def execute(ctx: ContainerContext, command: Sequence[str]) -> ExecResult:
    """Run a command in a container for a probe or a hook; output and errors together."""
    if ctx.commands is None or not command:
        name = command[0] if command else ""
        return ExecResult(EXIT_NOT_FOUND, f'exec: "{name}": executable file not found in $PATH')
    said = Captured(OUTPUT_BYTES_MAX)
    code = await ctx.commands.run(command, stdin=Bytes(), stdout=said, stderr=said)
    return ExecResult(code, said.text)


def independent(command: Sequence[str]) -> bool:
    """Whether a command's outcome depends on nothing that the container's program would make."""
    names = _names(command)
    return names is not None and names <= INDEPENDENT


def program(image: str, command: Sequence[str], args: Sequence[str]) -> tuple[str, ...] | None:
    """The words that a container runs as its program, if tools can be it; None otherwise."""
    box = toolbox(image)
    if box is None:
        words = (*command, *args)
        return words if command and _runnable(words) else None
    entry, default = box
    if command:
        return (*command, *args)
    if args and (not entry or _name(args[0]) in TOOLS):
        return tuple(args)
    return (*entry, *(args or default))


def _runnable(words: Sequence[str]) -> bool:
    """Whether every command that words lead to is one that is there."""
    names = _names(words)
    return bool(names) and all(name in TOOLS for name in names or ())


def _names(words: Sequence[str]) -> frozenset[str] | None:
    """The names of all commands in words, also in `sh -c TEXT`; None where they are not known."""
    name = _name(words[0]) if words else ""
    if name not in SHELLS:
        return frozenset({name}) if name else None
    script = _script(words[1:])
    if script is None:
        return None
    from node_agent.workloads.tools.shell.names import command_names

    return command_names(script)


def _script(options: Sequence[str]) -> str | None:
    """The text of `sh -c TEXT`, also of `sh -ec TEXT`."""
    for index, word in enumerate(options):
        if not word.startswith("-"):
            return None
        if word.endswith("c") and index + 1 < len(options):
            return options[index + 1]
    return None


def _name(word: str) -> str:
    return word.rsplit("/", 1)[-1]
