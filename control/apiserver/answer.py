"""What a handler gives back: a status, a body, headers.

Pure: values only.
"""

from dataclasses import dataclass, field
from typing import Any

import orjson

from cluster.errors import ApiError
from control.apiserver.codec import JSON


@dataclass(frozen=True, slots=True)
class Answer:
    """One finished response."""

    body: bytes
    code: int = 200
    content_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def answer_json(document: Any, code: int = 200) -> Answer:
    """A document as JSON."""
    return Answer(orjson.dumps(document), code)


def answer_text(text: str, code: int = 200) -> Answer:
    """Plain text."""
    return Answer(text.encode(), code, "text/plain; charset=utf-8")


def answer_error(error: ApiError) -> Answer:
    """A refusal."""
    return Answer(orjson.dumps(error.status), error.code)
