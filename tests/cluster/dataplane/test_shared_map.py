from hypothesis import given
from hypothesis import strategies as st

from cluster.dataplane.shared_map import SharedMap

CHANGES = st.dictionaries(st.integers(0, 200), st.integers() | st.none(), max_size=40)


@given(st.lists(CHANGES, max_size=20))
def test_it_behaves_as_a_dict_and_never_changes(batches: list[dict[int, int | None]]) -> None:
    shared: SharedMap[int, int] = SharedMap()
    plain: dict[int, int] = {}
    history = [(shared, dict(plain))]
    for batch in batches:
        shared = shared.updated(batch)
        plain.update({key: value for key, value in batch.items() if value is not None})
        for key in [key for key, value in batch.items() if value is None]:
            plain.pop(key, None)
        history.append((shared, dict(plain)))
    for held, expected in history:
        assert held == expected and len(held) == len(expected)
        assert all(held.get(key) == expected.get(key) for key in range(201))


@given(CHANGES, CHANGES)
def test_changed_keys_are_those_whose_values_differ(
    first: dict[int, int | None], second: dict[int, int | None]
) -> None:
    before = SharedMap[int, int]().updated(first)
    after = before.updated(second)
    differing = {key for key in range(201) if before.get(key) != after.get(key)}
    assert after.changed_keys(before) == differing


def test_changed_keys_are_found_across_growth() -> None:
    before = SharedMap({number: number for number in range(1000)})
    after = before.updated({number: number for number in range(1000, 20000)})
    assert after.changed_keys(before) == set(range(1000, 20000))


def test_a_successor_shares_all_shards_but_the_changed_one() -> None:
    before = SharedMap({number: number for number in range(50_000)})
    after = before.updated({7: 8})
    differing = [a for a, b in zip(before._shards, after._shards, strict=True) if a is not b]
    assert len(differing) == 1
    assert len(differing[0]) < 1000


def test_no_change_makes_no_new_map() -> None:
    before = SharedMap({1: 1})
    assert before.updated({}) is before
    assert before.updated({1: before[1]}) is before is before.updated({2: None})


def test_a_missing_key_is_a_key_error_and_none_to_get() -> None:
    shared = SharedMap({"a": 1})
    assert shared.get("b") is None and "b" not in shared and shared["a"] == 1
    try:
        shared["b"]
    except KeyError as error:
        assert error.args == ("b",)
    else:
        raise AssertionError("a missing key was found")
