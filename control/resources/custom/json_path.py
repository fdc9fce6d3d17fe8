"""The part of JSONPath that definitions use: columns, scales, selectable fields.

    .spec.size   .metadata.annotations.a\\.b   .x[0]   .x[*]   ['a.b']
    .status.conditions[?(@.type=="Ready")].status

Pure: a path is read once into steps, and then asked of documents. Source: kubernetes.io, "JSONPath
Support"; k8s.io/client-go/util/jsonpath.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from cluster.dataclass import dataclass

PATH_CHARS_MAX = 4_096

Step = Callable[[Any], Iterable[Any]]

_NAME = re.compile(r"\.((?:\\.|[^.\[\]\\{}()'\"\s])+)")
_INDEX = re.compile(r"\[(-?\d{1,9})\]")
_QUOTED = re.compile(r"\[(?:'((?:\\.|[^'\\])*)'|\"((?:\\.|[^\"\\])*)\")\]")
_EACH = re.compile(r"\[\*\]|\.\*")
_FILTER = re.compile(
    r"\[\?\(\s*@((?:\.(?:\\.|[^.\[\]\\{}()'\"\s=!<>])+)+)\s*"
    r"(?:(==|!=)\s*(?:'([^']*)'|\"([^\"]*)\"|(true|false|-?\d+(?:\.\d+)?)))?\s*\)\]"
)


class PathFault(ValueError):
    """A path that cannot be read."""


@dataclass(frozen=True, slots=True)
class JsonPath:
    """A path as steps, each from a value to those below it."""

    text: str
    steps: tuple[Step, ...]

    def all(self, document: Any) -> list[Any]:
        """Everything that the path leads to."""
        found = [document]
        for step in self.steps:
            found = [below for each in found for below in step(each)]
        return found

    def first(self, document: Any) -> Any:
        """The first of it; None where there is nothing."""
        return next(iter(self.all(document)), None)


def parse_path(text: str) -> JsonPath:
    """Read a path; PathFault where it is none."""
    if len(text) > PATH_CHARS_MAX:
        raise PathFault(f"longer than {PATH_CHARS_MAX} characters")
    return JsonPath(text, tuple(_steps(text)))


def _steps(text: str) -> Iterator[Step]:
    at = 0
    while at < len(text):
        for pattern, make in _READERS:
            match = pattern.match(text, at)
            if match is not None:
                yield make(match)
                at = match.end()
                break
        else:
            raise PathFault(f"nothing that can be read at {text[at : at + 20]!r}")


def names_of(text: str) -> tuple[str, ...]:
    """The names of a path without lists and filters, as scales have them; PathFault."""
    found, at = [], 0
    while at < len(text):
        match = _NAME.match(text, at)
        if match is None:
            raise PathFault(f"only names are allowed, not {text[at : at + 20]!r}")
        found.append(_plain(match[1]))
        at = match.end()
    return tuple(found)


def _plain(name: str) -> str:
    return re.sub(r"\\(.)", r"\1", name)


def _named(name: str) -> Step:
    def step(value: Any) -> Iterable[Any]:
        return (value[name],) if isinstance(value, dict) and name in value else ()

    return step


def _indexed(index: int) -> Step:
    def step(value: Any) -> Iterable[Any]:
        inside = isinstance(value, list) and -len(value) <= index < len(value)
        return (value[index],) if inside else ()

    return step


def _each(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _filtered(match: re.Match[str]) -> Step:
    inner = [_named(_plain(each)) for each in re.findall(_NAME, match[1])]
    operator, wanted = match[2], _operand(match)

    def passes(item: Any) -> bool:
        found = JsonPath("", tuple(inner)).all(item)
        if not operator:
            return bool(found)
        return bool(found) and (found[0] == wanted) == (operator == "==")

    def step(value: Any) -> Iterable[Any]:
        return [each for each in _each(value) if passes(each)]

    return step


def _operand(match: re.Match[str]) -> Any:
    if match[5] is None:
        return match[3] if match[3] is not None else match[4]
    if match[5] in ("true", "false"):
        return match[5] == "true"
    return float(match[5]) if "." in match[5] else int(match[5])


_READERS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Step]], ...] = (
    (_EACH, lambda match: _each),
    (_NAME, lambda match: _named(_plain(match[1]))),
    (_INDEX, lambda match: _indexed(int(match[1]))),
    (_QUOTED, lambda match: _named(_plain(match[1] if match[1] is not None else match[2]))),
    (_FILTER, _filtered),
)
