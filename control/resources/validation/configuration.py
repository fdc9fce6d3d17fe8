"""ConfigMaps and Secrets: what is refused.

Pure: documents in, causes out. Source: Kubernetes' pkg/apis/core/validation.
"""

import base64
import binascii
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from control.resources.causes import Cause
from control.resources.validation.names import config_key_faults
from control.resources.validation.refusals import (
    forbidden,
    invalid,
    required,
    too_long,
    unchanged,
)

Document = Mapping[str, Any]
DATA_BYTES_MAX = 1 << 20
# The keys that a Secret of a well-known type must have.
KEYS_OF_TYPE = {
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
}
REGISTRIES = ("kubernetes.io/dockerconfigjson", "kubernetes.io/dockercfg")
BASIC, BASIC_KEYS = "kubernetes.io/basic-auth", ("username", "password")
TOKEN, ACCOUNT_NOTE = "kubernetes.io/service-account-token", "kubernetes.io/service-account.name"
REDACTED = "<secret contents redacted>"
_HELD = "field is immutable when `immutable` is set"


def config_map_causes(document: Document) -> Iterator[Cause]:
    """What is wrong with a ConfigMap."""
    data, binary = document.get("data") or {}, document.get("binaryData") or {}
    for field, held, other in (("data", data, binary), ("binaryData", binary, data)):
        yield from _key_causes(held, field)
        for key in held:
            if key in other and field == "data":
                words = "duplicate of key present in binaryData"
                yield invalid(f"{field}[{key}]", key, words)
    yield from _encoding_causes(binary, "binaryData")
    size = sum(len(value.encode()) for value in data.values())
    size += sum(len(value) * 3 // 4 for value in binary.values())
    if size > DATA_BYTES_MAX:
        yield too_long("", DATA_BYTES_MAX)


def config_map_update_causes(new: Document, old: Document) -> Iterator[Cause]:
    """What is immutable stays so."""
    yield from _immutable_causes(new, old, ("data", "binaryData"))


def secret_causes(document: Document) -> Iterator[Cause]:
    """What is wrong with a Secret."""
    data = document.get("data") or {}
    yield from _key_causes(data, "data")
    yield from _encoding_causes(data, "data")
    if sum(len(value) * 3 // 4 for value in data.values()) > DATA_BYTES_MAX:
        yield too_long("data", DATA_BYTES_MAX)
    yield from _type_causes(document, data)


def secret_update_causes(new: Document, old: Document) -> Iterator[Cause]:
    """A Secret's type is for life; what is immutable stays so."""
    yield from unchanged("type", new.get("type"), old.get("type"))
    yield from _immutable_causes(new, old, ("data",))


def _type_causes(document: Document, data: Document) -> Iterator[Cause]:
    """What a Secret of a well-known type must have."""
    kind = document.get("type") or ""
    for key in KEYS_OF_TYPE.get(kind, ()):
        if key not in data:
            yield required(f"data[{key}]")
        elif kind in REGISTRIES:
            yield from _json_causes(data[key], f"data[{key}]")
    if kind == BASIC and not {*BASIC_KEYS} & data.keys():
        for key in BASIC_KEYS:
            yield required(f"data[{key}]")
    notes = (document.get("metadata") or {}).get("annotations") or {}
    if kind == TOKEN and not notes.get(ACCOUNT_NOTE):
        yield required(f"metadata.annotations[{ACCOUNT_NOTE}]")


def _json_causes(encoded: str, field: str) -> Iterator[Cause]:
    """Credentials of registries, which are not shown; what is no base64 is refused as that."""
    try:
        text = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return
    try:
        held = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        yield invalid(field, REDACTED, error.msg if text else "unexpected end of JSON input")
        return
    if not isinstance(held, dict):
        yield invalid(field, REDACTED, "is no JSON object")


def _immutable_causes(new: Document, old: Document, fields: tuple[str, ...]) -> Iterator[Cause]:
    if not old.get("immutable"):
        return
    if not new.get("immutable"):
        yield forbidden("immutable", _HELD)
    for field in fields:
        if (new.get(field) or {}) != (old.get(field) or {}):
            yield forbidden(field, _HELD)


def _key_causes(data: Document, field: str) -> Iterator[Cause]:
    for key in data:
        for fault in config_key_faults(key):
            yield invalid(f"{field}[{key}]", key, fault)


def _encoding_causes(data: Document, field: str) -> Iterator[Cause]:
    for key, value in data.items():
        try:
            base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            yield invalid(f"{field}[{key}]", "<bytes>", "must be base64-encoded")
