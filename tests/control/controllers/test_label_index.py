"""LabelIndex against a search through everything."""

from hypothesis import given
from hypothesis import strategies as st

from control.controllers.label_index import LabelIndex

LABELS = st.dictionaries(st.sampled_from("abc"), st.sampled_from("xy"), max_size=3)
OBJECTS = st.dictionaries(st.integers(0, 9), st.tuples(st.sampled_from("nm"), LABELS))


@given(OBJECTS, st.sets(st.integers(0, 9)), LABELS.filter(bool))
def test_every_object_that_matches_is_a_candidate_and_none_that_is_gone(
    objects: dict[int, tuple[str, dict[str, str]]], gone: set[int], wanted: dict[str, str]
) -> None:
    index = LabelIndex[int]()
    for key, (namespace, labels) in objects.items():
        index.put(key, namespace, labels)
    for key in gone & objects.keys():
        index.remove(key, *objects[key])
    left = {key: held for key, held in objects.items() if key not in gone}
    found = set(index.candidates("n", wanted))
    matching = {
        key
        for key, (namespace, labels) in left.items()
        if namespace == "n" and wanted.items() <= labels.items()
    }
    assert matching <= found
    rarest = min(
        sum(namespace == "n" and pair in labels.items() for namespace, labels in left.values())
        for pair in wanted.items()
    )
    assert len(found) == rarest


def test_an_index_whose_objects_are_gone_holds_nothing() -> None:
    index = LabelIndex[int]()
    index.put(1, "n", {"a": "x", "b": "y"})
    index.remove(1, "n", {"a": "x", "b": "y"})
    assert index._keys == {}
