"""Whether a definition's schema is structural: what each place may say of itself.

Pure: a schema in, causes out. Every place has one type, nothing is referred to, and what combines
other schemas says nothing about shape: so a document can be pruned and completed by it.
Source: kubernetes.io, "Extend the Kubernetes API
with CustomResourceDefinitions", structural schema.
"""

from collections.abc import Iterator
from typing import Any

from control.resources.causes import Cause
from control.resources.custom.keywords import (
    EMBEDDED,
    INT_OR_STRING,
    JUNCTORS,
    LIST_KEYS,
    LIST_TYPE,
    MAP_TYPE,
    PRESERVE,
    RULES,
    Schema,
    items_of,
    properties_of,
    values_of,
)
from control.resources.custom.patterns import PatternFault, compiled
from control.resources.custom.values import value_causes
from control.resources.validation.refusals import forbidden, invalid, required, unsupported

TYPES = ("array", "boolean", "integer", "number", "object", "string")
SCALARS = ("boolean", "integer", "number", "string")
UNSERVED = ("$ref", "additionalItems", "definitions", "dependencies", "id", "patternProperties")
# What a schema inside of allOf, anyOf, oneOf and not has to leave to the one around it.
SHAPE = {
    "type": "must be empty to be structural",
    "title": "must be empty to be structural",
    "description": "must be empty to be structural",
    "default": "must be undefined to be structural",
    "nullable": "must be false to be structural",
    "additionalProperties": "must be undefined to be structural",
    PRESERVE: "must be false to be structural",
    EMBEDDED: "must be false to be structural",
    INT_OR_STRING: "must be false to be structural",
    LIST_TYPE: "must be undefined to be structural",
    LIST_KEYS: "must be empty to be structural",
    MAP_TYPE: "must be undefined to be structural",
    RULES: "must be empty to be structural",
}
NUMBER_OR_TEXT = (
    [{"type": "integer"}, {"type": "string"}],
    [{"type": "string"}, {"type": "integer"}],
)


def structure_causes(schema: Schema, path: str) -> Iterator[Cause]:
    """What is wrong with the schema of a version, at its path."""
    if not schema.get("type"):
        yield required(f"{path}.type", "must not be empty at the root")
    elif schema["type"] != "object":
        yield invalid(f"{path}.type", schema["type"], "must be object at the root")
    if schema.get("nullable"):
        yield forbidden(f"{path}.nullable", "nullable cannot be true at the root")
    metadata = properties_of(schema).get("metadata")
    if metadata is not None and properties_of(metadata).keys() - {"name", "generateName"}:
        words = "must not specify anything other than name and generateName, but metadata is "
        yield forbidden(f"{path}.properties[metadata]", words + "implicitly specified")
    yield from _place(schema, path)


def _place(schema: Schema, path: str) -> Iterator[Cause]:
    """One place that has a shape, and those below."""
    yield from _common(schema, path)
    yield from _list(schema, path)
    yield from _map(schema, path)
    yield from _special(schema, path)
    for name, inner in properties_of(schema).items():
        below = f"{path}.properties[{name}]"
        yield from _typed(inner, below, "must not be empty for specified object fields")
        yield from _place(inner, below)
    values, items = values_of(schema), items_of(schema)
    if values is not None:
        below = f"{path}.additionalProperties"
        yield from _typed(values, below, "must not be empty for specified object fields")
        yield from _place(values, below)
    if items is not None:
        yield from _typed(items, f"{path}.items", "must not be empty for specified array items")
        yield from _place(items, f"{path}.items")
    yield from _junctors(schema, path)
    if schema.get(RULES):
        from control.resources.custom.rules import rule_faults

        yield from rule_faults(schema, path)
    if schema.get("default") is not None:
        yield from _default(schema, path)


def _typed(schema: Schema, path: str, words: str) -> Iterator[Cause]:
    if not (schema.get("type") or schema.get(INT_OR_STRING) or schema.get(PRESERVE)):
        yield required(f"{path}.type", words)


def _common(schema: Schema, path: str) -> Iterator[Cause]:
    """What no place may say."""
    for key in UNSERVED:
        if schema.get(key):
            yield forbidden(f"{path}.{key}", f"{key} is not supported")
    type_ = schema.get("type")
    if type_ == "null":
        words = "type cannot be set to null, use nullable as an alternative"
        yield forbidden(f"{path}.type", words)
    elif type_ and type_ not in TYPES:
        yield unsupported(f"{path}.type", type_, TYPES)
    if schema.get("uniqueItems"):
        words = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
        yield forbidden(f"{path}.uniqueItems", words)
    if schema.get("additionalProperties") is False:
        words = "additionalProperties cannot be set to false"
        yield forbidden(f"{path}.additionalProperties", words)
    if values_of(schema) is not None and properties_of(schema):
        words = "additionalProperties and properties are mutual exclusive"
        yield forbidden(f"{path}.additionalProperties", words)
    if schema.get("pattern"):
        try:
            compiled(schema["pattern"])
        except PatternFault as error:
            words = f"must be a valid regular expression, but isn't: {error}"
            yield invalid(f"{path}.pattern", schema["pattern"], words)


