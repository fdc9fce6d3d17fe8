"""JSON Patch: operations, refusals in upstream's words, and limits."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.resources.patch import json_patch as module
from control.resources.patch.errors import MalformedPatch, PatchError
from control.resources.patch.json_patch import json_patch

DOCUMENT: dict[str, Any] = {"spec": {"replicas": 1, "args": ["a", "b"]}, "metadata": {"name": "x"}}


def operation(op: Any, path: Any, **more: Any) -> dict[str, Any]:
    return {"op": op, "path": path, **more}


def refused(*operations: Any) -> PatchError:
    with pytest.raises(PatchError) as caught:
        json_patch(DOCUMENT, list(operations))
    return caught.value


def test_operations_build_on_one_another() -> None:
    patched = json_patch(
        DOCUMENT,
        [
            operation("test", "/spec/replicas", value=1),
            operation("replace", "/spec/replicas", value=3),
            operation("add", "/spec/args/-", value="c"),
            operation("remove", "/spec/args/0"),
            operation("add", "/metadata/labels", value={}),
            operation("add", "/metadata/labels/a~1b", value="c"),
            operation("copy", "/spec/size", **{"from": "/spec/replicas"}),
            operation("move", "/spec/count", **{"from": "/spec/replicas"}),
        ],
    )
    assert patched == {
        "spec": {"args": ["b", "c"], "size": 3, "count": 3},
        "metadata": {"name": "x", "labels": {"a/b": "c"}},
    }


def test_all_or_none() -> None:
    before = copy.deepcopy(DOCUMENT)
    add = operation("add", "/spec/new", value=1)
    assert "test failed" in str(refused(add, operation("test", "/spec/replicas", value=2)))
    assert before == DOCUMENT


@pytest.mark.parametrize(
    "wrong",
    [
        operation("test", "/spec/replicas", value=9),
        operation("remove", "/spec/none"),
        operation("replace", "/spec/none", value=1),
        operation("add", "/none/none", value=1),
        operation("add", "/spec/args/7", value=1),
        operation("add", "/spec/replicas/x", value=1),
        operation("move", "/a", **{"from": "/none"}),
        operation("copy", "/a", **{"from": "/none"}),
        operation("remove", ""),
    ],
)
def test_what_does_not_fit_the_document_is_unprocessable(wrong: dict[str, Any]) -> None:
    assert refused(wrong).code == PatchError.code


@pytest.mark.parametrize(
    "wrong",
    [
        "add",
        {},
        operation("frob", "/spec"),
        operation(["add"], "/spec"),
        operation("add", "/spec"),
        operation("add", "spec", value=1),
        operation("add", 5, value=1),
        operation("move", "/spec"),
        operation("copy", "/spec", **{"from": 7}),
    ],
)
def test_what_is_no_operation_is_a_bad_request(wrong: Any) -> None:
    assert refused(wrong).code == MalformedPatch.code


def test_the_whole_document_can_be_replaced_and_the_patch_is_not_changed() -> None:
    operations = [
        operation("replace", "", value={"spec": {}}),
        operation("add", "/spec/a", value={}),
        operation("add", "/spec/a/b", value=1),
    ]
    before = copy.deepcopy(operations)
    assert json_patch(DOCUMENT, operations) == {"spec": {"a": {"b": 1}}}
    assert operations == before


def test_a_patch_has_a_limit_of_operations() -> None:
    many = [operation("test", "/spec/replicas", value=1)] * (module.OPERATIONS_MAX + 1)
    assert refused(*many).code == 413


def test_copies_of_copies_do_not_fill_the_memory() -> None:
    big = {"a": "x" * (module.COPIED_BYTES_MAX // 2)}
    again = [operation("copy", f"/{name}", **{"from": "/a"}) for name in "bcd"]
    with pytest.raises(PatchError, match="copies more than"):
        json_patch(big, again)


POINTERS = st.lists(st.sampled_from(["", "a", "b", "0", "-", "~0"]), max_size=3).map(
    lambda parts: "".join(f"/{part}" for part in parts)
)
VALUES = st.recursive(
    st.integers(-3, 3) | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner),
    max_leaves=6,
)
OPERATIONS = st.fixed_dictionaries(
    {
        "op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test"]),
        "path": POINTERS,
    },
    optional={"value": VALUES, "from": POINTERS},
)


@given(VALUES, st.lists(OPERATIONS, max_size=4))
def test_any_patch_is_carried_out_or_refused(document: Any, operations: list[Any]) -> None:
    before = copy.deepcopy((document, operations))
    try:
        json_patch(document, operations)
    except PatchError as error:
        assert str(error)
    assert (document, operations) == before
