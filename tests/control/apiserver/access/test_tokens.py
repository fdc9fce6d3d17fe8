"""Tokens: what is signed is read, and nothing else."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.apiserver.access.tokens import ISSUER, Bound, Claims, InvalidToken, read, signed

KEY = b"key"
NOW = 1_767_268_800.0
ACCOUNT = Bound("serviceaccount", "robot", "u-1")
CLAIMS = Claims("shop", ACCOUNT, (ISSUER,), NOW + 600, "id", Bound("pod", "web", "u-2"))


def test_a_token_says_what_was_signed() -> None:
    token = signed(CLAIMS, KEY, NOW)
    assert token.count(".") == 2 and token.startswith("ey")
    assert read(token, KEY, NOW) == CLAIMS
    unbound = dataclasses.replace(CLAIMS, bound=None)
    assert read(signed(unbound, KEY, NOW), KEY, NOW) == unbound
    assert CLAIMS.username == "system:serviceaccount:shop:robot"


@pytest.mark.parametrize(
    ("token", "why"),
    [
        (signed(CLAIMS, b"other", NOW), "signature"),
        (signed(CLAIMS, KEY, NOW)[:-2] + "xx", "signature|no token"),
        ("", "no token"),
        ("a.b", "no token"),
        ("a.b.c.d", "no token"),
        ("\ud800.b.c", "no token"),
        ("é.b.c", "signature|no token"),
        ("x" * 10_000, "no token"),
        (signed(dataclasses.replace(CLAIMS, expires=NOW - 60), KEY, NOW), "expired"),
    ],
)
def test_what_is_not_ours_or_over_is_worth_nothing(token: str, why: str) -> None:
    with pytest.raises(InvalidToken, match=why):
        read(token, KEY, NOW)


@given(st.text(max_size=60))
def test_any_text_is_a_token_or_none(text: str) -> None:
    with pytest.raises(InvalidToken):
        read(text, KEY, NOW)
