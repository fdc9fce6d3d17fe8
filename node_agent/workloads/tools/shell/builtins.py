"""What a shell does itself: cd, export, set, read, trap and their like.

Each is `async def name(shell, words, streams) -> status`. Tools that need no process of their own
(echo, printf, test ...) run inside the shell too, from their modules.
"""

import asyncio
from collections.abc import Sequence

from node_agent.workloads.tools import running
from node_agent.workloads.tools.names import TOOLS
from node_agent.workloads.tools.process import PROCESSES_MAX, Failed
from node_agent.workloads.tools.shell.arithmetic import ArithmeticFault, evaluate
from node_agent.workloads.tools.shell.expansion import BLANK, IFS
from node_agent.workloads.tools.shell.jobs import jobs, quoted, trap, wait
from node_agent.workloads.tools.shell.parser import parse
from node_agent.workloads.tools.shell.redirection import Streams
from node_agent.workloads.tools.shell.shell import Builtin, Shell
from node_agent.workloads.tools.shell.state import Exit, Loop, Return

OPTIONS = {
    "errexit": "e", "nounset": "u", "xtrace": "x", "noglob": "f", "allexport": "a",
    "noexec": "n", "verbose": "v", "noclobber": "C", "pipefail": "pipefail",
}  # fmt: skip
INLINE = ("echo", "printf", "test", "[", "[[", "true", "false", "kill")


def _identifier(text: str) -> bool:
    return text.isascii() and text.isidentifier()


async def _cd(shell: Shell, words: Sequence[str], streams: Streams) -> int:
    operands = [each for each in words[1:] if each not in ("-L", "-P", "--")]
    target = operands[0] if operands else shell.variables.get("HOME", "/")
    if target == "-":
        target = shell.variables.get("OLDPWD", shell.process.directory)
        await streams.write(1, target + "\n")
    try:
        shell.files.names(target)
        place = shell.files.absolute(target)
    except OSError as error:
        return await shell.say(f"cd: can't cd to {target}: {error.strerror}", 2)
    shell.variables["OLDPWD"] = shell.process.directory
    shell.process.directory = place
    shell.variables["PWD"] = place
    return 0


async def _pwd(shell: Shell, words: Sequence[str], streams: Streams) -> int:
    await streams.write(1, shell.process.directory + "\n")
    return 0


async def _colon(shell: Shell, words: Sequence[str], streams: Streams) -> int:
    return 0


async def _exit(shell: Shell, words: Sequence[str], streams: Streams) -> int:
    raise Exit(await _status_of(shell, words, "exit"))


async def _return(shell: Shell, words: Sequence[str], streams: Streams) -> int:
    raise Return(await _status_of(shell, words, "return"))


async def _status_of(shell: Shell, words: Sequence[str], name: str) -> int:
    if len(words) < 2:
        return shell.status
    if not words[1].lstrip("-").isdecimal():
        return await shell.say(f"{name}: Illegal number: {words[1]}", 2)
    return int(words[1]) & 0xFF


async def _break(shell: Shell, words: Sequence[str], streams: Streams) -> int:
    if not shell.loops:
        return 0
    levels = int(words[1]) if len(words) > 1 and words[1].isdecimal() else 1
    raise Loop(max(1, levels), again=words[0] == "continue")


async def _export(shell: Shell, words: Sequence[str], streams: Streams) -> int:
    marked = shell.exported if words[0] == "export" else shell.read_only
    operands = [each for each in words[1:] if each not in ("-p", "--")]
    if not operands:
        for name in sorted(marked):
            value = quoted(shell.variables.get(name, ""))
            await streams.write(1, f"{words[0]} {name}={value}\n")
    for each in operands:
        name, equals, value = each.partition("=")
        if not _identifier(name):
            return await shell.say(f"{words[0]}: {name}: bad variable name", 2)
        if equals:
            shell.assign(name, value)
        marked.add(name)
    return 0


async def _unset(shell: Shell, words: Sequence[str], streams: Streams) -> int:
    for name in words[1:]:
        if name in ("-v", "-f"):
            continue
        if name in shell.read_only:
            return await shell.say(f"unset: {name}: is read only", 1)
        shell.variables.pop(name, None)
        shell.exported.discard(name)
        if words[1] != "-v":
            shell.functions.pop(name, None)
    return 0


