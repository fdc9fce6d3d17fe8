"""Amounts in their one spelling. The cases are those of Kubernetes' documentation of Quantity."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.resources.quantities import BINARY, DECIMAL, canonical_quantity, nanos_of

UNITS = {
    **{suffix: Fraction(10) ** power for suffix, power in DECIMAL.items()},
    **{suffix: Fraction(2) ** bits for suffix, bits in BINARY.items()},
}


@pytest.mark.parametrize(
    ("text", "spelling"),
    [
        ("1", "1"),
        ("1000m", "1"),
        ("0.5", "500m"),
        (".5", "500m"),
        ("1.", "1"),
        ("1.5", "1500m"),
        ("1500", "1500"),
        ("1000000", "1M"),
        ("100m", "100m"),
        ("+1", "1"),
        ("-1.5", "-1500m"),
        ("0", "0"),
        ("-0", "0"),
        ("0.000", "0"),
    ],
)
def test_a_decimal_amount_has_no_fraction_and_the_largest_suffix(text: str, spelling: str) -> None:
    assert canonical_quantity(text) == spelling


@pytest.mark.parametrize(
    ("text", "spelling"),
    [
        ("1024Ki", "1Mi"),
        ("1.5Gi", "1536Mi"),
        ("1000Ki", "1000Ki"),
        ("1Ei", "1Ei"),
        ("0.5Mi", "512Ki"),
        ("0.5Ki", "512"),
        ("0.9765625Ki", "1k"),
        ("0.0001Ki", "102400u"),
    ],
)
def test_a_binary_amount_stays_binary_where_it_can(text: str, spelling: str) -> None:
    assert canonical_quantity(text) == spelling


@pytest.mark.parametrize(
    ("text", "spelling"),
    [("1e3", "1e3"), ("1.5e3", "1500"), ("1E-3", "1e-3"), ("1e30", "1e30"), ("12e6", "12e6")],
)
def test_an_exponent_stays_an_exponent(text: str, spelling: str) -> None:
    assert canonical_quantity(text) == spelling


@pytest.mark.parametrize(
    ("text", "spelling"),
    [
        ("0.1n", "1n"),
        ("0.0000000001", "1n"),
        ("-0.1n", "-1n"),
        ("1024Ei", "9223372036854775807"),
        ("99999999999999999999", "9223372036854775807"),
        ("10E", "10E"),
    ],
)
def test_what_is_too_fine_is_rounded_up_and_what_is_too_large_is_capped(
    text: str, spelling: str
) -> None:
    assert canonical_quantity(text) == spelling


@pytest.mark.parametrize(
    "text", ["", "x", "1K", "1mi", "1 Gi", "1e", "e3", "--1", "1..2", ".", "1e1000", "٣", "9" * 101]
)
def test_anything_else_is_no_quantity(text: str) -> None:
    assert canonical_quantity(text) is None


@given(
    st.sampled_from(["", "-"]),
    st.integers(0, 10**6),
    st.integers(0, 999),
    st.sampled_from(["n", "u", "m", "", "k", "M", "G", "Ki", "Mi", "Gi"]),
)
def test_the_amount_stays_the_same(sign: str, whole: int, thousandths: int, suffix: str) -> None:
    text = f"{sign}{whole}.{thousandths:03}{suffix}"
    spelling = canonical_quantity(text)
    assert spelling is not None
    assert canonical_quantity(spelling) == spelling
    exact = _value(text)
    rounded = abs(exact) * 10**9
    expected = Fraction(-((-rounded.numerator) // rounded.denominator), 10**9)
    assert _value(spelling) == (-expected if exact < 0 else expected)


def _value(text: str) -> Fraction:
    number = text.rstrip("".join(UNITS))
    return Fraction(number) * UNITS[text.removeprefix(number)]


@pytest.mark.parametrize(
    ("text", "nanos"),
    [
        ("1", 10**9),
        ("500m", 5 * 10**8),
        ("1Ki", 1024 * 10**9),
        ("-2k", -2000 * 10**9),
        ("1e3", 10**12),
        ("x", 0),
        ("", 0),
    ],
)
def test_amounts_can_be_compared_and_added(text: str, nanos: int) -> None:
    assert nanos_of(text) == nanos
