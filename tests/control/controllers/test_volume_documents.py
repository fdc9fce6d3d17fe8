"""The class of a new cluster, and what a volume says of its claim."""

from control.controllers.volume_documents import default_class, is_default, reference, requested

CLAIM = {"metadata": {"name": "data", "namespace": "default", "uid": "u", "resourceVersion": "7"}}


def test_the_first_class_is_the_default() -> None:
    assert is_default(default_class())
    assert not is_default({"metadata": {"name": "other"}})


def test_a_reference_names_one_claim_of_one_time() -> None:
    assert reference(CLAIM) == {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "namespace": "default",
        "name": "data",
        "uid": "u",
        "resourceVersion": "7",
    }


def test_a_claim_that_asks_for_nothing_asks_for_no_bytes() -> None:
    assert requested(CLAIM) == "0"
