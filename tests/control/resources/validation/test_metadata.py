"""Metadata: names, labels, annotations, owners, finalizers."""

from typing import Any

from control.resources.validation.metadata import metadata_causes, metadata_update_causes
from control.resources.validation.names import label_faults, subdomain_faults


def told(**metadata: Any) -> list[str]:
    causes = metadata_causes({"name": "web", **metadata}, subdomain_faults)
    return [f"{each.field}: {each.message}" for each in causes]


def fields(**metadata: Any) -> list[str]:
    return [each.partition(": ")[0] for each in told(**metadata)]


def test_an_object_has_a_name() -> None:
    assert told(name="") == ["metadata.name: Required value: name or generateName is required"]
    assert told(name="", generateName="web-") == []
    assert fields(name="", generateName="Web-") == ["metadata.generateName"]


def test_a_kind_says_what_a_name_is() -> None:
    assert told(name="1.a") == []
    causes = metadata_causes({"name": "1.a"}, label_faults)
    assert [each.field for each in causes] == ["metadata.name"]


def test_labels_and_annotations() -> None:
    good = {"app": "web", "example.com/tier": ""}
    assert told(labels=good, annotations={"example.com/A": "any thing"}) == []
    assert fields(labels={"a b": "c"}) == ["metadata.labels"]
    assert fields(labels={"a": "b c"}) == ["metadata.labels"]
    assert fields(annotations={"a b": "c"}) == ["metadata.annotations"]
    assert told(annotations={"a": "x" * (256 << 10)}) == [
        "metadata.annotations: Too long: may not be more than 262144 bytes"
    ]


def test_owners_and_finalizers() -> None:
    owner = {"apiVersion": "v1", "kind": "Pod", "name": "a", "uid": "u", "controller": True}
    assert told(ownerReferences=[owner], finalizers=["example.com/x"]) == []
    assert fields(ownerReferences=[{"kind": "Pod"}]) == [
        f"metadata.ownerReferences[0].{key}" for key in ("apiVersion", "name", "uid")
    ]
    assert fields(ownerReferences=[owner, owner]) == ["metadata.ownerReferences"]
    assert fields(finalizers=["a b"]) == ["metadata.finalizers[0]"]


def test_a_going_object_takes_no_new_finalizers() -> None:
    old = {"name": "a", "deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["x"]}
    (cause,) = metadata_update_causes({**old, "finalizers": ["x", "y"]}, old)
    assert cause.field == "metadata.finalizers"
    assert cause.message.startswith("Forbidden: no new finalizers can be added if the object is")
    assert cause.message.endswith('found new finalizers []string{"y"}')
    assert list(metadata_update_causes({**old, "finalizers": []}, old)) == []
    living = {"name": "a"}
    assert list(metadata_update_causes({**living, "finalizers": ["y"]}, living)) == []


def test_a_name_does_not_change() -> None:
    (cause,) = metadata_update_causes({"name": "b"}, {"name": "a"})
    assert (cause.field, cause.message) == (
        "metadata.name",
        'Invalid value: "b": field is immutable',
    )
