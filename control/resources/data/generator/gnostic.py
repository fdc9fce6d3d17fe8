"""Swagger definitions in protobuf, as clients read /openapi/v2: gnostic's `openapi.v2.Document`.

    Document    1 swagger, 2 info (1 title, 2 version), 8 paths, 9 definitions (1 NamedSchema)
    NamedSchema 1 name, 2 Schema
    Schema      1 $ref, 2 format, 4 description, 19 required, 21 additionalProperties (1 Schema),
                22 type (1 text), 23 items (1 Schema), 25 properties (1 NamedSchema),
                31 vendor extension: NamedAny (1 name, 2 Any (2 YAML text))

Source: google/gnostic, openapiv2/OpenAPIv2.proto; protobuf.dev, encoding. Messages that follow each
other are one message, so that a document can be added to by appending another.
"""

import json

from control.resources.data.generator.inputs import Schema


def swagger(definitions: dict[str, Schema]) -> bytes:
    """The whole document."""
    info = _text(1, "Kubernetes") + _text(2, "v1.37.0")
    return _text(1, "2.0") + _field(2, info) + _field(8, b"") + more_definitions(definitions)


def more_definitions(definitions: dict[str, Schema]) -> bytes:
    """A document of definitions alone, to be appended to a whole one."""
    named = b"".join(_field(1, _named(name, each)) for name, each in definitions.items())
    return _field(9, named)


def _named(name: str, schema: Schema) -> bytes:
    return _text(1, name) + _field(2, _schema(schema))


def _schema(schema: Schema) -> bytes:
    made = b""
    for number, key in ((1, "$ref"), (2, "format"), (4, "description")):
        if key in schema:
            made += _text(number, schema[key])
    made += b"".join(_text(19, each) for each in schema.get("required", ()))
    if "additionalProperties" in schema:
        made += _field(21, _field(1, _schema(schema["additionalProperties"])))
    if "type" in schema:
        made += _field(22, _text(1, schema["type"]))
    if "items" in schema:
        made += _field(23, _field(1, _schema(schema["items"])))
    if "properties" in schema:
        inner = schema["properties"].items()
        made += _field(25, b"".join(_field(1, _named(name, each)) for name, each in inner))
    return made + b"".join(_extension(key, schema[key]) for key in schema if key.startswith("x-"))


def _extension(name: str, value: object) -> bytes:
    yaml = json.dumps(value) + "\n"  # JSON is YAML
    return _field(31, _text(1, name) + _field(2, _text(2, yaml)))


def _text(number: int, text: str) -> bytes:
    return _field(number, text.encode())


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    made = bytearray()
    while value > 0x7F:
        made.append(value & 0x7F | 0x80)
        value >>= 7
    made.append(value)
    return bytes(made)
