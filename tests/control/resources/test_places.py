"""Paths into documents, as messages spell them."""

from control.resources.places import Path, keyed, spelled


def test_names_are_dotted_and_indexes_bracketed() -> None:
    container: Path = ((None, "spec"), "containers"), 0
    assert spelled((container, "image")) == "spec.containers[0].image"


def test_a_map_s_key_is_bracketed() -> None:
    limits: Path = (None, "resources"), "limits"
    assert spelled(keyed(limits, "nvidia.com/gpu")) == "resources.limits[nvidia.com/gpu]"


def test_the_document_itself_has_no_path() -> None:
    assert spelled(None) == ""


def test_a_list_of_lists_has_one_bracket_an_index() -> None:
    assert spelled((((None, "rows"), 1), 2)) == "rows[1][2]"
