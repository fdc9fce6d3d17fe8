"""Requests for certificates: what was asked stays; nobody signs, and it is said."""

from control.resources.strategies.signing_requests import SIGNING_REQUEST


def test_what_was_asked_stays() -> None:
    old = {"metadata": {}, "spec": {"request": "a"}}
    new = {"metadata": {"labels": {"a": "b"}}, "spec": {"request": "b"}}
    assert SIGNING_REQUEST.updated(new, old) == {**new, "spec": {"request": "a"}}


def test_nobody_signs() -> None:
    (warning,) = SIGNING_REQUEST.warnings({})
    assert warning.startswith("spec.signerName: kubehop signs no certificates")
