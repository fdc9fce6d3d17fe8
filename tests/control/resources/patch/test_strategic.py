"""Strategic merge patch: lists that are maps or sets, directives, and what it must never do."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.objects.resources import DEPLOYMENTS, SERVICES
from control.resources.kinds import find_kind
from control.resources.patch.errors import MalformedPatch, PatchError
from control.resources.patch.merge import merge_patch
from control.resources.patch.strategic import strategic_merge
from control.resources.schema import Node, element_schema

TEXT = Node("string")
ITEM = Node("object", properties={"name": TEXT, "image": TEXT, "args": Node("array", items=TEXT)})
ROOT = Node(
    "object",
    properties={
        "containers": Node("array", items=ITEM, merge=True, merge_key="name"),
        "finalizers": Node("array", items=TEXT, merge=True),
        "args": Node("array", items=TEXT),
        "volumes": Node("array", items=ITEM, merge=True, merge_key="name", retain_keys=True),
        "strategy": Node("object", retain_keys=True),
        "labels": Node("object", additional=TEXT),
    },
)


def merged(document: dict[str, Any], patch: dict[str, Any]) -> Any:
    return strategic_merge(document, patch, ROOT)


def refused(document: dict[str, Any], patch: dict[str, Any]) -> PatchError:
    with pytest.raises(PatchError) as caught:
        merged(document, patch)
    return caught.value


def test_items_with_the_same_key_are_one() -> None:
    document = {"containers": [{"name": "a", "image": "1", "args": ["x"]}, {"name": "b"}]}
    patch = {"containers": [{"name": "a", "image": "2"}, {"name": "c", "image": None}]}
    a = {"name": "a", "image": "2", "args": ["x"]}
    assert merged(document, patch) == {"containers": [a, {"name": "c"}, {"name": "b"}]}


def test_an_item_is_deleted_by_its_key() -> None:
    document = {"containers": [{"name": "a"}, {"name": "b"}]}
    patch = {"containers": [{"name": "a", "$patch": "delete"}]}
    assert merged(document, patch) == {"containers": [{"name": "b"}]}
    assert merged({}, patch) == {"containers": []}


def test_a_list_is_replaced_on_request() -> None:
    document = {"containers": [{"name": "a", "image": "1"}]}
    patch = {"containers": [{"$patch": "replace"}, {"name": "a"}, {"name": "c"}]}
    assert merged(document, patch) == {"containers": [{"name": "a"}, {"name": "c"}]}


def test_a_map_is_replaced_or_emptied_on_request() -> None:
    document = {"labels": {"a": "1", "b": "2"}}
    assert merged(document, {"labels": {"$patch": "replace", "c": "3"}}) == {"labels": {"c": "3"}}
    assert merged(document, {"labels": {"$patch": "delete"}}) == {"labels": {}}
    both = {"a": "1", "b": "2", "c": "3"}
    assert merged(document, {"labels": {"$patch": "merge", "c": "3"}}) == {"labels": both}


def test_a_set_is_joined_and_values_leave_it_on_request() -> None:
    document = {"finalizers": ["a", "b"]}
    assert merged(document, {"finalizers": ["c", "a"]})["finalizers"] == ["c", "a", "b"]
    patch = {"$deleteFromPrimitiveList/finalizers": ["a", "z"], "finalizers": ["c"]}
    assert sorted(merged(document, patch)["finalizers"]) == ["b", "c"]


def test_a_list_without_a_strategy_is_replaced() -> None:
    assert merged({"args": ["a", "b"]}, {"args": ["c"]}) == {"args": ["c"]}


def test_other_keys_go_when_the_patch_says_which_to_retain() -> None:
    document = {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}
    patch = {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}
    assert merged(document, patch) == {"strategy": {"type": "Recreate"}}
    volumes = {"volumes": [{"name": "v", "emptyDir": {}}]}
    change = {"volumes": [{"name": "v", "$retainKeys": ["name", "image"], "image": "x"}]}
    assert merged(volumes, change) == {"volumes": [{"name": "v", "image": "x"}]}


def test_items_stand_in_the_order_that_the_patch_gives() -> None:
    document = {"containers": [{"name": "a"}, {"name": "b"}, {"name": "x"}]}
    patch = {
        "$setElementOrder/containers": [{"name": "c"}, {"name": "b"}, {"name": "a"}],
        "containers": [{"name": "c"}],
    }
    names = [each["name"] for each in merged(document, patch)["containers"]]
    assert names == ["c", "b", "a", "x"]
    order = {"$setElementOrder/finalizers": ["b", "a"]}
    assert merged({"finalizers": ["a", "b"]}, order) == {"finalizers": ["b", "a"]}


@pytest.mark.parametrize(
    "patch",
    [
        {"$patch": "what"},
        {"containers": [{"image": "no key"}]},
        {"containers": [{"name": "a", "$patch": "what"}]},
        {"containers": ["text"]},
        {"containers": [[1]]},
        {"strategy": {"$retainKeys": "type"}},
        {"strategy": {"$retainKeys": ["type"], "other": 1}},
        {"$setElementOrder/containers": [{"image": "x"}]},
        {"$setElementOrder/containers": [{"name": "a"}], "containers": [{"name": "b"}]},
        {"$setElementOrder/containers": "a"},
        {"$deleteFromPrimitiveList/finalizers": "a"},
    ],
)
def test_a_patch_that_makes_no_sense_is_a_bad_request(patch: dict[str, Any]) -> None:
    document = {"containers": [{"name": "a"}], "finalizers": ["a"], "strategy": {"type": "x"}}
    assert refused(document, patch).code == MalformedPatch.code


def test_what_is_new_comes_without_directives_and_nulls() -> None:
    patch = {"labels": {"$retainKeys": ["a"], "a": "1"}, "deep": {"x": None, "y": {"z": None}}}
    assert merged({}, patch) == {"labels": {"a": "1"}, "deep": {"y": {}}}


def test_service_ports_and_deployments_containers_merge_by_their_keys() -> None:
    """The kinds' real schemas say so."""
    service = find_kind(SERVICES.group, SERVICES.version, SERVICES.plural)
    deployment = find_kind(DEPLOYMENTS.group, DEPLOYMENTS.version, DEPLOYMENTS.plural)
    assert service is not None
    assert deployment is not None
    ports = {"spec": {"ports": [{"port": 80, "nodePort": 30080}]}}
    patch = {"spec": {"ports": [{"port": 80, "name": "http"}]}}
    after = strategic_merge(ports, patch, element_schema(service))
    assert after["spec"]["ports"] == [{"port": 80, "nodePort": 30080, "name": "http"}]
    spec = {"containers": [{"name": "a", "env": [{"name": "X", "value": "1"}]}, {"name": "b"}]}
    change = {"containers": [{"name": "a", "env": [{"name": "Y", "value": "2"}]}]}
    after = strategic_merge(
        {"spec": {"template": {"spec": spec}}},
        {"spec": {"template": {"spec": change}}},
        element_schema(deployment),
    )
    containers = {each["name"]: each for each in after["spec"]["template"]["spec"]["containers"]}
    assert containers.keys() == {"a", "b"}
    assert {each["name"]: each["value"] for each in containers["a"]["env"]} == {"X": "1", "Y": "2"}


