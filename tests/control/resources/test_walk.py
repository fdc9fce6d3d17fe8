"""Documents walked along their schemas."""

import copy
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.resources.kinds import find_kind
from control.resources.schema import Node, element_schema
from control.resources.walk import UNKNOWN_MAX, canonical, fill_defaults, prune, type_causes


def schema(group: str, plural: str) -> Node:
    kind = find_kind(group, "v1", plural)
    node = element_schema(kind) if kind else None
    assert node is not None
    return node


POD = schema("", "pods")
DEPLOYMENT = schema("apps", "deployments")
SERVICE = schema("", "services")

# -- prune


def test_unknown_fields_go_and_are_told_by_their_paths() -> None:
    document = {
        "kind": "Deployment",
        "spec": {"template": {"spec": {"containers": [{"name": "a"}, {"name": "b", "foo": 1}]}}},
        "specs": {},
        "metadata": {"name": "web", "colour": "red"},
    }
    pruned, unknown = prune(DEPLOYMENT, document)
    assert unknown == ["spec.template.spec.containers[1].foo", "specs", "metadata.colour"]
    assert pruned == {
        "kind": "Deployment",
        "spec": {"template": {"spec": {"containers": [{"name": "a"}, {"name": "b"}]}}},
        "metadata": {"name": "web"},
    }


def test_an_unknown_field_is_told_even_if_it_is_null() -> None:
    assert prune(POD, {"spec": {"hostname": None, "hostName": None}}) == (
        {"spec": {}},
        ["spec.hostName"],
    )


def test_null_is_absent_in_a_struct_and_the_zero_value_in_lists_and_maps() -> None:
    document = {
        "metadata": {"labels": {"app": None}, "annotations": None, "creationTimestamp": None},
        "spec": {
            "containers": [{"args": [None, "x"], "resources": {"limits": {"cpu": None}}}, None]
        },
    }
    pruned, unknown = prune(POD, document)
    assert unknown == []
    assert pruned == {
        "metadata": {"labels": {"app": ""}},
        "spec": {"containers": [{"args": ["", "x"], "resources": {"limits": {"cpu": "0"}}}, {}]},
    }


def test_what_no_schema_describes_is_kept_as_it_is() -> None:
    entry = {"fieldsV1": {"f:spec": {"f:replicas": {}, "x": None}}, "manager": "kubectl"}
    document = {"metadata": {"managedFields": [entry]}}
    assert prune(DEPLOYMENT, document) == (document, [])


def test_a_value_of_the_wrong_type_is_left_for_the_checks() -> None:
    document = {"spec": {"containers": {"name": "a"}, "nodeName": ["x"], "volumes": "none"}}
    pruned, unknown = prune(POD, document)
    assert (pruned, unknown) == (document, [])
    assert [cause.field for cause in type_causes(POD, pruned)] == [
        "spec.containers",
        "spec.nodeName",
        "spec.volumes",
    ]


def test_not_more_paths_are_told_than_upstream_tells() -> None:
    pruned, unknown = prune(POD, {f"field-{number}": 1 for number in range(UNKNOWN_MAX + 20)})
    assert pruned == {}
    assert len(unknown) == UNKNOWN_MAX


# -- canonical


def test_amounts_and_times_are_spelled_their_one_way() -> None:
    resources = {"limits": {"cpu": " 1000m ", "memory": "1024Ki"}, "requests": {"cpu": 0.5}}
    document = {
        "metadata": {"creationTimestamp": "2026-01-01T01:00:00+01:00", "name": "1000m"},
        "spec": {
            "containers": [{"name": "a", "resources": resources}],
            "volumes": [{"name": "v", "emptyDir": {"sizeLimit": "0.5Gi"}}],
        },
    }
    made = canonical(POD, document)
    assert made["metadata"] == {"creationTimestamp": "2026-01-01T00:00:00Z", "name": "1000m"}
    assert made["spec"]["containers"][0]["resources"] == {
        "limits": {"cpu": "1", "memory": "1Mi"},
        "requests": {"cpu": "500m"},
    }
    assert made["spec"]["volumes"][0]["emptyDir"] == {"sizeLimit": "512Mi"}


def test_an_amount_that_is_none_is_left_for_the_checks() -> None:
    document = {"spec": {"containers": [{"resources": {"limits": {"cpu": "lots", "gpu": True}}}]}}
    assert canonical(POD, document) == document


# -- defaults


def test_defaults_fill_what_is_absent_leaf_by_leaf() -> None:
    probe = {"httpGet": {"port": 80}, "periodSeconds": 5}
    document = {"spec": {"containers": [{"name": "a", "readinessProbe": probe}]}}
    (container,) = fill_defaults(POD, document)["spec"]["containers"]
    assert container == {
        "name": "a",
        "readinessProbe": {
            "httpGet": {"port": 80, "path": "/", "scheme": "HTTP"},
            "periodSeconds": 5,
            "timeoutSeconds": 1,
            "successThreshold": 1,
            "failureThreshold": 3,
        },
        "resources": {},
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
    }


@pytest.mark.parametrize("spec", [{}, {"strategy": {}}])
def test_an_empty_struct_is_filled_like_an_absent_one(spec: dict[str, Any]) -> None:
    filled = fill_defaults(DEPLOYMENT, {"spec": spec})["spec"]
    assert filled["strategy"] == {"type": "RollingUpdate"}
    assert filled["replicas"] == 1


