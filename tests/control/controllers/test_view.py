"""Objects: newest wins, indexes hold, the dead stay dead."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cluster.objects.resources import NODES, PODS, REPLICA_SETS, SERVICES
from control.controllers.view import (
    GRAVES_MAX,
    Key,
    Objects,
    deleting,
    key_of,
    version_of,
)


def pod(version: int, *, uid: str = "u", name: str = "a", **more: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "default", "uid": uid, "resourceVersion": str(version)}
    return {"metadata": {**metadata, **more.pop("metadata", {})}, "spec": more}


def test_an_older_document_does_not_replace_a_newer_one() -> None:
    objects = Objects()
    assert objects.put(PODS, pod(2))
    assert not objects.put(PODS, pod(1))
    assert not objects.put(PODS, pod(2))
    assert objects.put(PODS, pod(3))
    held = objects.get(PODS, "default", "a")
    assert held is not None and version_of(held) == 3


def test_a_successor_of_the_same_name_is_another_object() -> None:
    objects = Objects()
    objects.put(PODS, pod(5, uid="old"))
    assert objects.put(PODS, pod(7, uid="new"))
    assert not objects.remove(PODS, pod(6, uid="old"))
    assert objects.get(PODS, "default", "a") is not None


def test_a_late_answer_does_not_raise_the_dead() -> None:
    objects = Objects()
    objects.put(PODS, pod(1))
    assert objects.remove(PODS, pod(2))
    assert not objects.put(PODS, pod(1))


def test_graves_are_bounded() -> None:
    objects = Objects()
    for number in range(GRAVES_MAX + 1):
        objects.remove(PODS, pod(1, uid=f"u{number}"))
    assert objects.put(PODS, pod(1, uid="u0"))
    assert not objects.put(PODS, pod(1, uid="u1"))


def test_our_own_deletion_shows_until_the_object_is_gone() -> None:
    objects = Objects()
    objects.put(PODS, pod(1))
    objects.mark_deleting(Key(PODS, "default", "a"), "u", "2026-01-01T12:00:00Z")
    held = objects.get(PODS, "default", "a")
    assert held is not None and deleting(held)
    assert not objects.put(PODS, pod(1))  # the watch repeats what is known
    objects.mark_deleting(Key(PODS, "default", "a"), "another", "x")
    objects.mark_deleting(Key(PODS, "default", "b"), "u", "x")


def test_pods_are_found_by_node_and_dependents_by_owner() -> None:
    objects = Objects()
    owned = pod(1, nodeName="node-1", metadata={"ownerReferences": [{"uid": "o"}]})
    objects.put(PODS, owned)
    assert objects.pods_on("node-1") == [owned]
    assert objects.owned_by("o") == [(Key(PODS, "default", "a"), owned)]
    assert objects.owned_by("o", SERVICES) == []
    objects.put(PODS, pod(2))
    assert objects.pods_on("node-1") == []
    assert objects.owned_by("o") == []


def test_objects_are_listed_by_namespace_or_all(build: Any) -> None:
    objects = Objects()
    objects.put(PODS, build.pod("a"))
    objects.put(PODS, build.pod("b", namespace="other"))
    assert len(list(objects.each(PODS))) == 2
    assert [p["metadata"]["name"] for p in objects.each(PODS, "other")] == ["b"]
    assert list(objects.each(REPLICA_SETS)) == []
    assert objects.resources() == (PODS,)


def test_a_key_reads_like_a_path(build: Any) -> None:
    assert str(key_of(PODS, build.pod("a"))) == "pods/default/a"
    assert str(key_of(NODES, build.node("n"))) == "nodes/n"


changes = st.lists(
    st.tuples(
        st.sampled_from(["put", "remove"]),
        st.sampled_from(["a", "b"]),
        st.sampled_from(["", "n1", "n2"]),
        st.sampled_from([(), ("o1",), ("o1", "o2")]),
    )
)


@given(changes=changes)
def test_the_indexes_always_agree_with_the_objects(changes: list[Any]) -> None:
    objects = Objects()
    uids = {"a": 0, "b": 0}
    for version, (what, name, node, owners) in enumerate(changes):
        references = {"ownerReferences": [{"uid": owner} for owner in owners]}
        uid = f"{name}{uids[name]}"
        document = pod(version, uid=uid, name=name, nodeName=node, metadata=references)
        if what == "put":
            objects.put(PODS, document)
        else:
            objects.remove(PODS, document)
            uids[name] += 1
    present = list(objects.each(PODS))
    for node in ("n1", "n2"):
        wished = [p["metadata"]["name"] for p in present if p["spec"].get("nodeName") == node]
        assert sorted(p["metadata"]["name"] for p in objects.pods_on(node)) == sorted(wished)
    for owner in ("o1", "o2"):
        wished = [p for p in present if {"uid": owner} in p["metadata"]["ownerReferences"]]
        assert len(objects.owned_by(owner)) == len(wished)


LABELS = st.dictionaries(st.sampled_from("ab"), st.sampled_from("xy"), max_size=2)


@given(st.lists(st.tuples(st.sampled_from("pqr"), LABELS), max_size=12), LABELS, st.booleans())
def test_pods_are_selected_by_the_labels_that_they_have_now(
    puts: list[tuple[str, dict[str, str]]], wanted: dict[str, str], some: bool
) -> None:
    objects, now = Objects(), {}
    for version, (name, labels) in enumerate(puts, start=1):
        objects.put(PODS, pod(version, uid=name, name=name, metadata={"labels": labels}))
        now[name] = labels
    selector = {"matchLabels": wanted} if some else None
    found = {each["metadata"]["name"] for each in objects.pods_selected("default", selector)}
    assert found == {name for name in now if some and wanted.items() <= now[name].items()}
    assert not list(objects.pods_selected("elsewhere", selector))


def test_an_owner_may_claim_what_it_has_and_what_its_selector_selects() -> None:
    objects = Objects()
    owner = {
        "metadata": {"name": "o", "namespace": "default", "uid": "o"},
        "spec": {"selector": {"matchLabels": {"a": "x"}}},
    }
    held = {"ownerReferences": [{"uid": "o", "controller": True}], "labels": {"a": "y"}}
    objects.put(PODS, pod(1, uid="1", name="held", metadata=held))
    objects.put(PODS, pod(2, uid="2", name="orphan", metadata={"labels": {"a": "x"}}))
    objects.put(PODS, pod(3, uid="3", name="other", metadata={"labels": {"a": "y"}}))
    names = [each["metadata"]["name"] for each in objects.pods_to_claim(owner)]
    assert names == ["held", "orphan"]
