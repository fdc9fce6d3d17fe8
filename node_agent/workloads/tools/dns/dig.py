"""`dig [@SERVER] [-t TYPE] [-x ADDRESS] [+OPTION]... [NAME] [TYPE]`"""

import socket
import time

from cluster.dns.resolv_conf import ResolvConf
from cluster.wire.addresses import SocketAddress
from cluster.wire.dns import Question
from node_agent.workloads.tools.dns import dig_layout
from node_agent.workloads.tools.dns.ask import (
    EXIT_NO_SERVER,
    Answer,
    Asked,
    NoAnswer,
    ask,
    resolver_of,
    server_at,
)
from node_agent.workloads.tools.dns.dig_options import (
    EXIT_USAGE,
    USAGE,
    DigUsage,
    Lookup,
    parse_dig,
)
from node_agent.workloads.tools.dns.records import has_answers
from node_agent.workloads.tools.process import Process

EXIT_NO_REPLY = 9
WHEN = "%a %b %d %H:%M:%S UTC %Y"


async def run(process: Process) -> int:
    """Ask every question; 9 when a server does not answer."""
    try:
        command = parse_dig(process.arguments)
    except DigUsage as error:
        await process.stderr.write(f"{error}\n".encode())
        return EXIT_USAGE
    if command.help:
        await process.write(USAGE + "\n")
        return 0
    for warning in command.warnings:
        await process.stderr.write(f"{warning}\n".encode())
    code = 0
    for number, lookup in enumerate(command.lookups):
        code = max(code, await _look_up(process, lookup, first=not number))
    return code


async def _look_up(process: Process, lookup: Lookup, *, first: bool) -> int:
    conf = resolver_of(process)
    try:
        servers = await _servers(lookup, conf)
    except socket.gaierror:
        text = f"dig: couldn't get address for '{lookup.server}': not found\n"
        await process.stderr.write(text.encode())
        return EXIT_NO_SERVER
    terse = "short" in lookup
    banner = dig_layout.banner(process.arguments, bool(lookup.server)) if first else ""
    banner = banner if "cmd" in lookup and not terse else ""
    complaints: list[str] = []
    answer = await _asked(lookup, conf, servers, complaints)
    if answer is None:
        shown = "".join(complaints) + banner + dig_layout.NO_SERVERS
        await process.write(shown)
        return EXIT_NO_REPLY
    when = time.strftime(WHEN, time.gmtime())
    body = dig_layout.short(answer.message) if terse else dig_layout.full(answer, lookup, when)
    await process.write("".join(complaints) + banner + body)
    return 0


async def _servers(lookup: Lookup, conf: ResolvConf) -> list[SocketAddress]:
    if lookup.server:
        return [await server_at(lookup.server, lookup.port)]
    return [SocketAddress(each, lookup.port) for each in conf.servers]


async def _asked(
    lookup: Lookup, conf: ResolvConf, servers: list[SocketAddress], complaints: list[str]
) -> Answer | None:
    """The answer to the name, or with +search to the first candidate that has records."""
    names = candidates(lookup, conf)
    answer = None
    for name in names:
        answer = await _first_server(lookup, name, servers, complaints)
        if answer is None or has_answers(answer.message):
            break
    return answer


def candidates(lookup: Lookup, conf: ResolvConf) -> tuple[str, ...]:
    """The names to ask for, in order."""
    if "search" not in lookup:
        return (lookup.name.rstrip("."),)
    if lookup.ndots is not None:
        options = (*conf.options, ("ndots", str(lookup.ndots)))
        conf = ResolvConf(nameservers=conf.nameservers, searches=conf.searches, options=options)
    return conf.candidates(lookup.name)


async def _first_server(
    lookup: Lookup, name: str, servers: list[SocketAddress], complaints: list[str]
) -> Answer | None:
    question = Question(name, lookup.type, lookup.rr_class)
    for _ in range(1 if "tcp" in lookup else lookup.tries):
        for server in servers:
            try:
                return await ask(question, _how(lookup, server))
            except NoAnswer as error:
                complaints.append(dig_layout.unanswered(*server, str(error)))
    return None


def _how(lookup: Lookup, server: SocketAddress) -> Asked:
    return Asked(
        server=server,
        tcp="tcp" in lookup,
        recursion="recurse" in lookup,
        edns="edns" in lookup or "dnssec" in lookup,
        dnssec="dnssec" in lookup,
        keep_truncated="ignore" in lookup,
        seconds=lookup.seconds,
        tries=1,
    )