async def _local(shell: Shell, words: Sequence[str], streams: Streams) -> int:
    if not shell.locals:
        return await shell.say("local: not in a function", 1)
    for each in words[1:]:
        name, equals, value = each.partition("=")
        if not _identifier(name):
            return await shell.say(f"local: {name}: bad variable name", 2)
        shell.locals[-1].setdefault(name, shell.variables.get(name))
        if equals:
            shell.assign(name, value)
    return 0


async def _set(shell: Shell, words: Sequence[str], streams: Streams) -> int:
    rest = list(words[1:])
    if not rest:
        for name in sorted(shell.variables):
            await streams.write(1, f"{name}={quoted(shell.variables[name])}\n")
    while rest:
        word = rest.pop(0)
        if word == "--":
            shell.positional = rest
            return 0
        if word[:1] not in ("-", "+") or len(word) < 2:
            shell.positional = [word, *rest]
            return 0
        letters = word[1:]
        if letters == "o":
            name = rest.pop(0) if rest else ""
            if name not in OPTIONS:
                return await shell.say(f"set: illegal option -o {name}".rstrip(), 2)
            letters = OPTIONS[name]
        if set_options(shell, word[0], letters):
            return await shell.say(f"set: illegal option {word}", 2)
    return 0


def set_options(shell: Shell, sign: str, letters: str) -> bool:
    """Set or clear options; whether one of them is unknown."""
    chosen = [letters] if letters == "pipefail" else list(letters)
    if not set(chosen) <= {*OPTIONS.values(), "i", "l", "s", "m", "b", "h"}:
        return True
    (shell.options.update if sign == "-" else shell.options.difference_update)(chosen)
    return False


async def _shift(shell: Shell, words: Sequence[str], streams: Streams) -> int:
    count = int(words[1]) if len(words) > 1 and words[1].isdecimal() else 1
    if count > len(shell.positional):
        return await shell.say("shift: can't shift that many", 1)
    shell.positional = shell.positional[count:]
    return 0


async def _eval(shell: Shell, words: Sequence[str], streams: Streams) -> int:
    shell.status = 0
    return await shell.script(parse(" ".join(words[1:])))


async def _source(shell: Shell, words: Sequence[str], streams: Streams) -> int:
    if len(words) < 2:
        return await shell.say(f"{words[0]}: filename argument required", 2)
    try:
        text = shell.files.read(words[1]).decode("utf-8", "surrogateescape")
    except OSError as error:
        return await shell.say(f"{words[0]}: can't open '{words[1]}': {error.strerror}", 2)
    before = shell.positional
    shell.positional = list(words[2:]) or before
    try:
        return await shell.script(parse(text))
    except Return as leave:
        return leave.status
    finally:
        if len(words) > 2:
            shell.positional = before


async def _command(shell: Shell, words: Sequence[str], streams: Streams) -> int:
    rest = list(words[1:])
    asked = ""
    while rest and rest[0] in ("-v", "-V", "-p", "--"):
        asked = rest.pop(0) if rest[0] != "--" else (rest.pop(0), asked)[1]
    if asked in ("-v", "-V"):
        statuses = [await _told(shell, each, streams, long=asked == "-V") for each in rest]
        return max(statuses, default=0)
    if not rest:
        return 0
    if rest[0] in shell.builtins:
        return await shell.builtins[rest[0]](shell, rest, streams)
    return await shell.external(rest)


async def _type(shell: Shell, words: Sequence[str], streams: Streams) -> int:
    return max([await _told(shell, each, streams, long=True) for each in words[1:]], default=0)


async def _told(shell: Shell, name: str, streams: Streams, *, long: bool) -> int:
    """What a name leads to: for `command -v` and `type`."""
    text, what = name, "a shell builtin"
    if name in shell.aliases:
        text, what = f"alias {name}='{shell.aliases[name]}'", f"an alias for {shell.aliases[name]}"
    elif name in shell.functions:
        what = "a shell function"
    elif name not in shell.builtins:
        try:
            shell.process.environ = shell.environ()
            text = what = running.which(shell.process, name)
            shell.files.stat(text)
        except (running.NotFound, OSError):
            if long:
                await streams.write(2, f"{name}: not found\n")
            return 127
    await streams.write(1, f"{name} is {what}\n" if long else f"{text}\n")
    return 0


async def _read(shell: Shell, words: Sequence[str], streams: Streams) -> int:
    names, raw, prompt, timeout = _read_options(list(words[1:]))
    if prompt:
        await streams.write(2, prompt)
    try:
        async with asyncio.timeout(timeout):
            line, whole = await _read_line(streams, raw=raw)
    except TimeoutError:
        return 1
    fields = _read_fields(line, len(names), shell.variables.get("IFS", IFS))
    for index, name in enumerate(names):
        shell.assign(name, fields[index] if index < len(fields) else "")
    return 0 if whole else 1


