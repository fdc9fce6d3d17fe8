"""How answers to one address are put together."""

from hypothesis import given
from hypothesis import strategies as st

from cluster.aio.mmsg import RUN_BYTES_MAX, RUN_DATAGRAMS_MAX
from cluster.dns.answer_runs import Run, runs_of


def runs(*lengths: int) -> list[tuple[list[int], int]]:
    return [(list(run.slots), run.size) for run in runs_of(list(range(len(lengths))), lengths)]


def test_answers_of_one_length_are_one_run_and_a_shorter_one_may_end_it() -> None:
    assert runs(80) == [([0], 0)]
    assert runs(80, 80, 80) == [([0, 1, 2], 80)]
    assert runs(80, 70, 80) == [([0, 2, 1], 80)]
    assert runs(80, 70) == [([0, 1], 80)]


def test_other_lengths_begin_other_runs() -> None:
    assert runs(80, 70, 60, 50) == [([0, 1], 80), ([2, 3], 60)]
    assert runs(80, 80, 70, 70) == [([0, 1, 2], 80), ([3], 70)]


@given(st.lists(st.sampled_from([50, 51, 52, 1000, 2100]), min_size=1, max_size=64), st.randoms())
def test_every_answer_is_in_one_run_that_the_kernel_can_cut(
    lengths: list[int], dice: object
) -> None:
    slots = list(range(len(lengths)))
    dice.shuffle(slots)  # type: ignore[attr-defined]
    made: list[Run] = runs_of(list(slots), lengths)
    assert sorted(slot for run in made for slot in run.slots) == sorted(slots)
    for run in made:
        *all_but_last, last = [lengths[slot] for slot in run.slots]
        assert set(all_but_last) <= {run.size} and (not all_but_last or last <= run.size)
        assert sum(all_but_last) + last <= RUN_BYTES_MAX + run.size
        assert len(run.slots) <= RUN_DATAGRAMS_MAX
        assert len(run.slots) * run.size <= RUN_BYTES_MAX or len(run.slots) == 1
