"""Rules in CEL."""

from typing import Any

import pytest

from control.resources.custom import rules
from control.resources.custom.rules import escaped, has_rules, rule_causes, rule_faults
from control.resources.custom.structure import structure_causes

needs_cel = pytest.mark.skipif(not rules.available(), reason="cel-expr-python is not installed")


def ruled(*given: dict[str, Any] | str, **properties: Any) -> dict[str, Any]:
    listed = [{"rule": each} if isinstance(each, str) else each for each in given]
    return {"type": "object", "properties": properties, "x-kubernetes-validations": listed}


WHOLE = {"type": "integer"}
TEXT = {"type": "string"}


def told(schema: dict[str, Any], new: Any, *old: Any) -> list[str]:
    wrapped = {"type": "object", "properties": {"spec": schema}}
    before = [{"spec": each} for each in old]
    found = rule_causes(wrapped, {"spec": new}, *before)
    return [f"{each.field}: {each.message}" for each in found]


@needs_cel
@pytest.mark.parametrize(
    ("rule", "value"),
    [
        ("self.a <= self.b", {"a": 1, "b": 2}),
        ("!has(self.t) || self.t == 'x'", {"a": 1}),
        ("self.t.startsWith('x') && self.t.size() < 4", {"t": "xyz"}),
        ("self.t.matches('^x')", {"t": "xyz"}),
        ("self.l.all(e, e > 0)", {"l": [1, 2]}),
        ("self.n * 2.0 > 3.0", {"n": 2}),
        (
            "timestamp(self.when) > timestamp('2026-01-01T00:00:00Z')",
            {"when": "2026-05-01T00:00:00Z"},
        ),
        ("self.__namespace__ == 'a'", {"namespace": "a"}),
        ("self.a__dash__b == 1", {"a-b": 1}),
        ("self.t.lowerAscii() == 'x'", {"t": "X"}),
    ],
)
def test_a_rule_that_holds_says_nothing(rule: str, value: dict[str, Any]) -> None:
    schema = ruled(
        rule,
        a=WHOLE,
        b=WHOLE,
        t=TEXT,
        l={"type": "array", "items": WHOLE},
        n={"type": "number"},
        when={"type": "string", "format": "date-time"},
        namespace=TEXT,
        **{"a-b": WHOLE},
    )
    assert told(schema, value) == []


@needs_cel
@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"rule": "self.a > 1"}, 'spec: Invalid value: "object": failed rule: self.a > 1'),
        (
            {"rule": "self.a > 1", "message": "too small"},
            'spec: Invalid value: "object": too small',
        ),
        (
            {"rule": "self.a > 1", "messageExpression": "'is ' + string(self.a)"},
            'spec: Invalid value: "object": is 1',
        ),
        (
            {"rule": "self.a > 1", "messageExpression": "self.none", "message": "small"},
            'spec: Invalid value: "object": small',
        ),
        (
            {"rule": "self.a > 1", "reason": "FieldValueForbidden", "fieldPath": ".a"},
            "spec.a: Forbidden: failed rule: self.a > 1",
        ),
    ],
)
def test_a_rule_that_does_not_hold_is_told(rule: dict[str, Any], words: str) -> None:
    assert told(ruled(rule, a=WHOLE), {"a": 1}) == [words]


@needs_cel
def test_a_rule_that_cannot_be_answered_is_told() -> None:
    [words] = told(ruled("self.b > 1", a=WHOLE, b=WHOLE), {"a": 1})
    assert words.startswith('spec: Invalid value: "object": ')
    assert words.endswith("evaluating rule: self.b > 1")


@needs_cel
def test_a_rule_about_changes_is_asked_of_changes_alone() -> None:
    schema = ruled({"rule": "self.a == oldSelf.a", "message": "a is immutable"}, a=WHOLE)
    assert told(schema, {"a": 1}) == []
    assert told(schema, {"a": 1}, {"a": 1}) == []
    assert told(schema, {"a": 2}, {"a": 1}) == ['spec: Invalid value: "object": a is immutable']


@needs_cel
def test_items_of_a_map_are_told_apart_by_their_keys() -> None:
    item = ruled("self.v >= oldSelf.v", k=TEXT, v=WHOLE)
    listing = {
        "type": "array",
        "items": item,
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["k"],
    }
    old = [{"k": "a", "v": 5}, {"k": "b", "v": 1}]
    new = [{"k": "b", "v": 2}, {"k": "a", "v": 4}, {"k": "c", "v": 0}]
    assert told(listing, new, old) == [
        'spec[1]: Invalid value: "object": failed rule: self.v >= oldSelf.v'
    ]
    assert told({**listing, "x-kubernetes-list-type": "atomic"}, new, old) == []


@needs_cel
@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"rule": "self.a >"}, '.rule: Invalid value: "self.a >": compilation failed: '),
        ({"rule": "nobody > 1"}, "undeclared reference to 'nobody'"),
        ({"rule": "quantity(self.a).isGreaterThan(1)"}, "compilation failed"),
        ({"rule": " "}, ".rule: Required value: rule is not specified"),
        ({"rule": "self.a > 1", "messageExpression": "("}, ".messageExpression: Invalid value"),
        ({"rule": "self.a > 1", "optionalOldSelf": True}, "optionalOldSelf is not served here"),
        ({"rule": "self.a > 1", "reason": "Odd"}, '.reason: Invalid value: "Odd"'),
        ({"rule": "self.a > 1" + " " * 3_000}, "longer than 2048 characters"),
    ],
)
def test_a_rule_that_is_none_is_refused(given: dict[str, Any], words: str) -> None:
    found = [f"{each.field}: {each.message}" for each in rule_faults(ruled(given, a=WHOLE), "s")]
    assert any(words in each for each in found), found
    assert found[0].startswith("s.x-kubernetes-validations[0]")


def test_without_the_library_a_rule_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "available", lambda: False)
    schema = {"type": "object", "properties": {"spec": ruled("self.a > 1", a=WHOLE)}}
    [cause] = structure_causes(schema, "s")
    assert cause.field == "s.properties[spec].x-kubernetes-validations[0]"
    assert cause.message.startswith("Forbidden: rules need the package cel-expr-python")


def test_names_that_cel_has_another_use_for_are_escaped() -> None:
    assert [escaped(each) for each in ("a", "namespace", "a.b", "a__b", "a/b-c")] == [
        "a",
        "__namespace__",
        "a__dot__b",
        "a__underscores__b",
        "a__slash__b__dash__c",
    ]


def test_rules_are_found_wherever_they_are() -> None:
    inner = {"type": "array", "items": ruled("true")}
    assert has_rules({"type": "object", "properties": {"a": inner}})
    assert not has_rules({"type": "object", "properties": {"a": {"type": "array", "items": TEXT}}})
