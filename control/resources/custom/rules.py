"""The CEL rules of a schema: `x-kubernetes-validations`.

Pure: documents in, causes out. CEL itself is a library that is imported when a definition has its
first rule, and is no part of a plain installation: without it such a definition is refused, as is
one with a rule that cannot be compiled. A time is text, for the library takes no other from Python:
`timestamp(self.when)`. Names that CEL has another use for are escaped (`self.__namespace__`).
Source: kubernetes.io, "Common Expression Language in Kubernetes"; CRD validation rules.
"""

import importlib
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache, lru_cache
from itertools import islice
from typing import Any

from control.resources.causes import CAUSES_MAX, DUPLICATE, FORBIDDEN, INVALID, REQUIRED, Cause
from control.resources.custom.keywords import (
    EMBEDDED,
    LIST_KEYS,
    LIST_TYPE,
    RULES,
    TYPE_META,
    Schema,
    items_of,
    properties_of,
    values_of,
)
from control.resources.places import Path, spelled
from control.resources.validation.refusals import forbidden, invalid, required

RULES_KEPT_MAX = 1_024
RULE_CHARS_MAX = 2_048
EXTENSIONS = (
    ("ext_strings", "ExtStrings"),
    ("ext_math", "ExtMath"),
    ("ext_bindings", "ExtBindings"),
)
ABSENT: Any = object()  # nothing was there before

