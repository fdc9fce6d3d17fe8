"""Refusals of the API as exceptions."""

import orjson

from cluster.client.errors import error_of, event_error


def test_a_status_is_taken_as_it_is() -> None:
    status = {"kind": "Status", "code": 409, "reason": "Conflict", "message": "too late"}
    error = error_of(409, "Conflict", orjson.dumps(status))
    assert (error.code, error.reason, str(error)) == (409, "Conflict", "too late")


def test_a_status_without_a_code_has_that_of_the_answer() -> None:
    assert error_of(404, "Not Found", b'{"kind":"Status","reason":"NotFound"}').code == 404


def test_anything_else_is_quoted_with_a_bound() -> None:
    error = error_of(502, "Bad Gateway", b"<html>" + b"x" * 1000)
    assert error.code == 502
    assert str(error).startswith("the API server answered 502 Bad Gateway: <html>xxx")
    assert len(str(error)) < 300


def test_an_error_event_is_its_status() -> None:
    error = event_error({"kind": "Status", "code": 410, "reason": "Expired", "message": "old"})
    assert (error.code, error.reason) == (410, "Expired")


def test_an_error_event_without_a_status_is_still_an_error() -> None:
    assert event_error("nonsense").code == 500
