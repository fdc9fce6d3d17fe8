"""ConfigMaps and Secrets: every refusal, with its field and words."""

from typing import Any

import pytest

from control.resources.validation.configuration import (
    config_map_causes,
    config_map_update_causes,
    secret_causes,
    secret_update_causes,
)

HELD = "Forbidden: field is immutable when `immutable` is set"


def fields(causes: Any) -> list[str]:
    return [each.field for each in causes]


def test_keys_are_names_of_files() -> None:
    assert fields(config_map_causes({"data": {"a.b": ""}, "binaryData": {"c": "YQ=="}})) == []
    assert fields(config_map_causes({"data": {"a/b": ""}})) == ["data[a/b]"]
    assert fields(secret_causes({"data": {"..": ""}})) == ["data[..]"]


def test_a_key_stands_once() -> None:
    (cause,) = config_map_causes({"data": {"a": "b"}, "binaryData": {"a": "YQ=="}})
    assert cause.field == "data[a]"


def test_bytes_are_base64() -> None:
    assert fields(secret_causes({"data": {"a": "%"}})) == ["data[a]"]
    assert fields(config_map_causes({"binaryData": {"a": "YQ"}})) == ["binaryData[a]"]


def test_data_has_a_limit() -> None:
    big = "x" * ((1 << 20) + 1)
    (cause,) = config_map_causes({"data": {"a": big}})
    assert (cause.field, cause.message) == ("", "Too long: may not be more than 1048576 bytes")
    (cause,) = secret_causes({"data": {"a": "AAAA" * (1 << 19)}})
    assert cause.field == "data"


@pytest.mark.parametrize(
    ("kind", "missing"),
    [
        ("kubernetes.io/tls", ["data[tls.crt]", "data[tls.key]"]),
        ("kubernetes.io/dockerconfigjson", ["data[.dockerconfigjson]"]),
        ("kubernetes.io/ssh-auth", ["data[ssh-privatekey]"]),
        ("kubernetes.io/basic-auth", ["data[username]", "data[password]"]),
        (
            "kubernetes.io/service-account-token",
            ["metadata.annotations[kubernetes.io/service-account.name]"],
        ),
        ("Opaque", []),
    ],
)
def test_well_known_secrets_have_their_keys(kind: str, missing: list[str]) -> None:
    assert fields(secret_causes({"type": kind})) == missing


def test_a_secrets_type_is_for_life() -> None:
    assert fields(secret_update_causes({"type": "b"}, {"type": "a"})) == ["type"]
    assert fields(secret_update_causes({"type": "a", "data": {"x": ""}}, {"type": "a"})) == []


@pytest.mark.parametrize("causes", [config_map_update_causes, secret_update_causes])
def test_what_is_immutable_stays_so(causes: Any) -> None:
    old = {"immutable": True, "data": {"a": "b"}}
    assert fields(causes(old, old)) == []
    (cause,) = causes({"immutable": True, "data": {"a": "c"}}, old)
    assert (cause.field, cause.message) == ("data", HELD)
    (cause,) = causes({"data": {"a": "b"}}, old)
    assert (cause.field, cause.message) == ("immutable", HELD)
    assert fields(causes({**old, "data": {}}, {"data": {"a": "b"}})) == []


def test_one_half_of_a_login_will_do() -> None:
    secret = {"type": "kubernetes.io/basic-auth", "data": {"password": "eA=="}}
    assert fields(secret_causes(secret)) == []


@pytest.mark.parametrize(
    ("encoded", "words"),
    [
        ("e30=", None),
        ("", "unexpected end of JSON input"),
        ("eA==", "unexpected character"),
        ("W10=", "is no JSON object"),
    ],
)
def test_registries_credentials_are_json(encoded: str, words: str | None) -> None:
    data = {".dockerconfigjson": encoded}
    causes = list(secret_causes({"type": "kubernetes.io/dockerconfigjson", "data": data}))
    if words is None:
        assert causes == []
        return
    (cause,) = causes
    assert cause.field == "data[.dockerconfigjson]"
    assert cause.message.startswith('Invalid value: "<secret contents redacted>": ')
    assert words in cause.message
