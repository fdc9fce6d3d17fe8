"""Answers as bytes."""

from cluster.errors import ApiError
from control.apiserver.answer import answer_error, answer_json, answer_text


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
