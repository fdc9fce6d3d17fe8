"""Makes what a new cluster holds before anybody asks: namespaces, its Service, DNS, storage class.

Idempotent, and fast: what is independent is asked for together. What exists stays as it is, for a
user may have changed it; only the API server's own endpoints are set right.
"""

import asyncio
from typing import Any

from cluster.client.interface import Api
from cluster.errors import ApiError
from cluster.objects.resources import (
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
    DEPLOYMENTS,
    ENDPOINT_SLICES,
    ENDPOINTS,
    NAMESPACES,
    SERVICES,
    STORAGE_CLASSES,
    Resource,
)
from control.controllers import default_roles, first_objects
from control.controllers.settings import ControllerSettings
from control.controllers.volume_documents import default_class


async def bootstrap(api: Api, settings: ControllerSettings) -> None:
    """Make sure of the first objects."""
    names = first_objects.FIRST_NAMESPACES
    await asyncio.gather(
        *(_ensure(api, NAMESPACES, first_objects.namespace(name)) for name in names)
    )
    # The two fixed addresses first, before any other Service may be given one of them.
    await asyncio.gather(
        _ensure(api, SERVICES, first_objects.api_service(settings)),
        _ensure(api, SERVICES, first_objects.dns_service(settings)),
    )
    await asyncio.gather(
        _ensure(api, ENDPOINT_SLICES, first_objects.api_slice(settings), "endpoints", "ports"),
        _ensure(api, ENDPOINTS, first_objects.api_endpoints(settings), "subsets"),
        _ensure(api, DEPLOYMENTS, first_objects.dns_deployment()),
        _ensure(api, STORAGE_CLASSES, default_class()),
        *(_ensure(api, CLUSTER_ROLES, each) for each in default_roles.cluster_roles()),
        *(
            _ensure(api, CLUSTER_ROLE_BINDINGS, each)
            for each in default_roles.cluster_role_bindings()
        ),
    )


async def _ensure(api: Api, resource: Resource, document: dict[str, Any], *ours: str) -> None:
    """Create an object, or set the fields that are ours in the one that exists."""
    try:
        await api.create(resource, document)
    except ApiError as error:
        if error.reason != "AlreadyExists":
            raise
        if ours:
            metadata = document["metadata"]
            changes = {field: document[field] for field in ours}
            await api.patch(
                resource, metadata["name"], changes, namespace=metadata.get("namespace")
            )