_REASONS = {
    "FieldValueInvalid": (INVALID, "Invalid value"),
    "FieldValueForbidden": (FORBIDDEN, "Forbidden"),
    "FieldValueRequired": (REQUIRED, "Required value"),
    "FieldValueDuplicate": (DUPLICATE, "Duplicate value"),
}
_OLD = re.compile(r"\boldSelf\b")
_RESERVED = frozenset(
    [
        *("true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "if"),
        *("function", "import", "let", "loop", "package", "namespace", "return", "var", "void"),
        "while",
    ]
)
_ESCAPES = (("__", "__underscores__"), (".", "__dot__"), ("-", "__dash__"), ("/", "__slash__"))


class RuleFault(Exception):
    """A rule that cannot be compiled or evaluated."""


# -- definitions


def has_rules(schema: Schema) -> bool:
    """Whether there is a rule anywhere."""
    if schema.get(RULES):
        return True
    inner = [*properties_of(schema).values(), values_of(schema), items_of(schema)]
    return any(has_rules(each) for each in inner if each is not None)


def rule_faults(schema: Schema, path: str) -> Iterator[Cause]:
    """What is wrong with the rules of one place of a schema."""
    for index, given in enumerate(schema.get(RULES) or ()):
        place = f"{path}.{RULES}[{index}]"
        rule = given.get("rule") or ""
        if not rule.strip():
            yield required(f"{place}.rule", "rule is not specified")
        elif not available():
            words = "rules need the package cel-expr-python, which is not installed here"
            yield forbidden(place, words)
        else:
            yield from _compile_faults(given, place)
        if given.get("optionalOldSelf") is not None:
            yield forbidden(f"{place}.optionalOldSelf", "optionalOldSelf is not served here")
        if given.get("reason") not in (None, *_REASONS):
            yield invalid(f"{place}.reason", given["reason"], "no such reason")


def _compile_faults(given: Mapping[str, Any], place: str) -> Iterator[Cause]:
    for key in ("rule", "messageExpression"):
        text = given.get(key)
        if not text:
            continue
        if len(text) > RULE_CHARS_MAX:
            yield forbidden(f"{place}.{key}", f"longer than {RULE_CHARS_MAX} characters")
            continue
        try:
            program(text)
        except RuleFault as error:
            yield invalid(f"{place}.{key}", text, f"compilation failed: {error}")


@cache
def available() -> bool:
    """Whether CEL is installed."""
    try:
        _cel()
    except ImportError:
        return False
    return True


# -- objects


def rule_causes(schema: Schema, new: Any, old: Any = ABSENT) -> list[Cause]:
    """What the rules say of an object, and of a change."""
    return list(islice(_causes(schema, new, old, None), CAUSES_MAX))


def _causes(schema: Schema, new: Any, old: Any, path: Path | None) -> Iterator[Cause]:
    if new is None or not has_rules(schema):
        return
    for given in schema.get(RULES) or ():
        if _OLD.search(given["rule"]) and old is ABSENT:
            continue  # it is about changes, and this is none
        yield from _judged(given, schema, new, old, path)
    if isinstance(new, dict):
        before = old if isinstance(old, dict) else {}
        for key, inner in new.items():
            child = properties_of(schema).get(key, values_of(schema))
            if child is not None:
                yield from _causes(child, inner, before.get(key, ABSENT), (path, key))
    items = items_of(schema)
    if isinstance(new, list) and items is not None:
        earlier = _before(schema, old)
        for index, inner in enumerate(new):
            yield from _causes(items, inner, earlier(inner), (path, index))


def _before(schema: Schema, old: Any) -> Callable[[Any], Any]:
    """Which item of the old list a new one was: lists that are maps tell by their keys."""
    if schema.get(LIST_TYPE) != "map" or not isinstance(old, list):
        return lambda item: ABSENT
    keys = schema.get(LIST_KEYS) or ()

    def key(item: Any) -> str:
        return repr([item.get(name) for name in keys]) if isinstance(item, dict) else ""

    known = {key(each): each for each in old}
    return lambda item: known.get(key(item), ABSENT)


def _judged(
    given: Mapping[str, Any], schema: Schema, new: Any, old: Any, path: Path | None
) -> Iterator[Cause]:
    data = {"self": celled(schema, new, top=path is None)}
    data["oldSelf"] = None if old is ABSENT else celled(schema, old, top=path is None)
    place = spelled(path) + str(given.get("fieldPath") or "") or "<nil>"
    place = place.removeprefix(".")
    try:
        held = evaluate(given["rule"], data)
    except RuleFault as error:
        yield invalid(place, _type(schema), f"{error} evaluating rule: {given['rule']}")
        return
    if held is not True:
        reason, words = _REASONS[given.get("reason") or "FieldValueInvalid"]
        value = f' "{_type(schema)}":' if words in ("Invalid value", "Duplicate value") else ""
        yield Cause(reason, f"{words}:{value} {_message(given, data)}", place)


def _message(given: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    if given.get("messageExpression"):
        try:
            said = evaluate(given["messageExpression"], data)
        except RuleFault:
            said = None  # as upstream does: the fixed message stands in
        if isinstance(said, str) and said.strip():
            return said
    return str(given.get("message") or f"failed rule: {given['rule'].strip()}")


def _type(schema: Schema) -> str:
    return str(schema.get("type") or "object")


# -- values


def celled(schema: Schema, value: Any, *, top: bool = False) -> Any:
    """A value as a rule sees it."""
    if isinstance(value, dict):
        return _celled_struct(schema, value, top=top or bool(schema.get(EMBEDDED)))
    items = items_of(schema)
    if isinstance(value, list):
        return [celled(items or {}, each) for each in value]
    if schema.get("type") == "number" and isinstance(value, int):
        return float(value)
    return value


def _celled_struct(schema: Schema, value: dict[str, Any], *, top: bool) -> dict[str, Any]:
    values, properties = values_of(schema), properties_of(schema)
    if values is not None:
        return {key: celled(values, inner) for key, inner in value.items()}
    made = {
        escaped(key): celled(properties[key], inner)
        for key, inner in value.items()
        if key in properties
    }
    if top:
        made |= {key: value[key] for key in TYPE_META if key in value}
    return made


def escaped(name: str) -> str:
    """A field's name as rules spell it."""
    if name in _RESERVED:
        return f"__{name}__"
    for text, spelling in _ESCAPES:
        name = name.replace(text, spelling)
    return name


# -- the library


@cache
def _cel() -> Any:
    return importlib.import_module("cel_expr_python.cel")


@cache
def _environment() -> Any:
    cel = _cel()
    package = "cel_expr_python.ext"
    more = [getattr(importlib.import_module(f"{package}.{m}"), name)() for m, name in EXTENSIONS]
    variables = {"self": cel.Type.DYN, "oldSelf": cel.Type.DYN}
    return cel.NewEnv(variables=variables, extensions=more)


@lru_cache(RULES_KEPT_MAX)
def program(text: str) -> Any:
    """A rule, compiled; RuleFault."""
    try:
        return _environment().compile(text)
    except (RuntimeError, ValueError, TypeError) as error:
        raise RuleFault(_first_line(error)) from error


def evaluate(text: str, data: Mapping[str, Any]) -> Any:
    """What a rule comes to; RuleFault."""
    try:
        result = program(text).eval(data=data)
        value = result.value()
    except (RuntimeError, ValueError, TypeError) as error:
        raise RuleFault(_first_line(error)) from error
    if result.type() == _cel().Type.ERROR:
        raise RuleFault(_first_line(value))
    return value


def _first_line(error: object) -> str:
    return str(error).removeprefix("INVALID_ARGUMENT: ").partition("\n")[0]
