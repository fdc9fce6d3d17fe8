"""Records as BIND's tools write them: names end in a dot, columns are tab stops.

Pure: values in, text out. Source: RFC 1035 section 5 (master files).
"""

import ipaddress

from cluster.wire.dns import Message, Record, RRType, Soa, Srv, Target, type_name
from cluster.wire.dns_records import Data

TTL_COLUMN, CLASS_COLUMN, TYPE_COLUMN, DATA_COLUMN, TAB = 24, 32, 40, 48, 8
CLASSES = {1: "IN", 3: "CH", 4: "HS", 255: "ANY"}


def absolute(name: str) -> str:
    """A name with its final dot."""
    return name if name.endswith(".") else f"{name}."


def data_text(data: Data) -> str:
    """The data of a record."""
    match data:
        case Target(name):
            return absolute(name)
        case Srv(priority, weight, port, target):
            return f"{priority} {weight} {port} {absolute(target)}"
        case Soa():
            times = f"{data.serial} {data.refresh} {data.retry} {data.expire} {data.minimum}"
            return f"{absolute(data.mname)} {absolute(data.rname)} {times}"
    return str(data)


def class_name(number: int) -> str:
    """A class for people."""
    return CLASSES.get(number, f"CLASS{number}")


def record_line(record: Record) -> str:
    """A record in dig's columns."""
    line = _Columns(absolute(record.name))
    line.at(TTL_COLUMN, str(record.ttl))
    line.at(CLASS_COLUMN, class_name(record.rr_class))
    line.at(TYPE_COLUMN, type_name(record.type))
    line.at(DATA_COLUMN, data_text(record.data))
    return line.text


def question_line(name: str, type_: int, rr_class: int) -> str:
    """The question in dig's columns, after its semicolon."""
    line = _Columns(absolute(name))
    line.at(CLASS_COLUMN, class_name(rr_class))
    line.at(TYPE_COLUMN, type_name(type_))
    return f";{line.text}"


class _Columns:
    """A line that is filled with tabs up to columns, and by one space where it is past them."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._column = len(text)

    def at(self, column: int, text: str) -> None:
        start, column = self._column, max(column, self._column + 1)
        tabs = column // TAB - start // TAB
        spaces = column % TAB if tabs else column - start
        self.text += "\t" * tabs + " " * spaces + text
        self._column = column + len(text)


def type_number(text: str) -> int | None:
    """The number of a type by its name, or by TYPE99."""
    known = RRType.__members__.get(text.upper())
    if known is not None:
        return int(known)
    number = text[4:] if text.upper().startswith("TYPE") else ""
    known_number = number.isdecimal() and len(number) <= 5 and int(number) <= 65535
    return int(number) if known_number else None


def class_number(text: str) -> int | None:
    """The number of a class by its name."""
    return next((number for number, name in CLASSES.items() if name == text.upper()), None)


def reverse_name(address: str) -> str | None:
    """The name that an address is looked up by; None when it is no address."""
    try:
        return ipaddress.ip_address(address).reverse_pointer
    except ValueError:
        return None


def has_answers(message: Message) -> bool:
    """Whether a search among domains ends here."""
    return message.rcode == 0 and bool(message.answers)
