"""What a handler gives back: a status, a body, headers.

Pure: values only.
"""

from collections.abc import Iterator, Sequence
from dataclasses import field
from typing import Any

import orjson

from cluster.dataclass import dataclass
from cluster.errors import ApiError
from control.apiserver.codec import JSON

WARNINGS_CHARS_MAX = 4_096  # of all warnings together; beyond it each is cut, as upstream does
WARNING_CHARS_MAX = 256


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


def warning_headers(warnings: Sequence[str]) -> Iterator[str]:
    """Warnings as values of headers: what they quote is the client's, and of any length."""
    left = WARNINGS_CHARS_MAX
    shorten = sum(map(len, warnings)) > left
    for warning in warnings:
        shown = warning[:WARNING_CHARS_MAX] if shorten else warning
        left -= len(shown)
        if left < 0:
            return
        printable = "".join(each if each.isprintable() else " " for each in shown)
        quoted = printable.replace("\\", "\\\\").replace('"', '\\"')
        yield f'299 - "{quoted}"'
