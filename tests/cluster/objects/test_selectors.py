import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.objects.selectors import (
    label_selector_from,
    parse_field_selector,
    parse_label_selector,
)

WEB = {"app": "web", "tier": "front", "release": ""}


@pytest.mark.parametrize(
    ("text", "selected"),
    [
        ("", True),
        ("  ", True),
        ("app=web", True),
        ("app==web", True),
        ("app = web , tier=front", True),
        ("app=cart", False),
        ("app!=cart", True),
        ("app!=web", False),
        ("missing!=web", True),
        ("app", True),
        ("missing", False),
        ("!missing", True),
        ("! missing", True),
        ("!app", False),
        ("app in (web, cart)", True),
        ("app in (cart)", False),
        ("app notin (cart,db)", True),
        ("missing notin (cart)", True),
        ("app notin (web)", False),
        ("release=", True),
        ("app=", False),
        ("release in ()", True),
        ("app in (cart,)", False),
        ("app=web,!debug,tier in (front,back)", True),
        ("app=web,debug", False),
        ("kubernetes.io/name=x", False),
        ("in in (in)", False),
    ],
)
def test_a_query_selects_by_every_requirement(text: str, selected: bool) -> None:
    assert parse_label_selector(text).matches(WEB) is selected


@pytest.mark.parametrize(("text", "selected"), [("n>3", True), ("n<4", False), ("n>9", False)])
def test_a_query_compares_integers(text: str, selected: bool) -> None:
    assert parse_label_selector(text).matches({"n": "4"}) is selected
    assert not parse_label_selector(text).matches({"n": "four"})
    assert not parse_label_selector(text).matches({})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("app=web,", "another requirement"),
        ("app=web tier=front", "expected ','"),
        (",app", "not a label key"),
        ("app,,tier", "not a label key"),
        ("app in web", "need (VALUE,...)"),
        ("app in (web", "need a ')'"),
        ("app in", "need (VALUE,...)"),
        ("app in (a b)", "expected ',' or ')'"),
        ("app ~ web", "not an operator"),
        ("!", "a label key must follow"),
        ("-app=web", "not a label key"),
        ("app=-web", "not a label value"),
        ("app=" + "x" * 64, "not a label value"),
        ("n>web", "needs one integer"),
    ],
)
def test_a_malformed_query_says_what_is_wrong(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        parse_label_selector(text)
    assert says in str(caught.value)


def test_no_selector_matches_nothing_and_an_empty_one_everything() -> None:
    """N-10."""
    assert not label_selector_from(None).matches({})
    assert not label_selector_from(None).matches(WEB)
    assert label_selector_from({}).matches(WEB)
    assert label_selector_from({}).matches({})


@pytest.mark.parametrize(
    ("operator", "values", "with_key", "without"),
    [
        ("In", ["web", "x"], True, False),
        ("In", ["x"], False, False),
        ("NotIn", ["web"], False, True),
        ("NotIn", ["x"], True, True),
        ("Exists", [], True, False),
        ("DoesNotExist", [], False, True),
    ],
)
def test_expressions_match_objects_with_and_without_the_key(
    operator: str, values: list[str], with_key: bool, without: bool
) -> None:
    """N-10: NotIn and DoesNotExist also match objects without the key."""
    selector = label_selector_from(
        {"matchExpressions": [{"key": "app", "operator": operator, "values": values}]}
    )
    assert selector.matches(WEB) is with_key
    assert selector.matches({"tier": "front"}) is without


def test_labels_and_expressions_are_anded() -> None:
    """N-10."""
    document = {
        "matchLabels": {"app": "web"},
        "matchExpressions": [{"key": "tier", "operator": "In", "values": ["back"]}],
    }
    assert not label_selector_from(document).matches(WEB)
    assert label_selector_from(document).matches({**WEB, "tier": "back"})


@pytest.mark.parametrize(
    "expression",
    [
        {"key": "app", "operator": "Like", "values": ["x"]},
        {"key": "app", "operator": "In", "values": []},
        {"key": "app", "operator": "Exists", "values": ["x"]},
        {"operator": "Exists"},
    ],
)
def test_an_expression_without_meaning_is_refused(expression: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"label"):
        label_selector_from({"matchExpressions": [expression]})


NAMES = st.text("abcz019", min_size=1, max_size=6)
VALUES = st.text("abcz019", max_size=6)
TERMS = st.one_of(
    st.tuples(NAMES, st.sampled_from(["=", "!="]), VALUES).map("".join),
    NAMES,
    NAMES.map(lambda name: f"!{name}"),
    st.tuples(
        NAMES, st.sampled_from(["in", "notin"]), st.lists(VALUES, min_size=2, max_size=4)
    ).map(lambda term: f"{term[0]} {term[1]} ({','.join(term[2])})"),
)


@given(st.lists(TERMS, max_size=5), st.dictionaries(NAMES, VALUES, max_size=4))
def test_a_selector_printed_and_read_again_selects_the_same(
    terms: list[str], labels: dict[str, str]
) -> None:
    selector = parse_label_selector(",".join(terms))
    assert parse_label_selector(str(selector)).matches(labels) is selector.matches(labels)


def test_field_selectors_compare_text_at_a_path() -> None:
    fields = {"metadata.name": "cart", "status.phase": "Running", "spec.nodeName": ""}
    getter = lambda path: fields.get(path, "")  # noqa: E731
    for text, selected in [
        ("", True),
        ("metadata.name=cart", True),
        ("metadata.name==cart,status.phase!=Failed", True),
        ("metadata.name=cart,status.phase=Failed", False),
        ("spec.nodeName=", True),
        ("spec.nodeName!=", False),
        ("metadata.name=cart,", True),
    ]:
        assert parse_field_selector(text).matches(getter) is selected, text


def test_a_field_selector_is_its_requirements() -> None:
    selector = parse_field_selector(r"a.b==c,d!=e\,f\=g\\")
    assert selector.requirements == (("a.b", "=", "c"), ("d", "!=", "e,f=g\\"))


@pytest.mark.parametrize("text", ["metadata.name", "=x", "a>b", "a=b\\"])
def test_a_malformed_field_selector_says_so(text: str) -> None:
    with pytest.raises(ValueError, match="field selector"):
        parse_field_selector(text)
