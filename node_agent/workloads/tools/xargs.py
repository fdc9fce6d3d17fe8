"""`xargs [-0rt] [-n N] [-I {}] [-d X] [-P N] [COMMAND [WORD]...]`"""

import shlex

from node_agent.workloads.tools import running
from node_agent.workloads.tools.escapes import unescaped
from node_agent.workloads.tools.options import Options, parse
from node_agent.workloads.tools.process import Bytes, Failed, Process
from node_agent.workloads.tools.sources import everything

EXIT_FAILED_COMMAND = 123
ARGUMENTS_MAX = 4096


async def run(process: Process) -> int:
    """Run a command with words from standard input."""
    options = parse(
        process.arguments,
        "0rtxn:I:d:P:L:s:",
        "null=0 no-run-if-empty=r max-args:=n replace:=I delimiter:=d max-procs:=P verbose=t",
        mixed=False,
    )
    command = list(options.operands) or ["echo"]
    text = (await everything(process.stdin)).decode("utf-8", "surrogateescape")
    words = _words(text, options)
    status = 0
    for batch in _batches(command, words, options):
        if "t" in options:
            await process.stderr.write((" ".join(batch) + "\n").encode())
        code = await running.run(process.fork(batch, stdin=Bytes()))
        if code in (126, 127):
            return code
        status = EXIT_FAILED_COMMAND if code else status
    return status


def _words(text: str, options: Options) -> list[str]:
    if "0" in options:
        return [each for each in text.split("\0") if each]
    if "d" in options:
        return text.removesuffix("\n").split(unescaped(options.value("d")))
    if "I" in options:
        return [line.lstrip() for line in text.splitlines() if line.strip()]
    try:
        return shlex.split(text)
    except ValueError:
        raise Failed("unmatched quote") from None


def _batches(command: list[str], words: list[str], options: Options) -> list[list[str]]:
    if "I" in options:
        mark = options.value("I")
        return [[each.replace(mark, word) for each in command] for word in words]
    size = min(options.number("n", options.number("L", ARGUMENTS_MAX)), ARGUMENTS_MAX)
    if not words:
        return [] if "r" in options else [command]
    return [command + words[at : at + size] for at in range(0, len(words), max(1, size))]