def test_what_is_given_stays_even_if_it_is_zero() -> None:
    filled = fill_defaults(DEPLOYMENT, {"spec": {"replicas": 0, "strategy": {"type": "Recreate"}}})
    assert filled["spec"]["replicas"] == 0
    assert filled["spec"]["strategy"] == {"type": "Recreate"}


def test_structs_that_are_absent_and_optional_stay_so() -> None:
    filled = fill_defaults(POD, {"spec": {"containers": [{"name": "a"}]}})
    assert "volumes" not in filled["spec"]
    assert "readinessProbe" not in filled["spec"]["containers"][0]
    assert fill_defaults(POD, {"metadata": {}}) == {"metadata": {}}


def test_ports_speak_tcp_unless_they_say_otherwise() -> None:
    document = {"spec": {"ports": [{"port": 53, "protocol": "UDP"}, {"port": 53}]}}
    ports = fill_defaults(SERVICE, document)["spec"]["ports"]
    assert [each["protocol"] for each in ports] == ["UDP", "TCP"]


def test_two_documents_share_no_default() -> None:
    first = fill_defaults(DEPLOYMENT, {"spec": {}})
    first["spec"]["strategy"]["type"] = "Recreate"
    assert fill_defaults(DEPLOYMENT, {"spec": {}})["spec"]["strategy"]["type"] == "RollingUpdate"
    bare: dict[str, Any] = {"spec": {"containers": [{}]}}
    fill_defaults(POD, bare)["spec"]["containers"][0]["resources"]["limits"] = {"cpu": "1"}
    assert fill_defaults(POD, bare)["spec"]["containers"][0]["resources"] == {}


def test_a_schema_may_refer_to_itself() -> None:
    tree = Node("object", required=("name",))
    amount, branches = Node("quantity", default="1"), Node("array", items=tree)
    tree.properties = {"name": Node("string"), "weight": amount, "branches": branches}
    document = {"name": "a", "branches": [{"weight": "1000m", "leaf": 1}]}
    pruned, unknown = prune(tree, document)
    assert unknown == ["branches[0].leaf"]
    assert canonical(tree, pruned)["branches"] == [{"weight": "1"}]
    assert fill_defaults(tree, {"branches": [{}]}) == {"weight": "1", "branches": [{"weight": "1"}]}
    assert [cause.field for cause in type_causes(tree, document)] == ["branches[0].name"]
    plain = Node("object")
    plain.properties = {"name": Node("string"), "inner": plain}
    assert canonical(plain, {"inner": {"name": "1000m"}}) == {"inner": {"name": "1000m"}}


# -- all walks, over documents that nobody would write


NAMES = """
metadata spec status labels name template selector containers ports resources limits cpu
protocol readinessProbe httpGet volumes emptyDir sizeLimit foo
"""
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "1000m", "x", "TCP"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(NAMES.split()), inner, max_size=4)
    ),
    max_leaves=12,
)
DOCUMENTS = st.dictionaries(
    st.sampled_from(["metadata", "spec", "status", "kind", "foo"]), VALUES, max_size=4
)
SCHEMAS = st.sampled_from([POD, DEPLOYMENT, SERVICE])


@given(SCHEMAS, DOCUMENTS)
def test_a_pruned_document_has_nothing_more_to_prune(node: Node, document: dict[str, Any]) -> None:
    pruned, _ = prune(node, document)
    assert prune(node, pruned) == (pruned, [])


@given(SCHEMAS, DOCUMENTS)
def test_canonical_and_defaults_are_done_once(node: Node, document: dict[str, Any]) -> None:
    pruned, _ = prune(node, document)
    made = canonical(node, pruned)
    assert canonical(node, made) == made
    filled = fill_defaults(node, made)
    assert fill_defaults(node, filled) == filled
    assert prune(node, filled) == (filled, [])


@given(SCHEMAS, DOCUMENTS)
def test_no_walk_changes_what_it_is_given(node: Node, document: dict[str, Any]) -> None:
    before = copy.deepcopy(document)
    prune(node, document)
    canonical(node, document)
    fill_defaults(node, document)
    type_causes(node, document)
    assert document == before


@given(SCHEMAS, DOCUMENTS)
def test_defaults_take_nothing_away(node: Node, document: dict[str, Any]) -> None:
    pruned, _ = prune(node, document)
    assert _contains(fill_defaults(node, pruned), pruned)


@given(SCHEMAS, DOCUMENTS)
def test_a_default_is_never_of_the_wrong_type(node: Node, document: dict[str, Any]) -> None:
    pruned, _ = prune(node, document)
    before = type_causes(node, pruned)
    after = type_causes(node, fill_defaults(node, pruned))
    assert set(after) <= set(before)
    assert orjson.dumps(after)


def _contains(whole: Any, part: Any) -> bool:
    if isinstance(part, dict) and isinstance(whole, dict):
        return all(key in whole and _contains(whole[key], each) for key, each in part.items())
    if isinstance(part, list) and isinstance(whole, list):
        pairs = zip(whole, part, strict=True)
        return all(_contains(one, other) for one, other in pairs)
    return bool(whole == part)
