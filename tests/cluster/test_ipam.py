import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.errors import PoolExhausted
from cluster.ipam import IpPool, Order


def test_a_node_range_keeps_network_gateway_and_broadcast_back() -> None:
    """P-21: at most 253 pods on a /24."""
    pool = IpPool("10.244.1.0/24")
    taken = [pool.take() for _ in range(253)]
    assert taken[0] == "10.244.1.2" and taken[-1] == "10.244.1.254"
    assert not {"10.244.1.0", "10.244.1.1", "10.244.1.255"} & set(taken)


def test_an_exhausted_pool_says_so_with_its_numbers() -> None:
    """P-23."""
    pool = IpPool("10.0.0.0/29")
    for _ in range(5):
        pool.take()
    assert pool.free == 0
    with pytest.raises(PoolExhausted, match=r"10\.0\.0\.0/29 has no free address: 5 taken, 3 kept"):
        pool.take()


def test_the_lowest_free_address_is_taken_first() -> None:
    pool = IpPool("10.0.0.0/24")
    first, second, third = pool.take(), pool.take(), pool.take()
    pool.release(third)
    pool.release(first)
    assert [pool.take(), pool.take()] == [first, third]
    assert pool.taken == [first, second, third]


def test_round_robin_does_not_reuse_a_freed_address_at_once() -> None:
    """P-22, P-8."""
    pool = IpPool("10.0.0.0/29", order=Order.ROUND_ROBIN)
    first = pool.take()
    pool.release(first)
    others = [pool.take() for _ in range(4)]
    assert first not in others
    assert pool.take() == first


def test_round_robin_goes_on_after_the_last_one_handed_out() -> None:
    """P-22."""
    pool = IpPool("10.0.0.0/28", order=Order.ROUND_ROBIN)
    for _ in range(3):
        pool.release(pool.take())
    assert pool.take() == "10.0.0.5"


def test_a_wanted_address_is_given_when_it_is_free() -> None:
    """P-8: a restarted agent gives its pods the addresses they had."""
    pool = IpPool("10.0.0.0/24")
    assert pool.take("10.0.0.77") == "10.0.0.77"
    assert pool.take("10.0.0.77") == "10.0.0.2"
    assert pool.take("10.0.0.1") == "10.0.0.3", "the gateway's is kept back"
    assert pool.take("10.9.9.9") == "10.0.0.4", "not of this range"


@pytest.mark.parametrize("cidr", ["127.65.0.7/32", "fd00::7/128"])
def test_a_range_of_one_address_gives_that_one(cidr: str) -> None:
    pool = IpPool(cidr)
    assert pool.take() == cidr.partition("/")[0]
    with pytest.raises(PoolExhausted):
        pool.take()


def test_what_is_kept_back_can_be_said() -> None:
    pool = IpPool("127.65.0.0/30", ["127.65.0.0"])
    assert [pool.take() for _ in range(3)] == ["127.65.0.1", "127.65.0.2", "127.65.0.3"]


def test_releasing_what_is_not_taken_is_fine() -> None:
    """P-100."""
    pool = IpPool("10.0.0.0/29")
    pool.release("10.0.0.4")
    pool.release("192.168.0.1")
    assert pool.take() == "10.0.0.2"


def test_an_ipv6_range_has_no_broadcast_and_is_not_walked_to_its_end() -> None:
    pool = IpPool("fd00::/64")
    assert pool.take() == "fd00::2"
    assert pool.free < 1 << 21


def test_an_address_outside_the_range_cannot_be_kept_back() -> None:
    with pytest.raises(ValueError, match=r"10\.1\.0\.1 does not lie in 10\.0\.0\.0/24"):
        IpPool("10.0.0.0/24", ["10.1.0.1"])


@given(st.sampled_from(Order), st.lists(st.integers(0, 9), max_size=60))
def test_no_address_is_ever_given_twice(order: Order, moves: list[int]) -> None:
    """P-1: unique among live pods. A move below 6 takes, any other releases the nth."""
    pool, live = IpPool("10.0.0.0/28", order=order), list[str]()
    for move in moves:
        if move < 6 and pool.free:
            ip = pool.take()
            assert ip not in live
            live.append(ip)
        elif live:
            pool.release(live.pop(move % len(live)))
    assert sorted(live) == sorted(pool.taken)
    assert pool.free == 13 - len(live)
