"""The EndpointSlice as a document, whoever manages it: labels, owner, a generated name.

Pure: values in, documents out. Spec: S-133, S-134, S-149.
"""

from collections.abc import Mapping
from typing import Any

from cluster.client.interface import Document
from cluster.objects.resources import ENDPOINT_SLICES, Resource
from control.controllers.ownership import controller_reference
from control.controllers.service_endpoints import HEADLESS_LABEL
from control.controllers.view import labels_of, uid_of
from control.controllers.writes import Delete

SERVICE_NAME = "kubernetes.io/service-name"
MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
OWN_LABELS = frozenset({SERVICE_NAME, MANAGED_BY, HEADLESS_LABEL})


def slice_labels(owner: Document, manager: str) -> dict[str, str]:
    """The owner's labels and the manager's own (S-134); Endpoints are named as their Service."""
    labels = {key: value for key, value in labels_of(owner).items() if key not in OWN_LABELS}
    return {**labels, SERVICE_NAME: owner["metadata"]["name"], MANAGED_BY: manager}


def new_slice(
    resource: Resource,
    owner: Document,
    family: str,
    labels: Mapping[str, str],
    content: Mapping[str, Any],
    *,
    annotations: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """A slice with a generated name, owned by the object that it is made for (S-133)."""
    metadata: dict[str, Any] = {
        "generateName": f"{owner['metadata']['name']}-",
        "namespace": owner["metadata"]["namespace"],
        "labels": dict(labels),
        "ownerReferences": [controller_reference(resource, owner)],
    }
    if annotations is not None:
        metadata["annotations"] = dict(annotations)
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": metadata,
        "addressType": family,
        **content,
    }


def delete_slice(held: Document) -> Delete:
    """Take out this slice, and no other of its name."""
    metadata = held["metadata"]
    return Delete(
        resource=ENDPOINT_SLICES,
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=uid_of(held),
    )
