"""`sh`: a script from its words, from a file, from standard input, or from a person.

sh [-eufx] [-o OPTION] -c SCRIPT [NAME [ARGUMENT]...]
sh [-eufx] [FILE [ARGUMENT]...]
sh -i        a prompt; also without words on a terminal
"""

import asyncio
import re
from collections.abc import Coroutine
from typing import Any

from node_agent.workloads.tools.options import UsageError
from node_agent.workloads.tools.process import SIGNALLED, Process
from node_agent.workloads.tools.running import spoken
from node_agent.workloads.tools.shell.builtins import OPTIONS, builtins, set_options
from node_agent.workloads.tools.shell.expansion import ExpansionFault
from node_agent.workloads.tools.shell.parser import parse
from node_agent.workloads.tools.shell.shell import Shell
from node_agent.workloads.tools.shell.state import Exit, Leave
from node_agent.workloads.tools.shell.syntax import Incomplete, ShellSyntaxError
from node_agent.workloads.tools.terminal import Interrupted, Terminal

EXIT_SYNTAX = 2
HISTORY_MAX = 500
PROMPT, CONTINUED = "\\w \\$ ", "> "


async def run(process: Process) -> int:
    """Run a shell to its end."""
    shell = Shell(process, builtins())
    words = list(process.arguments)
    takes_script = _options(shell, words)
    if takes_script:
        if not words:
            raise UsageError("-c requires an argument", EXIT_SYNTAX)
        script = words.pop(0)
        shell.name = words.pop(0) if words else process.argv[0]
        shell.positional = words
        return await _ended(shell, _text(shell, script))
    if words and "s" not in shell.options:
        return await _file(shell, words)
    shell.name, shell.positional = process.argv[0], words
    terminal = process.terminal
    if "i" in shell.options or (terminal is not None and process.stdin is terminal):
        return await _ended(shell, _interactive(shell, terminal))
    return await _ended(shell, _lines(shell))


def _options(shell: Shell, words: list[str]) -> bool:
    """Take the options off the words; whether -c is among them."""
    takes_script = False
    while words and words[0][:1] in ("-", "+") and len(words[0]) > 1:
        word = words.pop(0)
        if word == "--":
            break
        if word in ("--login", "--norc", "--noprofile", "--posix"):
            continue
        letters = word[1:]
        takes_script = takes_script or "c" in letters
        if "o" in letters and words:
            letters = letters.replace("o", "") + OPTIONS.get(words.pop(0), "?")
        if set_options(shell, word[0], letters.replace("c", "")):
            raise UsageError(f"illegal option {word}", EXIT_SYNTAX)
    return takes_script


async def _file(shell: Shell, words: list[str]) -> int:
    shell.name, shell.positional = words[0], words[1:]
    try:
        text = shell.files.read(words[0]).decode("utf-8", "surrogateescape")
    except OSError as error:
        await shell.process.complain(f"can't open '{words[0]}': {error.strerror}")
        return EXIT_SYNTAX
    return await _ended(shell, _text(shell, text))


async def _text(shell: Shell, text: str) -> int:
    """Run a whole script."""
    if "n" in shell.options:
        parse(text)
        return 0
    return await shell.script(parse(text))


async def _ended(shell: Shell, work: Coroutine[Any, Any, int]) -> int:
    """Run something to the shell's end, the trap on EXIT last; the exit code."""
    try:
        status = await _caught(shell, work)
        return await _at_exit(shell, status)
    except asyncio.CancelledError:
        if "EXIT" in shell.traps and shell.process.signalled:
            await _at_exit(shell, SIGNALLED + shell.process.signalled)
        raise


async def _at_exit(shell: Shell, status: int) -> int:
    text = shell.traps.pop("EXIT", "")
    if not text:
        return status
    shell.status = status
    return await _caught(shell, _trap_text(shell, text, status))


async def _trap_text(shell: Shell, text: str, status: int) -> int:
    await shell.script(parse(text))
    return status


