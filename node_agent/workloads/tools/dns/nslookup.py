"""`nslookup [-type=TYPE] NAME [SERVER]`"""

import socket
from collections.abc import Sequence

from cluster.dataclass import dataclass
from cluster.wire.addresses import SocketAddress
from cluster.wire.dns import Question, RRType
from node_agent.workloads.tools.dns.answers import TIMED_OUT, nslookup_failure, nslookup_record
from node_agent.workloads.tools.dns.ask import (
    Answer,
    Asked,
    NoAnswer,
    ask,
    resolver_of,
    server_at,
)
from node_agent.workloads.tools.dns.records import has_answers, reverse_name, type_number
from node_agent.workloads.tools.options import UsageError
from node_agent.workloads.tools.process import Failed, Process

EXIT_FAILED = 1


@dataclass(slots=True)
class Wanted:
    """What was given."""

    name: str = ""
    server: str = ""
    types: tuple[int, ...] = (RRType.A, RRType.AAAA)
    port: int = 53
    seconds: float = 5.0
    tries: int = 2
    tcp: bool = False


def parse_nslookup(words: Sequence[str]) -> Wanted:
    """Read a command line; UsageError."""
    wanted, operands = Wanted(), []
    for word in words:
        name, _, value = word.lstrip("-").partition("=")
        if not word.startswith("-") or len(word) == 1:
            operands.append(word)
        elif name in ("type", "querytype", "query", "q"):
            number = type_number(value)
            if number is None:
                raise UsageError(f"unknown query type: {value}")
            wanted.types = (number,)
        elif name in ("port", "timeout", "retry") and value.isdecimal() and len(value) <= 5:
            field = {"port": "port", "timeout": "seconds", "retry": "tries"}[name]
            setattr(wanted, field, max(1, min(int(value), 65535)))
        elif name == "vc":
            wanted.tcp = True
        elif name not in ("debug", "nodebug", "recurse", "search", "novc"):
            raise Failed(f"*** Invalid option: {word.lstrip('-')}", EXIT_FAILED)
    if not operands:
        raise UsageError("name a host: the interactive mode is not served here")
    wanted.name, wanted.server = operands[0], operands[1] if len(operands) > 1 else ""
    return wanted


async def run(process: Process) -> int:
    """Look a name or an address up."""
    wanted, conf = parse_nslookup(process.arguments), resolver_of(process)
    try:
        host = wanted.server or conf.servers[0]
        server = await server_at(host, wanted.port)
    except socket.gaierror:
        raise Failed(f"couldn't get address for '{wanted.server}': not found") from None
    pointer = reverse_name(wanted.name)
    if pointer is not None and len(wanted.types) > 1:
        wanted.types = (RRType.PTR,)
    names = (pointer,) if pointer else conf.candidates(wanted.name)
    try:
        answers = await _answers(wanted, names, server)
    except NoAnswer:
        await process.write(TIMED_OUT + "\n")
        return EXIT_FAILED
    head = "" if pointer else f"Server:\t\t{host}\nAddress:\t{server.ip}#{server.port}\n\n"
    failed = not has_answers(answers[0].message)
    text, code = shown(wanted.name, answers), EXIT_FAILED if failed else 0
    await process.write(head + text + "\n")
    return code


async def _answers(wanted: Wanted, names: Sequence[str], server: SocketAddress) -> list[Answer]:
    """The answers for the first candidate that has records, or for the last one."""
    how = Asked(
        server=server, tcp=wanted.tcp, edns=False, seconds=wanted.seconds, tries=wanted.tries
    )
    found: list[Answer] = []
    for name in names:
        found = [await ask(Question(name, wanted.types[0]), how)]
        if found[0].message.rcode == 0:
            found += [await ask(Question(name, kind), how) for kind in wanted.types[1:]]
        found.sort(key=lambda each: not has_answers(each.message))
        if has_answers(found[0].message):
            break
    return found


def shown(name: str, answers: Sequence[Answer]) -> str:
    """What the answers say."""
    records = [
        nslookup_record(record)
        for answer in answers
        if has_answers(answer.message)
        for record in answer.message.answers
    ]
    if not records:
        return nslookup_failure(name, answers[0].message)
    unsure = "" if answers[0].message.authoritative else "Non-authoritative answer:\n"
    return unsure + "".join(dict.fromkeys(records))
