"""Label and field selectors: which objects does this select?

Pure: no I/O.
A label selector comes as text in a query (`app=cart,tier in (web,api),!debug`) or as a document
(`matchLabels`, `matchExpressions`); both become one list of requirements, all of which must hold.
Spec: N-10, S-152; kubernetes.io, "Labels and Selectors", "Field Selectors".
"""

import re
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Any

from cluster.dataclass import dataclass

_PREFIX = r"(?:[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?/)?"
_KEY = re.compile(_PREFIX + r"[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_VALUE = re.compile(r"(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
_TOKEN = re.compile(r"\s*(==|!=|[=!<>(),]|[^\s=!<>(),]+)")
_SEPARATOR = re.compile(r"==|!=|[=!<>(),]")
_FIELD_PART = re.compile(r"((?:\\.|[^\\,])*)(?:,|$)")
_FIELD_TERM = re.compile(r"((?:\\.|[^\\=!])+)(==|!=|=)((?:\\.|[^\\])*)")


class Operator(StrEnum):
    """The operators of a requirement, spelled as documents spell them."""

    IN = "In"
    NOT_IN = "NotIn"
    EXISTS = "Exists"
    DOES_NOT_EXIST = "DoesNotExist"
    GREATER = "Gt"
    LESS = "Lt"


_SET_OPERATORS = (Operator.IN, Operator.NOT_IN)
_IN = Operator.IN


@dataclass(frozen=True, slots=True)
class Requirement:
    """One condition on one label."""

    key: str
    operator: Operator
    values: tuple[str, ...] = ()

    def holds(self, labels: Mapping[str, str]) -> bool:
        """Whether the labels meet it; NotIn and DoesNotExist also hold without the key (N-10)."""
        held = labels.get(self.key)
        if self.operator is _IN:  # nearly all are
            return held in self.values
        match self.operator:
            case Operator.IN:
                return held in self.values
            case Operator.NOT_IN:
                return held not in self.values
            case Operator.EXISTS:
                return held is not None
            case Operator.DOES_NOT_EXIST:
                return held is None
            case Operator.GREATER:
                return _is_integer(held) and int(held or 0) > int(self.values[0])
            case Operator.LESS:
                return _is_integer(held) and int(held or 0) < int(self.values[0])

    def __str__(self) -> str:
        match self.operator:
            case Operator.IN if len(self.values) == 1:
                return f"{self.key}={self.values[0]}"
            case Operator.NOT_IN if len(self.values) == 1:
                return f"{self.key}!={self.values[0]}"
            case Operator.EXISTS:
                return self.key
            case Operator.DOES_NOT_EXIST:
                return f"!{self.key}"
            case Operator.GREATER | Operator.LESS:
                return (
                    f"{self.key}{'>' if self.operator is Operator.GREATER else '<'}{self.values[0]}"
                )
            case _:
                return f"{self.key} {self.operator.lower()} ({','.join(self.values)})"


@dataclass(frozen=True, slots=True)
class LabelSelector:
    """Requirements that must all hold; none at all selects everything, unless `nothing`."""

    requirements: tuple[Requirement, ...] = ()
    nothing: bool = False

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether an object with these labels is selected."""
        for each in self.requirements:
            if not each.holds(labels):
                return False
        return not self.nothing

    @property
    def everything(self) -> bool:
        """Whether it selects every object."""
        return not self.nothing and not self.requirements

    def __str__(self) -> str:
        return "<nothing>" if self.nothing else ",".join(map(str, self.requirements))


def label_selector_from(document: Mapping[str, Any] | None) -> LabelSelector:
    """Read a `metav1.LabelSelector`: None selects nothing, {} everything (N-10)."""
    if document is None:
        return LabelSelector(nothing=True)
    labels = document.get("matchLabels") or {}
    expressions = document.get("matchExpressions") or ()
    pairs = tuple(_requirement(key, Operator.IN, (value,)) for key, value in sorted(labels.items()))
    return LabelSelector((*pairs, *map(_expression, expressions)))


def _expression(document: Mapping[str, Any]) -> Requirement:
    text = document.get("operator")
    if text not in set(Operator):
        known = ", ".join(Operator)
        raise ValueError(f"{text!r} is not a label selector operator; operators: {known}")
    operator = Operator(str(text))
    return _requirement(str(document.get("key", "")), operator, document.get("values") or ())


def _requirement(key: str, operator: Operator, values: Iterable[str]) -> Requirement:
    """A requirement that makes sense; ValueError says what does not."""
    held = tuple(values)
    if not _KEY.fullmatch(key):
        raise ValueError(f"{key!r} is not a label key: [PREFIX/]NAME, at most 63 characters a name")
    for value in held:
        if not _VALUE.fullmatch(value):
            raise ValueError(
                f"{value!r} is not a label value: at most 63 letters, digits, '-', '_' or '.', "
                "beginning and ending with a letter or digit"
            )
    if operator in _SET_OPERATORS and not held:
        raise ValueError(f"label {key}: operator {operator} needs at least one value")
    if operator in (Operator.EXISTS, Operator.DOES_NOT_EXIST) and held:
        raise ValueError(f"label {key}: operator {operator} takes no values, got {list(held)}")
    if operator in (Operator.GREATER, Operator.LESS) and not (
        len(held) == 1 and _is_integer(held[0])
    ):
        raise ValueError(f"label {key}: operator {operator} needs one integer, got {list(held)}")
    return Requirement(key, operator, held)


def _is_integer(text: str | None) -> bool:
    return text is not None and text.removeprefix("-").isdecimal()


def parse_label_selector(text: str) -> LabelSelector:
    """Read the `labelSelector` of a query; the empty text selects everything."""
    tokens = _tokens(text)
    requirements: list[Requirement] = []
    while tokens:
        requirements.append(_parse_requirement(tokens, text))
        if tokens and (tokens.pop() != "," or not tokens):
            raise ValueError(f"label selector {text!r}: expected ',' and another requirement")
    return LabelSelector(tuple(requirements))


def _tokens(text: str) -> list[str]:
    """The tokens, last one first, so that the parser pops them."""
    stripped = text.strip()
    return [match.group(1) for match in _TOKEN.finditer(stripped)][::-1]


def _parse_requirement(tokens: list[str], text: str) -> Requirement:
    if tokens[-1] == "!":
        tokens.pop()
        return _requirement(_word(tokens, text), Operator.DOES_NOT_EXIST, ())
    key = _word(tokens, text)
    if not tokens or tokens[-1] == ",":
        return _requirement(key, Operator.EXISTS, ())
    match tokens.pop():
        case "=" | "==":
            return _requirement(key, Operator.IN, (_value(tokens),))
        case "!=":
            return _requirement(key, Operator.NOT_IN, (_value(tokens),))
        case "in":
            return _requirement(key, Operator.IN, _value_set(tokens, text))
        case "notin":
            return _requirement(key, Operator.NOT_IN, _value_set(tokens, text))
        case ">":
            return _requirement(key, Operator.GREATER, (_value(tokens),))
        case "<":
            return _requirement(key, Operator.LESS, (_value(tokens),))
        case other:
            raise ValueError(
                f"label selector {text!r}: {other!r} after {key!r} is not an operator; "
                "operators: =, ==, !=, in, notin, <, >"
            )


def _word(tokens: list[str], text: str) -> str:
    if not tokens:
        raise ValueError(f"label selector {text!r} ends where a label key must follow")
    if _SEPARATOR.fullmatch(tokens[-1]):
        raise ValueError(f"label selector {text!r}: {tokens[-1]!r} is not a label key")
    return tokens.pop()


def _value(tokens: list[str]) -> str:
    """A value may be empty: `key=` and `key=,other` are legal."""
    return "" if not tokens or tokens[-1] == "," else tokens.pop()


def _value_set(tokens: list[str], text: str) -> tuple[str, ...]:
    """`(a,b)`; an omitted value, as in `(a,)`, is the empty one."""
    values = [""]
    token = tokens.pop() if tokens else ""
    if token != "(":
        raise ValueError(f"label selector {text!r}: 'in' and 'notin' need (VALUE,...)")
    while tokens:
        match tokens.pop():
            case ")":
                return tuple(sorted(set(values)))
            case ",":
                values.append("")
            case value if values[-1] == "":
                values[-1] = value
            case value:
                raise ValueError(f"label selector {text!r}: expected ',' or ')' before {value!r}")
    raise ValueError(f"label selector {text!r}: the values after 'in' or 'notin' need a ')'")


@dataclass(frozen=True, slots=True)
class FieldSelector:
    """Requirements (path, "=" or "!=", value) that must all hold."""

    requirements: tuple[tuple[str, str, str], ...] = ()

    def matches(self, getter: Callable[[str], str]) -> bool:
        """Whether an object is selected whose field at a path reads `getter(path)`."""
        return all(
            (getter(path) == value) is (operator == "=")
            for path, operator, value in self.requirements
        )

    def __str__(self) -> str:
        return ",".join(path + operator + value for path, operator, value in self.requirements)


def parse_field_selector(text: str) -> FieldSelector:
    """Read the `fieldSelector` of a query: `PATH=VALUE`, `==` or `!=`; a backslash escapes."""
    requirements = []
    for part in _field_parts(text):
        match = _FIELD_TERM.fullmatch(part)
        if match is None:
            raise ValueError(f"field selector {text!r}: {part!r} is not PATH=VALUE or PATH!=VALUE")
        path, operator, value = match.groups()
        operator = "!=" if operator == "!=" else "="
        requirements.append((path.strip(), operator, re.sub(r"\\(.)", r"\1", value)))
    return FieldSelector(tuple(requirements))


def _field_parts(text: str) -> list[str]:
    """The terms between unescaped commas; empty ones count for nothing, as in Kubernetes."""
    if text.endswith("\\") and not text.endswith("\\\\"):
        raise ValueError(f"field selector {text!r} ends in an escape without a character")
    return [match.group(1) for match in _FIELD_PART.finditer(text) if match.group(1)]
