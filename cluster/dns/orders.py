"""One answer in several orders of its addresses, which take turns (D-40, D-102).

Each address leads equally often; what follows it is in random order. Orders are made when they are
first wanted. Where there are more addresses than orders, one order is made anew each time all have
had their turn, so that none leads for ever.
Pure: a message in, bytes out; chance is passed in.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

from cluster.wire.dns import Address, Message, Record, encode

if TYPE_CHECKING:
    from random import Random

ORDERS_MAX = 32
ORDERS_MIN = 4
ORDERS_BYTES_MAX = 32 * 1024  # of all orders of an answer, unless they are the fewest


class Orders:
    """The orders of one answer."""

    __slots__ = (
        "_addresses",
        "_bytes_max",
        "_dice",
        "_made",
        "_message",
        "_others",
        "_raws",
        "_turn",
    )

    def __init__(self, message: Message, bytes_max: int, dice: "Random") -> None:
        self._message = message
        self._bytes_max = bytes_max
        self._dice = dice
        self._others = tuple(each for each in message.answers if not _is_address(each))
        self._addresses = [each for each in message.answers if _is_address(each)]
        dice.shuffle(self._addresses)
        self._raws: list[bytes] = []
        self._made = 0
        self._turn = -1

    @property
    def count(self) -> int:
        """How many there are once all are made."""
        longest = len(self._raws[0]) if self._raws else 1
        room = max(ORDERS_MIN, min(ORDERS_MAX, ORDERS_BYTES_MAX // longest))
        each = len(self._addresses)
        return room // each * each or room

    def next(self) -> bytes:
        """The order whose turn it is."""
        count = self.count
        self._turn = (self._turn + 1) % count
        if self._turn >= len(self._raws):
            self._raws.append(self._another())
        elif not self._turn and len(self._addresses) > count:
            self._raws[self._made % count] = self._another()
        return self._raws[self._turn]

    def _another(self) -> bytes:
        first = self._addresses[self._made % len(self._addresses)]
        behind = [each for each in self._addresses if each is not first]
        self._dice.shuffle(behind)
        self._made += 1
        message = replace(self._message, answers=(*self._others, first, *behind))
        return encode(message, self._bytes_max)


def _is_address(record: Record) -> bool:
    return isinstance(record.data, Address)
