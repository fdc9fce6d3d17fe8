"""EndpointSlices as documents."""

from cluster.objects.resources import ENDPOINT_SLICES, ENDPOINTS, SERVICES
from control.controllers.service_endpoints import HEADLESS_LABEL
from control.controllers.slice_documents import (
    MANAGED_BY,
    SERVICE_NAME,
    delete_slice,
    new_slice,
    slice_labels,
)
from control.controllers.writes import Delete

WEB = {
    "metadata": {
        "namespace": "shop",
        "name": "web",
        "uid": "uid-web",
        "labels": {"team": "a", MANAGED_BY: "somebody", HEADLESS_LABEL: ""},
    }
}


def test_labels_are_the_owners_and_the_managers_own() -> None:
    """S-134: the owner cannot claim the manager's labels."""
    assert slice_labels(WEB, "me") == {"team": "a", SERVICE_NAME: "web", MANAGED_BY: "me"}


def test_a_slice_is_owned_by_what_it_is_made_for() -> None:
    """S-133: a generated name, one controlling owner that waits for it."""
    made = new_slice(SERVICES, WEB, "IPv4", {"a": "b"}, {"endpoints": []}, annotations={"c": "d"})
    assert made["metadata"] == {
        "generateName": "web-",
        "namespace": "shop",
        "labels": {"a": "b"},
        "annotations": {"c": "d"},
        "ownerReferences": [
            {
                "apiVersion": "v1",
                "kind": "Service",
                "name": "web",
                "uid": "uid-web",
                "controller": True,
                "blockOwnerDeletion": True,
            }
        ],
    }
    assert (made["kind"], made["addressType"], made["endpoints"]) == ("EndpointSlice", "IPv4", [])


def test_a_slice_without_annotations_has_none() -> None:
    made = new_slice(ENDPOINTS, WEB, "IPv6", {}, {})
    assert "annotations" not in made["metadata"]
    assert made["metadata"]["ownerReferences"][0]["kind"] == "Endpoints"


def test_only_the_slice_that_was_seen_is_deleted() -> None:
    assert delete_slice(WEB) == Delete(
        resource=ENDPOINT_SLICES, namespace="shop", name="web", uid="uid-web"
    )
