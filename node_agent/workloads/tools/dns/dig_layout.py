"""dig's output.

Pure: values in, text out. Source: dig(1), and what dig 9.18 prints.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cluster.wire.dns import Message, Opcode, Record, rcode_name
from node_agent.workloads.tools.dns.dig_options import Lookup
from node_agent.workloads.tools.dns.records import data_text, question_line, record_line

if TYPE_CHECKING:
    from node_agent.workloads.tools.dns.ask import Answer

VERSION = "9.18.28"


def banner(words: Sequence[str], server: bool) -> str:
    """The first lines: which dig, and with which words."""
    servers = " (1 server found)" if server else ""
    line = f"\n; <<>> DiG {VERSION} <<>> {' '.join(words)}\n"
    return line + (f";{servers}\n" if server else "") + ";; global options: +cmd\n"


def unanswered(server: str, port: int, why: str) -> str:
    """A try that came to nothing."""
    return f";; communications error to {server}#{port}: {why}\n"


NO_SERVERS = ";; no servers could be reached\n"


def short(message: Message) -> str:
    """+short: the data alone."""
    return "".join(f"{data_text(record.data)}\n" for record in message.answers)


def full(answer: "Answer", lookup: Lookup, when: str) -> str:
    """All of an answer, as far as the switches show it."""
    message, comments = answer.message, "comments" in lookup
    text = ";; Truncated, retrying in TCP mode.\n" if answer.retried and comments else ""
    if comments:
        text += ";; Got answer:\n" + _header(message) + _pseudo(message)
    if "question" in lookup and message.questions:
        text += ";; QUESTION SECTION:\n" if comments else ""
        text += "".join(
            f"{question_line(each.name, each.type, each.rr_class)}\n" for each in message.questions
        )
        text += "\n" if comments else ""
    for title in ("answer", "authority", "additional"):
        records: tuple[Record, ...] = {
            "answer": message.answers,
            "authority": message.authority,
            "additional": message.additional,
        }[title]
        if title in lookup and records:
            text += f";; {title.upper()} SECTION:\n" if comments else ""
            text += "".join(f"{record_line(record)}\n" for record in records)
            text += "\n" if comments else ""
    return text + (_stats(answer, when) if "stats" in lookup else "")


def _header(message: Message) -> str:
    additional = len(message.additional) + (message.edns is not None)
    text = (
        f";; ->>HEADER<<- opcode: {_opcode(message.opcode)}, "
        f"status: {rcode_name(message.rcode)}, id: {message.id}\n"
        f";; flags:{_flags(message)}; QUERY: {len(message.questions)}, "
        f"ANSWER: {len(message.answers)}, AUTHORITY: {len(message.authority)}, "
        f"ADDITIONAL: {additional}\n"
    )
    if message.recursion_desired and not message.recursion_available:
        text += ";; WARNING: recursion requested but not available\n"
    return text + "\n"


def _opcode(number: int) -> str:
    try:
        return Opcode(number).name
    except ValueError:
        return f"RESERVED{number}"


def _flags(message: Message) -> str:
    named = {
        "qr": message.response,
        "aa": message.authoritative,
        "tc": message.truncated,
        "rd": message.recursion_desired,
        "ra": message.recursion_available,
        "ad": message.authentic,
        "cd": message.checking_disabled,
    }
    return "".join(f" {name}" for name, is_set in named.items() if is_set)


def _pseudo(message: Message) -> str:
    if message.edns is None:
        return ""
    flags = " do" if message.edns.dnssec_ok else ""
    return (
        ";; OPT PSEUDOSECTION:\n"
        f"; EDNS: version: {message.edns.version}, flags:{flags}; udp: {message.edns.udp_bytes}\n"
    )


def _stats(answer: "Answer", when: str) -> str:
    ip, port = answer.server
    return (
        f";; Query time: {int(answer.seconds * 1000)} msec\n"
        f";; SERVER: {ip}#{port}({ip}) ({'TCP' if answer.tcp else 'UDP'})\n"
        f";; WHEN: {when}\n"
        f";; MSG SIZE  rcvd: {answer.size}\n\n"
    )
