"""Answers as bytes."""

from cluster.errors import ApiError
from control.apiserver.answer import (
    WARNING_CHARS_MAX,
    WARNINGS_CHARS_MAX,
    answer_error,
    answer_json,
    answer_text,
    warning_headers,
)


def test_a_document_is_json_and_a_text_is_text() -> None:
    made = answer_json({"a": 1}, 201)
    assert (made.body, made.code, made.content_type) == (b'{"a":1}', 201, "application/json")
    told = answer_text("ok")
    assert (told.body, told.code) == (b"ok", 200)
    assert told.content_type.startswith("text/plain")


def test_a_refusal_is_its_status_with_its_code() -> None:
    made = answer_error(ApiError({"code": 404, "reason": "NotFound", "message": "no"}))
    assert made.code == 404
    assert b'"reason":"NotFound"' in made.body


def test_warnings_are_quoted_and_hold_on_one_line() -> None:
    assert list(warning_headers(['unknown field "a\\b"'])) == [
        '299 - "unknown field \\"a\\\\b\\""',
    ]
    [value] = warning_headers(["a\r\nSet-Cookie: b\0\x7f"])
    assert value == '299 - "a  Set-Cookie: b  "'


def test_warnings_beyond_the_limit_are_cut_one_by_one_and_then_left_out() -> None:
    few = ["x" * (WARNINGS_CHARS_MAX - 1), "y"]
    assert [len(each) for each in warning_headers(few)] == [
        WARNINGS_CHARS_MAX - 1 + len('299 - ""'),
        1 + len('299 - ""'),
    ]
    many = list(warning_headers([f"{number} " + "x" * 1_000_000 for number in range(100)]))
    assert len(many) == WARNINGS_CHARS_MAX // WARNING_CHARS_MAX
    assert {len(each) for each in many} == {WARNING_CHARS_MAX + len('299 - ""')}