LEAVES = st.sampled_from(["1", "2", "3"])
ITEMS = st.fixed_dictionaries(
    {"name": st.sampled_from("abcd")}, optional={"image": LEAVES, "args": st.lists(LEAVES)}
)
CONTAINERS = st.lists(ITEMS, max_size=4, unique_by=lambda each: each["name"])
DOCUMENTS: Any = st.fixed_dictionaries(
    {},
    optional={
        "containers": CONTAINERS,
        "finalizers": st.lists(LEAVES, unique=True),
        "labels": st.dictionaries(st.sampled_from("xyz"), LEAVES),
        "args": st.lists(LEAVES),
    },
)


def by_hand(document: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """The merge of the documents above, spelled out; lists as maps, without order."""
    keyed = {"containers": {}, **document}
    result = dict(keyed)
    for field, value in patch.items():
        if field == "containers":
            held = {each["name"]: each for each in document.get(field, [])}
            for item in value:
                held[item["name"]] = {**held.get(item["name"], {}), **item}
            result[field] = held
        elif field == "finalizers":
            result[field] = set(document.get(field, [])) | set(value)
        else:
            result[field] = merge_patch(document.get(field), value)
    return result


def without_order(document: dict[str, Any], like: dict[str, Any]) -> dict[str, Any]:
    shown = {"containers": {}, **document}
    if isinstance(like.get("containers"), dict) and isinstance(shown["containers"], list):
        shown["containers"] = {each["name"]: each for each in shown["containers"]}
    if isinstance(like.get("finalizers"), set):
        shown["finalizers"] = set(shown["finalizers"])
    return shown


@given(DOCUMENTS, DOCUMENTS)
def test_it_merges_as_one_would_by_hand(document: dict[str, Any], patch: dict[str, Any]) -> None:
    expected = by_hand(document, patch)
    assert without_order(merged(document, patch), expected) == without_order(expected, expected)


@given(DOCUMENTS, DOCUMENTS)
def test_neither_document_nor_patch_is_changed(
    document: dict[str, Any], patch: dict[str, Any]
) -> None:
    before = copy.deepcopy((document, patch))
    merged(document, patch)
    assert (document, patch) == before


@given(DOCUMENTS)
def test_a_document_as_its_own_patch_changes_nothing(document: dict[str, Any]) -> None:
    assert merged(document, document) == document
    assert merged(document, {}) == document


@given(DOCUMENTS, DOCUMENTS)
def test_a_patch_applied_twice_changes_nothing_more(
    document: dict[str, Any], patch: dict[str, Any]
) -> None:
    once = merged(document, patch)
    assert merged(once, patch) == once