def _list(schema: Schema, path: str) -> Iterator[Cause]:
    kind, keys = schema.get(LIST_TYPE), schema.get(LIST_KEYS) or ()
    items = items_of(schema)
    if kind and kind not in ("atomic", "set", "map"):
        yield unsupported(f"{path}.{LIST_TYPE}", kind, ("atomic", "set", "map"))
    if kind and schema.get("type") != "array":
        words = f"must be array if {LIST_TYPE} is specified"
        yield invalid(f"{path}.type", schema.get("type") or "", words)
    if keys and kind != "map":
        words = f"must be map if {LIST_KEYS} is non-empty"
        yield invalid(f"{path}.{LIST_TYPE}", kind, words)
    if schema.get("type") == "array" and items is None and not schema.get(PRESERVE):
        yield required(f"{path}.items", "must be specified")
    elif kind == "map":
        yield from _keys(schema, items or {}, path)
    elif kind == "set" and items is not None:
        yield from _set(items, path)


def _set(items: Schema, path: str) -> Iterator[Cause]:
    if items.get("nullable"):
        words = f"cannot be nullable when {LIST_TYPE} is set"
        yield forbidden(f"{path}.items.nullable", words)
    if items.get("type") == "object" and items.get(MAP_TYPE) != "atomic":
        words = f"must be atomic as item of a list with {LIST_TYPE}=set"
        yield invalid(f"{path}.items.{MAP_TYPE}", items.get(MAP_TYPE), words)
    if items.get("type") == "array" and items.get(LIST_TYPE) not in (None, "atomic"):
        words = f"must be atomic as item of a list with {LIST_TYPE}=set"
        yield invalid(f"{path}.items.{LIST_TYPE}", items[LIST_TYPE], words)


def _keys(schema: Schema, items: Schema, path: str) -> Iterator[Cause]:
    keys = schema.get(LIST_KEYS) or ()
    if not keys:
        yield required(f"{path}.{LIST_KEYS}", f"must not be empty if {LIST_TYPE} is map")
    if items.get("type") != "object":
        words = f"must be object if parent array's {LIST_TYPE} is map"
        yield invalid(f"{path}.items.type", items.get("type") or "", words)
        return
    for index, key in enumerate(keys):
        place = f"{path}.{LIST_KEYS}[{index}]"
        named = properties_of(items).get(key)
        if key in keys[:index]:
            yield invalid(place, key, "entries must be unique")
        elif named is None:
            yield invalid(place, key, "entries must all be names of item properties")
        elif named.get("type") not in SCALARS:
            words = f"must be a scalar type if parent array's {LIST_TYPE} is map"
            yield invalid(f"{path}.items.properties[{key}].type", named.get("type") or "", words)
        elif named.get("default") is None and key not in (items.get("required") or ()):
            words = f"this property is in {LIST_KEYS}, so it must have a default or be a required "
            yield required(f"{path}.items.properties[{key}].default", words + "property")


def _map(schema: Schema, path: str) -> Iterator[Cause]:
    kind = schema.get(MAP_TYPE)
    if kind and kind not in ("atomic", "granular"):
        yield unsupported(f"{path}.{MAP_TYPE}", kind, ("atomic", "granular"))
    if kind and schema.get("type") != "object":
        words = f"must be object if {MAP_TYPE} is specified"
        yield invalid(f"{path}.type", schema.get("type") or "", words)


def _special(schema: Schema, path: str) -> Iterator[Cause]:
    type_ = schema.get("type") or ""
    if schema.get(PRESERVE) is False:
        yield invalid(f"{path}.{PRESERVE}", False, "must be true or undefined")
    if schema.get(PRESERVE) and type_ not in ("", "object"):
        yield invalid(f"{path}.type", type_, f"must be object if {PRESERVE} is true")
    if schema.get(INT_OR_STRING) and type_:
        yield invalid(f"{path}.type", type_, f"must be empty if {INT_OR_STRING} is true")
    if schema.get(EMBEDDED):
        if type_ != "object":
            yield invalid(f"{path}.type", type_, f"must be object if {EMBEDDED} is true")
        if not properties_of(schema) and not schema.get(PRESERVE):
            words = f"must not be empty if {EMBEDDED} is true without {PRESERVE}"
            yield required(f"{path}.properties", words)


def _default(schema: Schema, path: str) -> Iterator[Cause]:
    for each in value_causes(schema, schema["default"]):
        place = f"{path}.default"
        if each.field:
            place += each.field if each.field.startswith("[") else f".{each.field}"
        yield Cause(each.reason, each.message, place)


# -- what combines


def _junctors(schema: Schema, path: str) -> Iterator[Cause]:
    loose = bool(schema.get(INT_OR_STRING))
    for key in JUNCTORS:
        for index, inner in enumerate(schema.get(key) or ()):
            typed = loose and (schema[key] in NUMBER_OR_TEXT or _number_or_text(inner))
            yield from _combined(inner, f"{path}.{key}[{index}]", typed=typed)
    if schema.get("not") is not None:
        yield from _combined(schema["not"], f"{path}.not")


def _number_or_text(schema: Schema) -> bool:
    return schema.get("anyOf") in NUMBER_OR_TEXT


def _combined(schema: Schema, path: str, *, typed: bool = False) -> Iterator[Cause]:
    """A schema that only says what a value must be."""
    yield from _common(schema, path)
    for key, words in SHAPE.items():
        given: Any = schema.get(key)
        if given not in (None, "", False, [], {}) and not (typed and key == "type"):
            yield forbidden(f"{path}.{key}", words)
    for name, inner in properties_of(schema).items():
        yield from _combined(inner, f"{path}.properties[{name}]")
    items = items_of(schema)
    if items is not None:
        yield from _combined(items, f"{path}.items")
    for key in JUNCTORS:
        for index, inner in enumerate(schema.get(key) or ()):
            yield from _combined(inner, f"{path}.{key}[{index}]", typed=typed)
    if schema.get("not") is not None:
        yield from _combined(schema["not"], f"{path}.not")
