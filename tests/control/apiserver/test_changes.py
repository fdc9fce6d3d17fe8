"""Patches as transforms, and their refusals."""

from collections.abc import Callable
from typing import Any

import pytest

from cluster.client.interface import PatchType
from cluster.errors import ApiError
from cluster.objects.resources import CONFIG_MAPS, SERVICES, Resource
from control.apiserver.changes import patch_of, replacement
from control.resources.kinds import Kind

Kinds = Callable[[Resource], Kind]


def refusal(kind: Kind, media_type: str, patch: Any, old: Any = None) -> ApiError:
    with pytest.raises(ApiError) as caught:
        patch_of(kind, media_type, patch)(old or {"data": {"a": "1"}})
    return caught.value


def test_three_types_change_an_object(kind: Kinds) -> None:
    maps, old = kind(CONFIG_MAPS), {"data": {"a": "1", "b": "2"}}
    merge = patch_of(maps, PatchType.MERGE, {"data": {"a": None}})
    assert merge(old) == {"data": {"b": "2"}}
    operation = {"op": "replace", "path": "/data/a", "value": "9"}
    assert patch_of(maps, PatchType.JSON, [operation])(old) == {"data": {"a": "9", "b": "2"}}
    ports = {"spec": {"ports": [{"port": 80, "name": "http", "protocol": "TCP"}]}}
    more = {"spec": {"ports": [{"port": 443, "name": "tls", "protocol": "TCP"}]}}
    merged = patch_of(kind(SERVICES), f"{PatchType.STRATEGIC}; charset=utf-8", more)(ports)
    assert {each["port"] for each in merged["spec"]["ports"]} == {80, 443}
    assert old == {"data": {"a": "1", "b": "2"}}


def test_a_replacement_is_what_was_sent() -> None:
    assert replacement({"a": 1})({"b": 2}) == {"a": 1}


def test_types_that_are_not_served(kind: Kinds) -> None:
    for media_type in (PatchType.APPLY, "application/json", ""):
        assert refusal(kind(CONFIG_MAPS), media_type, {}).code == 415


def test_a_patch_that_is_none(kind: Kinds) -> None:
    maps = kind(CONFIG_MAPS)
    assert refusal(maps, PatchType.MERGE, []).code == 400
    assert refusal(maps, PatchType.JSON, {}).code == 400
    whole = [{"op": "replace", "path": "", "value": 1}]
    assert refusal(maps, PatchType.JSON, whole).code in (400, 422)


def test_an_operation_that_does_not_apply_is_told(kind: Kinds) -> None:
    operations = [{"op": "remove", "path": "/data/nothing"}]
    error = refusal(kind(CONFIG_MAPS), PatchType.JSON, operations)
    assert (error.code, error.reason) == (422, "Invalid")
    assert "/data/nothing" in str(error)
    tested = [{"op": "test", "path": "/data/a", "value": "2"}]
    assert refusal(kind(CONFIG_MAPS), PatchType.JSON, tested).code == 422
