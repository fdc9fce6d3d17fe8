"""What a start tells."""

from cluster.launcher.progress import Progress, ProgressState, silent


def test_a_state_is_the_word_that_is_sent():
    assert [str(each) for each in ProgressState] == ["starting", "ready", "failed"]


def test_who_does_not_want_to_know_is_told_nothing():
    assert silent(Progress("control", ProgressState.READY, 0.1)) is None
