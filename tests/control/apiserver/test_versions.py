"""One stored object, served in several versions."""

from dataclasses import replace
from typing import Any

import orjson
import pytest

from cluster.objects.resources import Resource
from control.apiserver.options import WriteOptions
from control.apiserver.registry import Registry, key_of
from control.apiserver.versions import as_asked
from control.resources.conversion.conversion import Conversion, typed_as
from control.resources.kinds import Kind
from control.store.record import ObjectKey, Record

Client = Any

V1 = Kind(Resource("example.com", "v1", "widgets", "Widget"), "widget")
V2 = Kind(
    Resource("example.com", "v2", "widgets", "Gadget"),
    "gadget",
    storage=V1,
    conversion=Conversion(
        to_stored=typed_as("example.com/v1", "Widget"),
        from_stored=typed_as("example.com/v2", "Gadget"),
    ),
)
OLD, NEW = "/apis/example.com/v1", "/apis/example.com/v2"
PLACE = "/namespaces/default/widgets"
STORED: dict[str, Any] = {
    "apiVersion": "example.com/v1",
    "kind": "Widget",
    "metadata": {"name": "a"},
}


def test_a_record_is_shown_as_stored_where_no_conversion_is_needed() -> None:
    record = Record(ObjectKey("", "a"), 7, STORED, orjson.dumps(STORED))
    assert as_asked(V1, record) is record
    assert as_asked(replace(V2, conversion=None), record) is record


def test_a_record_is_shown_in_the_version_that_is_asked_for() -> None:
    record = Record(ObjectKey("", "a"), 7, STORED, orjson.dumps(STORED))
    shown = as_asked(V2, record)
    assert shown.document == {**STORED, "apiVersion": "example.com/v2", "kind": "Gadget"}
    assert (shown.key, shown.version, orjson.loads(shown.body)) == (
        record.key,
        7,
        shown.document,
    )


@pytest.fixture
def both(registry: Registry) -> Registry:
    registry.catalogue.define("widgets.example.com", (V1, V2))
    return registry


async def test_versions_share_their_objects(both: Registry, client: Client) -> None:
    made = await client("POST", NEW + PLACE, {"metadata": {"name": "a"}, "spec": {"size": 1}})
    assert (made.status, made.document["apiVersion"]) == (201, "example.com/v2")
    stored = both.store.get(key_of(V2), ObjectKey("default", "a"))
    assert stored is not None and stored.document["kind"] == "Widget"
    read = await client("GET", f"{OLD}{PLACE}/a")
    assert (read.document["apiVersion"], read.document["spec"]) == ("example.com/v1", {"size": 1})


async def test_a_list_and_a_watch_have_the_asked_version(both: Registry, client: Client) -> None:
    options = WriteOptions()
    await both.create(V1, "default", {**STORED, "metadata": {"name": "a"}}, options)
    listed = (await client("GET", NEW + PLACE)).document
    assert (listed["kind"], listed["items"][0]["kind"]) == ("GadgetList", "Gadget")
    versions = []
    for path in (NEW, OLD):
        async for event in client.lines(f"{path}{PLACE}?watch=1&resourceVersion=0"):
            versions.append(event["object"]["apiVersion"])
            break
    assert versions == ["example.com/v2", "example.com/v1"]


async def test_a_change_in_one_version_is_seen_by_watchers_of_both(
    both: Registry, client: Client
) -> None:
    await both.create(V1, "default", {**STORED, "metadata": {"name": "a"}}, WriteOptions())
    version = both.store.version
    merge = {"Content_Type": "application/merge-patch+json"}
    patched = await client("PATCH", f"{NEW}{PLACE}/a", {"spec": {"size": 2}}, **merge)
    assert patched.document["apiVersion"] == "example.com/v2"
    for path, wanted in ((NEW, "example.com/v2"), (OLD, "example.com/v1")):
        query = f"?watch=1&resourceVersion={version}"
        async for event in client.lines(f"{path}{PLACE}{query}"):
            assert (event["type"], event["object"]["apiVersion"]) == ("MODIFIED", wanted)
            assert event["object"]["spec"] == {"size": 2}
            break


async def test_a_change_that_changes_nothing_writes_nothing_in_any_version(
    both: Registry, client: Client
) -> None:
    made = await client("POST", OLD + PLACE, {"metadata": {"name": "a"}, "spec": {"size": 1}})
    put = await client("PUT", f"{NEW}{PLACE}/a", {"metadata": {"name": "a"}, "spec": {"size": 1}})
    versions = [each.document["metadata"]["resourceVersion"] for each in (made, put)]
    assert versions[0] == versions[1]


async def test_a_version_wants_its_own_apiVersion(both: Registry, client: Client) -> None:
    wrong = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "a"}}
    assert (await client("POST", NEW + PLACE, wrong)).status == 400
