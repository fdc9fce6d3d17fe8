"""Secrets for one purpose each."""

import hashlib
import hmac

from cluster.wire.keys import ADMIN_TOKEN, KUBELET_TOKEN, derived_token

KEY, OTHER = b"k" * 32, b"K" * 32


def test_a_token_is_the_purpose_signed_with_the_key():
    expected = hmac.digest(KEY, ADMIN_TOKEN, hashlib.sha256).hex()
    assert derived_token(KEY, ADMIN_TOKEN) == expected
    assert len(expected) == 64


def test_everybody_who_holds_the_key_derives_the_same():
    assert derived_token(KEY, KUBELET_TOKEN) == derived_token(bytes(KEY), KUBELET_TOKEN)


def test_no_two_keys_and_no_two_purposes_share_a_token():
    tokens = {derived_token(k, p) for k in (KEY, OTHER) for p in (ADMIN_TOKEN, KUBELET_TOKEN)}
    assert len(tokens) == 4
