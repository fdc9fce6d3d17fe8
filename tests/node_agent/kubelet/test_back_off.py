"""When a container that ended may start again."""

from node_agent.kubelet.back_off import BackOff


def delays(count: int, scale: float = 1.0) -> list[float]:
    back_off, now, found = BackOff(), 0.0, []
    for _ in range(count):
        back_off = back_off.after_end(now, scale)
        found.append(back_off.until - now)
        now = back_off.until
    return found


def test_the_first_restart_is_at_once_then_the_pause_doubles_from_10_s_to_300_s():
    """P-42."""
    assert delays(9) == [0, 10, 20, 40, 80, 160, 300, 300, 300]


def test_ten_minutes_without_a_failure_reset_it():
    """P-42."""
    back_off = BackOff()
    for now in (0.0, 0.0, 0.0):
        back_off = back_off.after_end(now, 1.0)
    assert back_off.delay_seconds == 20
    assert back_off.after_end(back_off.until + 599, 1.0).delay_seconds == 40
    assert back_off.after_end(back_off.until + 601, 1.0).delay_seconds == 0


def test_the_time_scale_shortens_the_pauses_and_not_the_number_that_is_told():
    assert delays(4, scale=0.1) == [0, 1, 2, 4]
    back_off = BackOff().after_end(0, 0.1).after_end(0, 0.1)
    assert back_off.delay_seconds == 10


def test_a_container_waits_until_its_pause_is_over():
    back_off = BackOff().after_end(0, 1.0).after_end(0, 1.0)
    assert back_off.waits(9.9)
    assert not back_off.waits(10.0)
