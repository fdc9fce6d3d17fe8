"""The pod that a controller makes from a template.

Pure: documents in, a document out. Spec: P-80.
"""

from collections.abc import Mapping
from typing import Any

from cluster.client.interface import Document
from cluster.objects.resources import Resource
from control.controllers.ownership import controller_reference

KEPT = ("labels", "annotations", "finalizers")


def pod_from(
    template: Mapping[str, Any], resource: Resource, owner: Document, **named: str
) -> dict[str, Any]:
    """A pod of this owner; `named` is its name or generateName, which the API completes."""
    given = template.get("metadata") or {}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            **{key: given[key] for key in KEPT if given.get(key)},
            **(named or {"generateName": f"{owner['metadata']['name']}-"}),
            "namespace": owner["metadata"]["namespace"],
            "ownerReferences": [controller_reference(resource, owner)],
        },
        "spec": template.get("spec") or {},
    }


def with_labels(pod: Mapping[str, Any], labels: Mapping[str, str]) -> dict[str, Any]:
    """The pod with further labels."""
    metadata = pod["metadata"]
    held = {**(metadata.get("labels") or {}), **labels}
    return {**pod, "metadata": {**metadata, "labels": held}}