def _read_options(words: list[str]) -> tuple[list[str], bool, str, float | None]:
    raw, prompt, timeout = False, "", None
    while words and words[0].startswith("-") and len(words[0]) > 1:
        word = words.pop(0)
        raw = raw or "r" in word
        if word[-1] in "pt" and words:
            value = words.pop(0)
            if word[-1] == "p":
                prompt = value
            else:
                timeout = float(value) if value.replace(".", "", 1).isdecimal() else 0.0
    return words or ["REPLY"], raw, prompt, timeout


async def _read_line(streams: Streams, *, raw: bool) -> tuple[str, bool]:
    """A line without its end; whether it had one. A backslash continues it, unless raw."""
    text = ""
    while True:
        data = (await streams.stdin.readline()).decode("utf-8", "surrogateescape")
        line = data.removesuffix("\n")
        if raw or not line.endswith("\\") or line.endswith("\\\\"):
            text += line
            return (text if raw else text.replace("\\", "")), data.endswith("\n")
        text += line[:-1]


def _read_fields(line: str, count: int, ifs: str) -> list[str]:
    """The line split for so many names; the last gets the rest."""
    blanks = "".join(each for each in ifs if each in BLANK)
    line = line.strip(blanks) if blanks else line
    fields: list[str] = []
    while len(fields) < count - 1 and line:
        end = next((at for at, letter in enumerate(line) if letter in ifs), len(line))
        fields.append(line[:end])
        line = line[end:].lstrip(blanks) if blanks else line[end:]
        if line[:1] in ifs and line and line[0] not in BLANK:
            line = line[1:].lstrip(blanks) if blanks else line[1:]
    return [*fields, line]


async def _alias(shell: Shell, words: Sequence[str], streams: Streams) -> int:
    for each in words[1:] or [f"{name}" for name in sorted(shell.aliases)]:
        name, equals, value = each.partition("=")
        if words[0] == "unalias":
            shell.aliases.pop(name, None)
        elif equals:
            if len(shell.aliases) >= PROCESSES_MAX:
                raise Failed("too many aliases")
            shell.aliases[name] = value
        elif name in shell.aliases:
            await streams.write(1, f"{name}={quoted(shell.aliases[name])}\n")
        else:
            return await shell.say(f"alias: {name} not found", 1)
    return 0


async def _umask(shell: Shell, words: Sequence[str], streams: Streams) -> int:
    if len(words) < 2:
        await streams.write(1, f"{shell.process.umask:04o}\n")
        return 0
    try:
        shell.process.umask = int(words[1], 8) & 0o777
    except ValueError:
        return await shell.say(f"umask: {words[1]}: invalid mode", 1)
    return 0


async def _let(shell: Shell, words: Sequence[str], streams: Streams) -> int:
    value = 0
    for each in words[1:]:
        after = dict(shell.variables)
        try:
            value = evaluate(each, after)
        except ArithmeticFault as fault:
            return await shell.say(f"let: {fault}", 1)
        for name in {name for name in after if after[name] != shell.variables.get(name)}:
            shell.assign(name, after[name])
    return 0 if value else 1


async def _inline(shell: Shell, words: Sequence[str], streams: Streams) -> int:
    """A tool that runs in the shell's own task."""
    process = shell.process.fork(words, environ=shell.variables, **streams.of_process())
    process.pid = shell.process.pid
    return await running.guarded(running.load(words[0]), process, inside=True)


async def _ulimit(shell: Shell, words: Sequence[str], streams: Streams) -> int:
    await streams.write(1, "unlimited\n")
    return 0


def builtins() -> dict[str, Builtin]:
    """All of them by name."""
    own: dict[str, Builtin] = {
        ":": _colon, ".": _source, "alias": _alias, "break": _break, "cd": _cd,
        "command": _command, "continue": _break, "eval": _eval, "exit": _exit, "export": _export,
        "hash": _colon, "jobs": jobs, "let": _let, "local": _local, "pwd": _pwd, "read": _read,
        "readonly": _export, "return": _return, "set": _set, "shift": _shift, "source": _source,
        "times": _colon, "trap": trap, "type": _type, "ulimit": _ulimit, "umask": _umask,
        "unalias": _alias, "unset": _unset, "wait": wait,
    }  # fmt: skip
    return own | {name: _inline for name in INLINE if name in TOOLS}
