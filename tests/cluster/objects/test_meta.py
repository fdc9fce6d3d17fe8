from cluster.objects.meta import key_of, parse_meta


def test_metadata_is_read_with_its_absences() -> None:
    meta = parse_meta({"metadata": {"name": "node-1", "labels": None}})
    assert meta.key == ("", "node-1")
    assert meta.labels == {} and meta.annotations == {} and not meta.deleting


def test_an_object_with_a_deletion_timestamp_is_being_deleted() -> None:
    document = {"metadata": {"name": "a", "namespace": "b", "deletionTimestamp": "2026-01-01"}}
    assert parse_meta(document).deleting
    assert key_of(document) == ("b", "a")


def test_a_controller_is_the_owner_that_manages() -> None:
    other = {"kind": "Node", "name": "node-1"}
    managing = {"kind": "ReplicaSet", "name": "cart-7d4b9c", "controller": True}
    owned = parse_meta({"metadata": {"name": "a", "ownerReferences": [other, managing]}})
    assert owned.controller == "ReplicaSet/cart-7d4b9c"
    assert parse_meta({"metadata": {"name": "a", "ownerReferences": [other]}}).controller == ""
