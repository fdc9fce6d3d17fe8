"""Definitions written over a real socket, and the kinds that are served from then on."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cluster.objects.resources import CUSTOM_RESOURCE_DEFINITIONS, Resource
from control.apiserver.custom_resources import KEY, is_definition
from control.apiserver.registry import Registry
from control.resources.kinds import Kind
from control.resources.service_addresses import ServiceAddresses
from control.store.journal import SqliteJournal
from control.store.record import ObjectKey
from control.store.store import Store

Client = Any
Kinds = Callable[[Resource], Kind]

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
GROUP = "/apis/example.com"
WIDGETS = f"{GROUP}/v1/namespaces/shop/widgets"
MERGE = {"Content_Type": "application/merge-patch+json"}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "required": ["size"],
            "properties": {
                "size": {"type": "integer", "minimum": 1, "maximum": 10},
                "colour": {"type": "string", "enum": ["red", "blue"], "default": "red"},
                "replicas": {"type": "integer"},
                "ports": {
                    "type": "array",
                    "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["name"],
                    "items": {
                        "type": "object",
                        "required": ["name"],
                        "properties": {"name": {"type": "string"}, "port": {"type": "integer"}},
                    },
                },
            },
        },
        "status": {"type": "object", "properties": {"replicas": {"type": "integer"}}},
    },
}
SUBRESOURCES = {
    "status": {},
    "scale": {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"},
}


def version(name: str = "v1", *, storage: bool = True, **more: Any) -> dict[str, Any]:
    schema = {"openAPIV3Schema": more.pop("schema", SCHEMA)}
    base = {"name": name, "served": True, "storage": storage, "schema": schema}
    return {**base, "subresources": SUBRESOURCES, **more}


def definition(*versions: dict[str, Any], **names: Any) -> dict[str, Any]:
    named = {"plural": "widgets", "kind": "Widget", "shortNames": ["wd"], **names}
    return {
        "metadata": {"name": f"{named['plural']}.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": named,
            "versions": list(versions) or [version()],
        },
    }


def widget(name: str = "a", **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": {"size": 3, **spec}}


@pytest.fixture
async def defined(client: Client) -> Client:
    """A client of a server with the kind Widget."""
    assert (await client("POST", DEFINITIONS, definition())).status == 201
    return client


async def test_a_new_definition_is_answered_as_established(client: Client) -> None:
    made = (await client("POST", DEFINITIONS, definition())).document
    conditions = {each["type"]: each["status"] for each in made["status"]["conditions"]}
    assert conditions == {"NamesAccepted": "True", "Established": "True"}
    assert made["status"]["storedVersions"] == ["v1"]
    assert made["status"]["acceptedNames"] == {
        "kind": "Widget",
        "listKind": "WidgetList",
        "plural": "widgets",
        "singular": "widget",
        "shortNames": ["wd"],
    }
    assert made["spec"]["conversion"] == {"strategy": "None"}


async def test_a_kind_is_served_and_in_discovery_at_once(defined: Client) -> None:
    [row, *_] = (await defined("GET", f"{GROUP}/v1")).document["resources"]
    assert (row["name"], row["kind"], row["shortNames"]) == ("widgets", "Widget", ["wd"])
    whole = {each["name"]: each for each in (await defined("GET", "/apis")).document["groups"]}
    assert whole["example.com"]["preferredVersion"] == {
        "groupVersion": "example.com/v1",
        "version": "v1",
    }
    listed = (await defined("GET", WIDGETS)).document
    assert (listed["kind"], listed["items"]) == ("WidgetList", [])


async def test_discovery_is_made_anew_when_a_definition_goes(defined: Client) -> None:
    await defined("DELETE", f"{DEFINITIONS}/widgets.example.com")
    going = (await defined("GET", f"{DEFINITIONS}/widgets.example.com")).document
    await defined("PATCH", f"{DEFINITIONS}/{going['metadata']['name']}", NO_FINALIZERS, **MERGE)
    assert (await defined("GET", f"{GROUP}/v1")).status == 404
    assert (await defined("GET", WIDGETS)).status == 404


NO_FINALIZERS = {"metadata": {"finalizers": None}}


async def test_an_object_is_pruned_and_completed(defined: Client) -> None:
    made = await defined("POST", WIDGETS, widget(weight=5))
    assert (made.status, made.document["spec"]) == (201, {"size": 3, "colour": "red"})
    assert made.warnings == ('299 - "unknown field \\"spec.weight\\""',)
    assert (made.document["apiVersion"], made.document["kind"]) == ("example.com/v1", "Widget")


async def test_strict_field_validation_refuses_what_the_schema_does_not_know(
    defined: Client,
) -> None:
    body = {**widget(weight=5), "more": 1}
    reply = await defined("POST", f"{WIDGETS}?fieldValidation=Strict", body)
    words = 'strict decoding error: unknown field "spec.weight", unknown field "more"'
    assert (reply.status, words in reply.document["message"]) == (400, True)


async def test_an_invalid_object_is_refused_with_paths_and_words(defined: Client) -> None:
    reply = await defined("POST", WIDGETS, widget(size=0, colour="green", replicas="two"))
    assert (reply.status, reply.document["reason"]) == (422, "Invalid")
    told = {each["field"]: each["message"] for each in reply.document["details"]["causes"]}
    assert told == {
        "spec.size": ("Invalid value: 0: spec.size in body should be greater than or equal to 1"),
        "spec.colour": 'Unsupported value: "green": supported values: "red", "blue"',
        "spec.replicas": (
            'Invalid value: "string": spec.replicas in body must be of type integer: "string"'
        ),
    }


async def test_what_only_metadata_can_be_wrong_in_is_read_before_it_is_judged(
    defined: Client,
) -> None:
    reply = await defined("POST", WIDGETS, {**widget(), "metadata": {"name": "a", "labels": 3}})
    assert (reply.status, "metadata.labels" in reply.document["message"]) == (400, True)


@pytest.mark.parametrize("body", [{"metadata": None}, {"metadata": 3}, {"spec": 3}, {"kind": 1}])
async def test_odd_objects_are_refused(defined: Client, body: dict[str, Any]) -> None:
    reply = await defined("POST", WIDGETS, {**widget(), **body})
    assert reply.status in (400, 422)


async def test_the_status_is_a_place_of_its_own(defined: Client) -> None:
    made = await defined("POST", WIDGETS, {**widget(), "status": {"replicas": 2}})
    assert "status" not in made.document
    told = await defined("PATCH", f"{WIDGETS}/a/status", {"status": {"replicas": 2}}, **MERGE)
    assert told.document["status"] == {"replicas": 2}
    assert told.document["metadata"]["generation"] == 1
    changed = await defined("PATCH", f"{WIDGETS}/a", {"spec": {"size": 4}, "status": {}}, **MERGE)
    assert changed.document["status"] == {"replicas": 2}
    assert changed.document["metadata"]["generation"] == 2


async def test_a_wrong_status_is_refused(defined: Client) -> None:
    await defined("POST", WIDGETS, widget())
    told = await defined("PATCH", f"{WIDGETS}/a/status", {"status": {"replicas": "x"}}, **MERGE)
    assert told.status == 422


async def test_without_a_status_subresource_it_is_a_field_like_any_other(client: Client) -> None:
    await client("POST", DEFINITIONS, definition(version(subresources=None)))
    made = await client("POST", WIDGETS, {**widget(), "status": {"replicas": 2}})
    assert made.document["status"] == {"replicas": 2}
    changed = await client("PATCH", f"{WIDGETS}/a", {"status": {"replicas": 3}}, **MERGE)
    assert changed.document["metadata"]["generation"] == 2
    assert (await client("GET", f"{WIDGETS}/a/status")).status == 404


async def test_its_scale_is_read_and_written(defined: Client) -> None:
    await defined("POST", WIDGETS, widget(replicas=2))
    scale = (await defined("GET", f"{WIDGETS}/a/scale")).document
    assert (scale["kind"], scale["spec"]) == ("Scale", {"replicas": 2})
    await defined("PATCH", f"{WIDGETS}/a/scale", {"spec": {"replicas": 5}}, **MERGE)
    assert (await defined("GET", f"{WIDGETS}/a")).document["spec"]["replicas"] == 5


async def test_a_strategic_merge_patch_is_not_for_custom_kinds(defined: Client) -> None:
    await defined("POST", WIDGETS, widget())
    strategic = {"Content_Type": "application/strategic-merge-patch+json"}
    reply = await defined("PATCH", f"{WIDGETS}/a", {"spec": {"size": 4}}, **strategic)
    assert (reply.status, "merge-patch+json" in reply.document["message"]) == (415, True)


async def test_a_json_patch_changes_an_object(defined: Client) -> None:
    await defined("POST", WIDGETS, widget())
    patch = [{"op": "replace", "path": "/spec/size", "value": 9}]
    headers = {"Content_Type": "application/json-patch+json"}
    reply = await defined("PATCH", f"{WIDGETS}/a", patch, **headers)
    assert reply.document["spec"]["size"] == 9


async def test_items_of_a_map_are_there_once(defined: Client) -> None:
    ports = [{"name": "a"}, {"name": "b"}, {"name": "a"}]
    reply = await defined("POST", WIDGETS, widget(ports=ports))
    [cause] = reply.document["details"]["causes"]
    assert (cause["field"], cause["message"]) == (
        "spec.ports[2]",
        'Duplicate value: {"name":"a"}',
    )


async def test_versions_share_their_objects_and_a_deprecated_one_warns(client: Client) -> None:
    old = version("v1beta1", storage=False, deprecated=True)
    await client("POST", DEFINITIONS, definition(old, version()))
    made = await client("POST", f"{GROUP}/v1beta1/namespaces/shop/widgets", widget())
    assert made.document["apiVersion"] == "example.com/v1beta1"
    words = "example.com/v1beta1 Widget is deprecated; use example.com/v1 Widget"
    assert made.warnings == (f'299 - "{words}"',)
    read = await client("GET", f"{WIDGETS}/a")
    assert (read.document["apiVersion"], read.warnings) == ("example.com/v1", ())
    groups = {each["name"]: each for each in (await client("GET", "/apis")).document["groups"]}
    versions = [each["version"] for each in groups["example.com"]["versions"]]
    assert versions == ["v1", "v1beta1"]


async def test_a_default_that_came_later_is_seen_in_older_objects(defined: Client) -> None:
    await defined("POST", WIDGETS, widget())
    properties = SCHEMA["properties"]["spec"]["properties"]
    spec = {**SCHEMA["properties"]["spec"]}
    spec["properties"] = {**properties, "weight": {"type": "integer", "default": 7}}
    wider = {**SCHEMA, "properties": {**SCHEMA["properties"], "spec": spec}}
    change = {"spec": {"versions": [version(schema=wider)]}}
    path = f"{DEFINITIONS}/widgets.example.com"
    assert (await defined("PATCH", path, change, **MERGE)).status == 200
    assert (await defined("GET", f"{WIDGETS}/a")).document["spec"]["weight"] == 7
    items = (await defined("GET", WIDGETS)).document["items"]
    assert [each["spec"]["weight"] for each in items] == [7]


async def test_what_was_wrong_before_a_schema_grew_stricter_may_stay(defined: Client) -> None:
    await defined("POST", WIDGETS, widget(size=9))
    spec = {**SCHEMA["properties"]["spec"]}
    spec["properties"] = {**spec["properties"], "size": {"type": "integer", "maximum": 5}}
    stricter = {**SCHEMA, "properties": {**SCHEMA["properties"], "spec": spec}}
    change = {"spec": {"versions": [version(schema=stricter)]}}
    await defined("PATCH", f"{DEFINITIONS}/widgets.example.com", change, **MERGE)
    fine = await defined("PATCH", f"{WIDGETS}/a", {"spec": {"colour": "blue"}}, **MERGE)
    assert fine.status == 200
    assert (await defined("PATCH", f"{WIDGETS}/a", {"spec": {"size": 8}}, **MERGE)).status == 422


async def test_columns_are_the_definition_s(client: Client) -> None:
    columns = [{"name": "Size", "type": "integer", "jsonPath": ".spec.size", "priority": 1}]
    await client("POST", DEFINITIONS, definition(version(additionalPrinterColumns=columns)))
    await client("POST", WIDGETS, widget())
    accept = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}
    shown = (await client("GET", WIDGETS, **accept)).document
    names = [(each["name"], each["priority"]) for each in shown["columnDefinitions"]]
    assert names == [("Name", 0), ("Size", 1)]
    assert shown["rows"][0]["cells"] == ["a", 3]


async def test_selectable_fields_select(client: Client) -> None:
    fields = [{"jsonPath": ".spec.colour"}]
    await client("POST", DEFINITIONS, definition(version(selectableFields=fields)))
    await client("POST", WIDGETS, widget("a"))
    await client("POST", WIDGETS, widget("b", colour="blue"))
    chosen = await client("GET", f"{WIDGETS}?fieldSelector=spec.colour%3Dblue")
    assert [each["metadata"]["name"] for each in chosen.document["items"]] == ["b"]
    assert (await client("GET", f"{WIDGETS}?fieldSelector=spec.size%3D3")).status == 400


async def test_a_name_is_given_once(defined: Client) -> None:
    twice = await defined("POST", DEFINITIONS, definition(plural="gadgets", kind="Widget"))
    conditions = {each["type"]: each for each in twice.document["status"]["conditions"]}
    assert conditions["NamesAccepted"]["reason"] == "ListKindConflict"
    assert conditions["Established"]["status"] == "False"
    assert (await defined("GET", f"{GROUP}/v1/gadgets")).status == 404


async def test_a_definition_that_goes_takes_no_new_objects(defined: Client) -> None:
    reply = await defined("DELETE", f"{DEFINITIONS}/widgets.example.com")
    metadata = reply.document["metadata"]
    assert metadata["finalizers"] == ["customresourcecleanup.apiextensions.k8s.io"]
    conditions = {each["type"]: each for each in reply.document["status"]["conditions"]}
    assert conditions["Terminating"]["reason"] == "InstanceDeletionPending"
    refused = await defined("POST", WIDGETS, widget())
    assert (refused.status, "terminating" in refused.document["message"]) == (405, True)


async def test_a_dry_run_defines_nothing(client: Client) -> None:
    reply = await client("POST", f"{DEFINITIONS}?dryRun=All", definition())
    assert reply.status == 201
    assert (await client("GET", WIDGETS)).status == 404


async def test_a_refused_definition_is_told_why(client: Client) -> None:
    wrong = definition(version(), version("v2"))
    reply = await client("POST", DEFINITIONS, wrong)
    [cause] = reply.document["details"]["causes"]
    assert cause["message"].endswith("must have exactly one version marked as storage version")


async def test_watchers_of_a_kind_that_goes_are_ended(registry: Registry, client: Client) -> None:
    await client("POST", DEFINITIONS, definition())
    await client("POST", WIDGETS, widget())
    seen = []
    async for event in client.lines(f"{WIDGETS}?watch=1&resourceVersion=0"):
        seen.append(event["type"])
        await client("DELETE", f"{DEFINITIONS}/widgets.example.com")
        await client("PATCH", f"{DEFINITIONS}/widgets.example.com", NO_FINALIZERS, **MERGE)
    assert seen == ["ADDED"]


async def test_after_a_restart_the_same_kinds_are_served(tmp_path: Path, kind: Kinds) -> None:
    def registry() -> Registry:
        store = Store(SqliteJournal(tmp_path / "store.db"))
        addresses = ServiceAddresses("10.96.0.0/16", lambda count: 0)
        return Registry(store, addresses, Standing(), random.Random(1))

    class Standing:
        scale = 1.0

        def now(self) -> float:
            return 1_767_268_800.0

        def monotonic(self) -> float:
            return 0.0

        async def sleep(self, seconds: float) -> None:
            raise AssertionError("nothing waits here")

    from control.apiserver.options import WriteOptions

    first = registry()
    document = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        **definition(),
    }
    crd = kind(CUSTOM_RESOURCE_DEFINITIONS)
    await first.create(crd, None, document, WriteOptions())
    first.store.close()
    second = registry()
    assert second.catalogue.find("example.com", "v1", "widgets") is not None
    assert second.store.get(KEY, ObjectKey("", "widgets.example.com")) is not None
    second.store.close()


def test_only_definitions_change_what_is_served() -> None:
    assert is_definition(CUSTOM_RESOURCE_DEFINITIONS)
    assert not is_definition(Resource("example.com", "v1", "widgets", "Widget"))


def nested(levels: int) -> dict[str, Any]:
    """A schema of lists in lists."""
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(levels):
        schema = {"type": "array", "items": schema}
    return {"type": "object", "properties": {"spec": schema}}


async def test_a_deep_schema_is_served_and_one_too_deep_refused(client: Client) -> None:
    deep = definition(version(schema=nested(180), subresources=None))
    assert (await client("POST", DEFINITIONS, deep)).status == 201
    value: Any = "x"
    for _ in range(180):
        value = [value]
    made = await client("POST", WIDGETS, {"metadata": {"name": "a"}, "spec": value})
    assert made.status == 201
    explained = await client("GET", "/openapi/v3/apis/example.com/v1")
    assert explained.status == 200
    deeper = definition(version(schema=nested(250)), plural="gadgets", kind="Gadget")
    assert (await client("POST", DEFINITIONS, deeper)).status == 400


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "$ref": "#/definitions/self"},
        {"type": "object", "properties": {"a": {"type": "array", "items": [{"type": "string"}]}}},
        {"type": "object", "properties": {"a": {"type": "array", "items": {"properties": 5}}}},
        {"type": "object", "properties": {"a": {"additionalProperties": {"type": [1]}}}},
        {"type": "object", "properties": {"a": {"type": "string", "pattern": "(" * 4_000}}},
        {"type": "object", "properties": []},
        {"type": "object", "x-kubernetes-validations": [{"rule": "self.a >"}]},
        [],
        5,
    ],
)
async def test_a_schema_that_is_none_is_refused(client: Client, schema: Any) -> None:
    reply = await client("POST", DEFINITIONS, definition(version(schema=schema)))
    assert reply.status in (400, 422), reply.document


async def test_strict_field_validation_knows_schemas_inside_of_schemas(client: Client) -> None:
    inner = {"type": "array", "items": {"type": "string", "colour": "red"}}
    schema = {"type": "object", "properties": {"a": inner}}
    strict = f"{DEFINITIONS}?fieldValidation=Strict"
    reply = await client("POST", strict, definition(version(schema=schema)))
    assert (reply.status, "items.colour" in reply.document["message"]) == (400, True)


async def test_another_version_may_be_stored_from_now_on(defined: Client) -> None:
    await defined("POST", WIDGETS, widget("old"))
    plain = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    versions = [version("v1", storage=False), version("v2", schema=plain)]
    path = f"{DEFINITIONS}/widgets.example.com"
    changed = await defined("PATCH", path, {"spec": {"versions": versions}}, **MERGE)
    assert changed.document["status"]["storedVersions"] == ["v1", "v2"]
    newer = f"{GROUP}/v2/namespaces/shop/widgets"
    await defined("POST", newer, widget("new"))
    for where, wanted in ((newer, "example.com/v2"), (WIDGETS, "example.com/v1")):
        items = (await defined("GET", where)).document["items"]
        assert [each["apiVersion"] for each in items] == [wanted, wanted]
    without = {"spec": {"versions": versions[1:]}}
    refused = await defined("PATCH", path, without, **MERGE)
    assert (refused.status, "missing from spec.versions" in refused.document["message"]) == (
        422,
        True,
    )
