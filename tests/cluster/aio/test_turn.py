"""A turn gathers what is sent in it, once, and lends its memory again and again."""

import asyncio

import pytest

from cluster.aio.turn import UNUSED_MAX, Turn, turn_of_loop


class Gatherer:
    def __init__(self, turn: Turn) -> None:
        self.turn = turn
        self.flushed = 0

    def gather(self) -> None:
        self.turn.give_back(self.turn.lend(self))

    def flush(self) -> None:
        self.flushed += 1


async def test_a_loop_has_one_turn_and_another_loop_another() -> None:
    mine = turn_of_loop()
    assert turn_of_loop() is mine

    async def turn() -> Turn:
        return turn_of_loop()

    assert await asyncio.to_thread(lambda: asyncio.run(turn())) is not mine


async def test_whoever_gathered_is_told_when_the_turn_ends() -> None:
    turn = turn_of_loop()
    each = Gatherer(turn)
    turn.hold()
    each.gather()
    assert (turn.holding, each.flushed) == (True, 0)
    await asyncio.sleep(0)
    assert (turn.holding, each.flushed) == (False, 1)
    turn.end()
    assert each.flushed == 1


async def test_the_outermost_batch_ends_the_turn() -> None:
    turn = Turn()
    assert turn.begin()
    assert not turn.begin()
    each = Gatherer(turn)
    each.gather()
    turn.end()
    assert not turn.holding and each.flushed == 1


def test_memory_is_lent_again() -> None:
    turn = Turn()
    each = Gatherer(turn)
    first, second = turn.lend(each), turn.lend(each)
    assert first is not second
    turn.give_back(first)
    assert turn.lend(each) is first


def test_no_more_memory_is_kept_than_is_often_needed() -> None:
    turn = Turn()
    each = Gatherer(turn)
    lent = [turn.lend(each) for _ in range(UNUSED_MAX + 1)]
    for outgoing in lent:
        turn.give_back(outgoing)
    again = [turn.lend(each) for _ in lent]
    assert sum(any(one is other for other in lent) for one in again) == UNUSED_MAX


@pytest.mark.parametrize("coalesced", [True, False])
def test_what_comes_is_received_in_the_same_memory(coalesced: bool) -> None:
    turn = Turn()
    batch = turn.batch_for(2, coalesced=coalesced)
    assert turn.batch_for(2, coalesced=coalesced) is batch
    assert turn.batch_for(2, coalesced=not coalesced) is not batch
