"""An answer ready to be sent: all its bytes but the two of the id.

    | id of the query | rest: flags, counts, question, records ...            |
                                          serial of an SOA among them, written anew ^

Addresses come in another order each time (D-102): an answer with several of them is prepared in
several orders, which take turns. Each address is first equally often.
Pure: values in, values out; chance is passed in.
"""

import struct
from typing import TYPE_CHECKING

from cluster.dns.answer import SOA_EXPIRE, SOA_REFRESH, SOA_RETRY
from cluster.dns.orders import Orders
from cluster.dns.response import Response
from cluster.dns.witness import Facts
from cluster.dns.zone import Zone
from cluster.wire.dns import Message, Soa, encode

if TYPE_CHECKING:
    from random import Random

ID_BYTES = 2
TRUNCATED = 0x02  # in the first byte behind the id

_SOA_END = struct.Struct("!IIIII")  # serial, refresh, retry, expire, minimum
_SERIAL = struct.Struct("!I")


class Told:
    """What is counted and recorded of an answer besides its bytes."""

    __slots__ = ("asked", "dnssec_ok", "plugin", "query_bytes", "rcode", "type", "why")

    def __init__(self, query: bytes, response: Response) -> None:
        message, answer, question = response.message, response.answer, response.question
        self.asked = question is not None
        self.type = question.type if question else None
        self.rcode = message.rcode
        self.dnssec_ok = message.edns is not None and message.edns.dnssec_ok
        self.why = answer.reason if answer else ""
        self.plugin = "kubernetes" if answer and answer.origin else ""
        self.query_bytes = len(query)


class Prepared:
    """One answer to one query; `hits` counts the datagrams it answered that nobody has counted."""

    __slots__ = ("_serial_at", "epoch", "facts", "hits", "orders", "rest", "told")

    def __init__(self, raw: bytes, told: Told, *, serial_at: int, orders: Orders | None) -> None:
        self.rest = raw[ID_BYTES:]
        self.told = told
        self.orders = orders
        self.facts: Facts = ()
        self.epoch = 0  # the last one in which the facts were known to hold
        self.hits = 0
        self._serial_at = serial_at

    @classmethod
    def of(cls, query: bytes, response: Response, zone: Zone, dice: "Random") -> "Prepared":
        """The response to a query, from this zone."""
        message, bytes_max = response.message, response.bytes_max
        orders = Orders(message, bytes_max, dice) if response.shuffles else None
        raw = orders.next() if orders else encode(message, bytes_max)
        serial_at = _serial_at(message, raw, zone)
        return cls(raw, Told(query, response), serial_at=serial_at, orders=orders)

    @property
    def truncated(self) -> bool:
        """Whether records were left out of it for want of space."""
        return bool(self.rest[0] & TRUNCATED)

    @property
    def bytes_sent(self) -> int:
        """How long a response is with it."""
        return ID_BYTES + len(self.rest)

    @property
    def bytes_held(self) -> int:
        """How much it takes, in all its orders."""
        return len(self.rest) * (self.orders.count if self.orders else 1)

    def turn(self) -> None:
        """Go on to the next order of the addresses."""
        if self.orders is not None:
            self.rest = self.orders.next()[ID_BYTES:]

    def renew(self, serial: int, epoch: int) -> None:
        """The facts hold in a later zone: at most its serial is another one."""
        self.epoch = epoch
        at = self._serial_at
        if at:
            self.rest = b"".join((self.rest[:at], _SERIAL.pack(serial), self.rest[at + 4 :]))


def _serial_at(message: Message, raw: bytes, zone: Zone) -> int:
    """Where the zone's serial is in the rest; 0 if it is not. No record follows an SOA."""
    if not any(isinstance(each.data, Soa) for each in (*message.answers, *message.authority)):
        return 0
    numbers = (zone.serial, SOA_REFRESH, SOA_RETRY, SOA_EXPIRE, zone.settings.ttl)
    return max(0, raw.rfind(_SOA_END.pack(*numbers)) - ID_BYTES)
