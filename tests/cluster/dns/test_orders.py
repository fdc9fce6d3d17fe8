"""The orders of an answer's addresses."""

from collections import Counter
from random import Random
from typing import Any

import pytest

from cluster.dns import orders as orders_module
from cluster.dns.orders import Orders
from cluster.dns.response import Response, respond
from cluster.wire.dns import Edns, Message, Question, RRType, decode, encode


def response(make: Any, addresses: int, name: str = "hl", bytes_max: int = 4096) -> Response:
    ips = [f"10.244.{number >> 8}.{number & 255}" for number in range(addresses)]
    zone = make.zone(
        make.headless("hl"),
        make.alias("a", "hl.ns.svc.cluster.local"),
        slices=(make.slice("hl", *ips),),
    )
    question = Question(f"{name}.ns.svc.cluster.local", 1)
    raw = encode(Message(id=1, questions=(question,), edns=Edns(udp_bytes=bytes_max)))
    made = respond(raw, zone, udp=True)
    assert made is not None
    return made


def orders_of(made: Response) -> Orders:
    return Orders(made.message, made.bytes_max, Random(1))


@pytest.mark.parametrize("addresses", [2, 3, 5, 7, 32])
def test_each_address_leads_equally_often(make: Any, addresses: int) -> None:
    """D-102."""
    orders = orders_of(response(make, addresses))
    count = orders.count
    answers = [decode(orders.next()).answers for _ in range(3 * count)]
    firsts = Counter(str(each[0].data) for each in answers)
    assert len(firsts) == addresses and len(set(firsts.values())) == 1
    assert orders.count == count <= orders_module.ORDERS_MAX
    assert len({frozenset(each) for each in answers}) == 1, "none is lost, none comes twice"
    if 3 < addresses < 32:
        assert len(set(answers)) > addresses, "what follows the first changes as well"


def test_aliases_stay_in_front(make: Any) -> None:
    """D-102."""
    made = response(make, 8, "a")
    orders = orders_of(made)
    answers = [decode(orders.next()).answers for _ in range(orders.count)]
    assert {each[0].type for each in answers} == {RRType.CNAME}
    assert {frozenset(each) for each in answers} == {frozenset(made.message.answers)}
    assert len({each[1] for each in answers}) == 8


def test_of_many_addresses_each_leads_in_time(make: Any) -> None:
    """D-40: truncated or not, nobody is left out for ever, and the orders stay few."""
    made = response(make, 100, bytes_max=512)
    orders = orders_of(made)
    firsts = set()
    for _ in range(orders.count * 110):
        raw = orders.next()
        assert len(raw) <= 512
        firsts.add(decode(raw).answers[0])
    assert firsts == set(made.message.answers)


def test_long_answers_have_few_orders(make: Any) -> None:
    orders = orders_of(response(make, 900, bytes_max=16000))
    orders.next()
    assert orders.count == orders_module.ORDERS_MIN
