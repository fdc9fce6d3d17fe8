"""Deadlines; the order of an end is proved with whole pods in test_pod_worker."""

from node_agent.kubelet.termination import Deadline


async def test_a_deadline_is_scaled(field):
    clock = field.ManualClock(scale=0.1)
    deadline = Deadline(clock, 30)
    assert deadline.left() == 3
    await clock.advance(10)
    assert deadline.left() == 0


async def test_a_second_delete_may_only_shorten_it(clock):
    deadline = Deadline(clock, 30)
    assert not deadline.shorten(60)
    assert deadline.left() == 30
    assert deadline.shorten(5)
    assert deadline.left() == 5
