"""What nslookup and host say of answers.

Pure: values in, text out. Source: nslookup(1), host(1), and what those of BIND 9.18 print.
"""

from cluster.wire.dns import Address, Message, Record, RRType, Soa, Srv, Target, rcode_name
from node_agent.workloads.tools.dns.records import absolute, data_text

_NSLOOKUP_WORDS = {RRType.CNAME: "canonical name", RRType.NS: "nameserver", RRType.PTR: "name"}
_HOST_WORDS = {
    RRType.A: "has address",
    RRType.AAAA: "has IPv6 address",
    RRType.CNAME: "is an alias for",
    RRType.MX: "mail is handled by",
    RRType.NS: "name server",
    RRType.PTR: "domain name pointer",
    RRType.SOA: "has SOA record",
    RRType.SRV: "has SRV record",
    RRType.TXT: "descriptive text",
}
TIMED_OUT = ";; connection timed out; no servers could be reached\n"


def nslookup_record(record: Record) -> str:
    """One record of an answer."""
    match record.data:
        case Address(ip):
            return f"Name:\t{record.name}\nAddress: {ip}\n"
        case Target(name):
            word = _NSLOOKUP_WORDS.get(RRType(record.type), "name")
            return f"{record.name}\t{word} = {absolute(name)}\n"
        case Srv():
            return f"{record.name}\tservice = {data_text(record.data)}\n"
        case Soa() as soa:
            return (
                f"{record.name}\n\torigin = {soa.mname}\n\tmail addr = {soa.rname}\n"
                f"\tserial = {soa.serial}\n\trefresh = {soa.refresh}\n\tretry = {soa.retry}\n"
                f"\texpire = {soa.expire}\n\tminimum = {soa.minimum}\n"
            )
    if record.type == RRType.TXT:
        return f"{record.name}\ttext = {data_text(record.data)}\n"
    return f"{record.name}\trdata_{record.type} = {data_text(record.data)}\n"


def nslookup_failure(name: str, message: Message) -> str:
    """A name without the records that were asked for."""
    if message.rcode:
        return f"** server can't find {name}: {rcode_name(message.rcode)}\n"
    return f"*** Can't find {name}: No answer\n"


def host_record(record: Record) -> str:
    """One record of an answer."""
    try:
        words = _HOST_WORDS[RRType(record.type)]
    except (KeyError, ValueError):
        words = f"has TYPE{record.type} record"
    return f"{record.name} {words} {data_text(record.data)}\n"


def host_failure(name: str, message: Message, type_name: str) -> str:
    """A name without the records that were asked for."""
    if message.rcode:
        return f"Host {name} not found: {message.rcode}({rcode_name(message.rcode)})\n"
    return f"{name} has no {type_name} record\n"
