"""Fields that a body has twice are found wherever they are, and nothing else is."""

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.apiserver.duplicates import DUPLICATES_MAX, duplicate_fields

MAPS = "/api/v1/namespaces/shop/configmaps"
TYPED = '"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"one"}'
TWICE = f'{{{TYPED},"data":{{"a":"1","a":"2"}}}}'.encode()

Client = Any

TREES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**31), 2**31) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=12,
)


def found(text: str) -> tuple[str, ...]:
    body = text.encode()
    return duplicate_fields(body, orjson.loads(body))


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ('{"a":1,"b":{"a":2}}', ()),
        ('{"a":1,"a":2}', ("a",)),
        ('{"a":[{"b":1},{"b":1,"c":2,"b":3}]}', ("a[1].b",)),
        ('{"a":1,"a":2,"a":3}', ("a",)),
        ('{"a":{"x":1,"x":1},"a":{"y":1,"y":1}}', ("a.x", "a", "a.y")),
        ('{"a":"\\u0022\\u0022","a":"\\u0022\\u0022"}', ("a",)),
        ('["a","a"]', ()),
    ],
)
def test_each_path_is_told_once(text: str, paths: tuple[str, ...]) -> None:
    assert found(text) == paths


@given(TREES)
def test_what_has_each_field_once_has_no_duplicates(tree: Any) -> None:
    assert found(json.dumps(tree, indent=1)) == ()
    assert found(json.dumps(tree, ensure_ascii=False)) == ()


@given(TREES, st.text("abc", min_size=1, max_size=3), TREES)
def test_a_field_that_is_put_in_twice_is_found(tree: Any, name: str, again: Any) -> None:
    text = json.dumps(again)
    assert found(f'{{"x":{json.dumps(tree)},"{name}":{text},"{name}":{text}}}') == (name,)


def test_no_more_than_so_many_are_told() -> None:
    text = ",".join(f'"{number}":1,"{number}":2' for number in range(DUPLICATES_MAX + 5))
    assert len(found(f"{{{text}}}")) == DUPLICATES_MAX


async def test_strict_refuses_warn_warns_and_ignore_is_silent(client: Client) -> None:
    refused = await client("POST", f"{MAPS}?fieldValidation=Strict", data=TWICE)
    assert refused.status == 400
    assert refused.document["message"].endswith('strict decoding error: duplicate field "data.a"')
    silent = await client("POST", f"{MAPS}?fieldValidation=Ignore&dryRun=All", data=TWICE)
    assert (silent.status, silent.warnings) == (201, ())
    told = await client("POST", MAPS, data=TWICE)
    assert told.document["data"] == {"a": "2"}
    assert told.warnings == ('299 - "duplicate field \\"data.a\\""',)


@pytest.mark.parametrize(
    "content_type",
    [
        "application/merge-patch+json",
        "application/strategic-merge-patch+json",
        "application/apply-patch+yaml",
    ],
)
async def test_patches_are_looked_at_as_well(client: Client, content_type: str) -> None:
    await client("POST", MAPS, data=TWICE.replace(b'"a":"1",', b""))
    force = "&force=true" if "apply" in content_type else ""
    query = f"fieldManager=me{force}&fieldValidation="
    path = f"{MAPS}/one?{query}"
    refused = await client("PATCH", path + "Strict", data=TWICE, Content_Type=content_type)
    assert refused.status == 400 and 'duplicate field "data.a"' in refused.document["message"]
    told = await client("PATCH", path + "Warn", data=TWICE, Content_Type=content_type)
    assert told.status == 200 and len(told.warnings) == 1


async def test_a_field_that_is_unknown_and_there_twice_is_told_as_unknown(client: Client) -> None:
    body = f'{{{TYPED},"dat":1,"dat":2}}'.encode()
    told = await client("POST", MAPS, data=body)
    assert told.warnings == ('299 - "unknown field \\"dat\\""',)
