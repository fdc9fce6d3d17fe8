"""What rules allow, and what they cover."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.apiserver.access.attributes import Attributes
from control.apiserver.access.rules import allows, uncovered


def rule(verbs: str, resources: str, groups: str = "-", names: str = "") -> dict[str, Any]:
    made = {"verbs": verbs.split(), "resources": resources.split()}
    made["apiGroups"] = ["" if group == "-" else group for group in groups.split()]
    return {**made, **({"resourceNames": names.split()} if names else {})}


def wish(verb: str, resource: str, group: str = "", name: str = "") -> Attributes:
    return Attributes(verb=verb, group=group, resource=resource, name=name)


@pytest.mark.parametrize(
    ("given_", "wanted", "allowed"),
    [
        (rule("get list", "pods"), wish("get", "pods"), True),
        (rule("get", "pods"), wish("list", "pods"), False),
        (rule("get", "pods"), wish("get", "pods/log"), False),
        (rule("get", "pods/log"), wish("get", "pods/log"), True),
        (rule("get", "*/log"), wish("get", "pods/log"), True),
        (rule("get", "*/scale"), wish("get", "pods"), False),
        (rule("*", "*", "*"), wish("escalate", "roles", "rbac.authorization.k8s.io"), True),
        (rule("get", "pods", "apps"), wish("get", "pods"), False),
        (rule("get", "pods", names="a"), wish("get", "pods", name="a"), True),
        (rule("get", "pods", names="a"), wish("get", "pods", name="b"), False),
        (rule("list", "pods", names="a"), wish("list", "pods"), False),
        ({"verbs": ["get"], "nonResourceURLs": ["*"]}, wish("get", "pods"), False),
    ],
)
def test_a_rule_allows_what_it_names(given_: Any, wanted: Attributes, allowed: bool) -> None:
    assert allows(given_, wanted) is allowed


@pytest.mark.parametrize(
    ("urls", "path", "allowed"),
    [
        (["/healthz"], "/healthz", True),
        (["/healthz"], "/healthz/ping", False),
        (["/healthz/*"], "/healthz/ping", True),
        (["*"], "/anything", True),
        ([], "/healthz", False),
    ],
)
def test_paths_may_end_in_a_star(urls: list[str], path: str, allowed: bool) -> None:
    given_ = {"verbs": ["get"], "nonResourceURLs": urls}
    assert allows(given_, Attributes(verb="get", path=path)) is allowed


def test_what_is_not_owned_is_told_part_by_part() -> None:
    owned = [rule("get list", "pods")]
    assert uncovered(owned, [rule("get", "pods")]) == []
    assert uncovered(owned, [rule("get delete", "pods secrets")]) == [
        {"verbs": ["get"], "apiGroups": [""], "resources": ["secrets"]},
        {"verbs": ["delete"], "apiGroups": [""], "resources": ["pods"]},
        {"verbs": ["delete"], "apiGroups": [""], "resources": ["secrets"]},
    ]
    assert uncovered([rule("get", "pods", names="a")], [rule("get", "pods")])
    assert not uncovered(owned, [rule("get", "pods", names="a")])
    assert uncovered([rule("*", "*", "*")], [{"verbs": ["get"], "nonResourceURLs": ["/x"]}])


WORDS = st.lists(st.sampled_from(["get", "list", "pods", "pods/log", "*"]), min_size=1, max_size=2)
RULES = st.lists(
    st.builds(
        lambda verbs, resources: {"verbs": verbs, "apiGroups": [""], "resources": resources},
        WORDS,
        WORDS,
    ),
    max_size=3,
)


@given(RULES, RULES, st.sampled_from(["get", "list"]), st.sampled_from(["pods", "pods/log"]))
def test_covered_rules_allow_nothing_new(owned: Any, wanted: Any, verb: str, what: str) -> None:
    asked = wish(verb, what)
    if not uncovered(owned, wanted) and any(allows(each, asked) for each in wanted):
        assert any(allows(each, asked) for each in owned)