async def _caught(shell: Shell, work: Coroutine[Any, Any, int]) -> int:
    try:
        return await work
    except Leave as leave:
        return leave.status
    except ShellSyntaxError as error:
        return await shell.say(f"syntax error: {error}", EXIT_SYNTAX)
    except ExpansionFault as fault:
        return await shell.say(str(fault), EXIT_SYNTAX)
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise
        return await shell.say(spoken(error), 1)


async def _lines(shell: Shell) -> int:
    """A script from standard input, run as it comes."""
    held = ""
    while True:
        data = await shell.process.stdin.readline()
        held += data.decode("utf-8", "surrogateescape")
        if not data and not held:
            return shell.status
        try:
            script = parse(held)
        except Incomplete:
            if data:
                continue
            raise
        held = ""
        shell.status = await shell.script(script)


# A person


async def _interactive(shell: Shell, terminal: Terminal | None) -> int:
    history: list[str] = []
    shell.options.discard("e")
    while True:
        try:
            text = await _read_command(shell, terminal, history)
        except Interrupted:
            shell.status = 130
            continue
        except ShellSyntaxError as error:
            await shell.say(f"syntax error: {error}", EXIT_SYNTAX)
            continue
        if text is None:
            return shell.status
        await _run_line(shell, terminal, text)


async def _read_command(shell: Shell, terminal: Terminal | None, history: list[str]) -> str | None:
    """A whole command, of several lines if need be; None at the end."""
    held = ""
    while True:
        line = await _read_line(shell, terminal, CONTINUED if held else _prompt(shell), history)
        if not line and not held:
            return None
        held += line
        if line.strip():
            _remember(history, line.rstrip("\n"))
        try:
            parse(held)
        except Incomplete:
            if line:
                continue
            raise
        return held


async def _read_line(
    shell: Shell, terminal: Terminal | None, prompt: str, history: list[str]
) -> str:
    if terminal is None:
        await shell.streams.write(2, prompt)
        data = await shell.process.stdin.readline()
    else:
        data = await terminal.prompt(prompt, history)
        if not data:
            await terminal.output.show(b"\r\n")
    return data.decode("utf-8", "replace")


def _remember(history: list[str], line: str) -> None:
    if not history or history[-1] != line:
        history.append(line)
    del history[:-HISTORY_MAX]


async def _run_line(shell: Shell, terminal: Terminal | None, text: str) -> None:
    """Run what a person typed; ^C ends it and not the shell."""
    work = _caught_but_exit(shell, text)
    task = asyncio.get_running_loop().create_task(work, name="shell line")
    before = terminal.interrupt if terminal is not None else None
    if terminal is not None:
        terminal.interrupt = lambda _: _cancel(task)
    try:
        await asyncio.wait([task])
    except asyncio.CancelledError:
        task.cancel()
        await asyncio.wait([task])
        raise
    finally:
        if terminal is not None and before is not None:
            terminal.interrupt = before
    shell.reset()
    if task.cancelled():
        shell.status = 130
        return
    shell.status = task.result()


def _cancel(task: "asyncio.Task[int]") -> None:
    task.cancel()


async def _caught_but_exit(shell: Shell, text: str) -> int:
    try:
        return await shell.script(parse(text))
    except Exit:
        raise
    except Leave as leave:
        return leave.status
    except ShellSyntaxError as error:
        return await shell.say(f"syntax error: {error}", EXIT_SYNTAX)
    except ExpansionFault as fault:
        return await shell.say(str(fault), EXIT_SYNTAX)
    except OSError as error:
        return await shell.say(spoken(error), 1)


def _prompt(shell: Shell) -> str:
    text = shell.variables.get("PS1", PROMPT)
    known = {
        "w": shell.process.directory,
        "h": shell.variables.get("HOSTNAME", ""),
        "u": "root",
        "$": "#",
        "n": "\n",
    }
    return re.sub(r"\\(.)", lambda found: known.get(found[1], ""), text)
