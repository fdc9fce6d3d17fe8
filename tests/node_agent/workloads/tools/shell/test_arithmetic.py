"""$((...))."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node_agent.workloads.tools.shell.arithmetic import ArithmeticFault, evaluate


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", 0),
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("-7 / 2", -3),
        ("-7 % 2", -1),
        ("2 ** 3 ** 2", 512),
        ("1 < 2 && 3 > 2", 1),
        ("0 || 0", 0),
        ("1 ? 2 : 3", 2),
        ("0 ? 1/0 : 3", 3),
        ("1 || 1/0", 1),
        ("x", 5),
        ("x + y", 12),
        ("unset", 0),
        ("0x1f", 31),
        ("010", 8),
        ("2#101", 5),
        ("~0", -1),
        ("!3", 0),
        ("1 << 4 | 1", 17),
        ("9223372036854775807 + 1", -9223372036854775808),
        ("1, 2", 2),
    ],
)
def test_values(text, value):
    assert evaluate(text, {"x": "5", "y": "x + 2"}) == value


def test_assignment():
    variables = {"i": "1"}
    assert evaluate("i++", variables) == 1
    assert evaluate("++i", variables) == 3
    assert evaluate("j = i *= 2", variables) == 6
    assert evaluate("0 && (i = 100)", variables) == 0
    assert variables == {"i": "6", "j": "6"}


@pytest.mark.parametrize(
    "text", ["1 +", "(1", "1/0", "1 % 0", "a b", "09", "5 = 1", "2 ** -1", "$"]
)
def test_what_has_no_value(text):
    with pytest.raises(ArithmeticFault):
        evaluate(text, {})


@pytest.mark.parametrize("variables", [{"x": "x"}, {"x": "y", "y": "x"}])
def test_a_variable_that_means_itself(variables):
    with pytest.raises(ArithmeticFault):
        evaluate("x", variables)


@given(st.integers(-1000, 1000), st.integers(-1000, 1000), st.sampled_from("+-*|&^"))
def test_as_python_has_it(a, b, operator):
    assert evaluate(f"({a}) {operator} ({b})", {}) == eval(f"({a}) {operator} ({b})")


@given(st.text(alphabet="0123456789+-*/%()<>=!&|?: xy", max_size=20))
def test_any_text_has_a_value_or_a_fault(text):
    try:
        assert -(1 << 63) <= evaluate(text, {}) < 1 << 63
    except ArithmeticFault:
        return
