"""`host [-t TYPE] NAME [SERVER]`"""

import socket
from collections.abc import Sequence

from cluster.wire.dns import Question, RRType, type_name
from node_agent.workloads.tools.dns.answers import TIMED_OUT, host_failure, host_record
from node_agent.workloads.tools.dns.ask import (
    Answer,
    Asked,
    NoAnswer,
    ask,
    resolver_of,
    server_at,
)
from node_agent.workloads.tools.dns.records import has_answers, reverse_name, type_number
from node_agent.workloads.tools.options import Options, UsageError, parse
from node_agent.workloads.tools.process import Failed, Process

EXIT_FAILED = 1
DEFAULT_TYPES = (RRType.A, RRType.AAAA, RRType.MX)


async def run(process: Process) -> int:
    """Look a name or an address up."""
    options = parse(process.arguments, "46aTUrdvlst:c:p:R:W:w")
    if not 1 <= len(options.operands) <= 2:
        raise UsageError("Usage: host [-t type] [-T] [-W seconds] name [server]")
    conf, name = resolver_of(process), options.operands[0]
    given = options.operands[1] if len(options.operands) > 1 else ""
    try:
        server = await server_at(given or conf.servers[0], options.number("p", 53))
    except socket.gaierror:
        raise Failed(f"couldn't get address for '{given}': not found") from None
    pointer = reverse_name(name)
    types = _types(options, pointer)
    how = Asked(
        server=server,
        tcp="T" in options,
        edns=False,
        seconds=max(1, options.number("W", 5)),
        tries=max(1, options.number("R", 1) + 1),
    )
    try:
        answers = await _answers((pointer,) if pointer else conf.candidates(name), types, how)
    except NoAnswer:
        await process.write(TIMED_OUT)
        return EXIT_FAILED
    head = f"Using domain server:\nName: {given}\nAddress: {server.ip}#{server.port}\nAliases: \n\n"
    text, code = shown(f"{pointer}." if pointer else name, answers, types)
    await process.write((head if given else "") + text)
    return code


def _types(options: Options, pointer: str | None) -> tuple[int, ...]:
    word = "ANY" if "a" in options else options.value("t")
    if not word:
        return (RRType.PTR,) if pointer else DEFAULT_TYPES
    number = type_number(word)
    if number is None:
        raise Failed(f"invalid type: {word}", 2)
    return (number,)


async def _answers(names: Sequence[str], types: Sequence[int], how: Asked) -> list[Answer]:
    answers: list[Answer] = []
    for name in names:
        answers = [await ask(Question(name, types[0]), how)]
        if answers[0].message.rcode == 0:
            answers += [await ask(Question(name, kind), how) for kind in types[1:]]
            break
    return answers


def shown(name: str, answers: Sequence[Answer], types: Sequence[int]) -> tuple[str, int]:
    """What the answers say, and the exit code."""
    found = [answer for answer in answers if has_answers(answer.message)]
    lines = [host_record(record) for each in found for record in each.message.answers]
    if lines:
        return "".join(dict.fromkeys(lines)), 0
    first = answers[0].message
    return host_failure(name, first, type_name(types[0])), 1 if first.rcode else 0
