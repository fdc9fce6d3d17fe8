"""Quotas at the door: what a namespace may not hold is not made.

The objects themselves are counted, in the same turn of the loop as they are stored, so that no two
creations can share what is left for one. Source: kubernetes.io, "Resource Quotas".
"""

from typing import Any

from cluster.client.interface import Document
from cluster.objects.resources import RESOURCE_QUOTAS, Resource
from control.apiserver import statuses
from control.apiserver.limit_ranges import limited
from control.resources.quota import Amounts, charges, in_scope, refusal_of, source_of, unsaid
from control.store.store import Store

QUOTAS = RESOURCE_QUOTAS.group, RESOURCE_QUOTAS.plural


def within_limits(store: Store, resource: Resource, document: dict[str, Any]) -> dict[str, Any]:
    """A new object with its namespace's defaults; ApiError 403 for what its namespace denies."""
    made = limited(store, resource, document)
    admit(store, resource, made)
    return made


def admit(store: Store, resource: Resource, document: Document) -> None:
    """ApiError 403 for an object that is more than its namespace may have."""
    namespace = document["metadata"].get("namespace")
    quotas = [each.document for each in store.list(QUOTAS, namespace)] if namespace else []
    for quota in quotas:
        if not in_scope(quota, resource.plural, document):
            continue
        why = unsaid(quota, document) if resource.kind == "Pod" else None
        wanted = _limited(quota, charges(resource.group, resource.plural, document))
        if why is None and wanted:
            why = refusal_of(quota, wanted, _used(store, resource, quota))
        if why is not None:
            raise statuses.forbidden(resource, str(document["metadata"].get("name", "")), why)


def _limited(quota: Document, wanted: Amounts) -> Amounts:
    hard = (quota.get("spec") or {}).get("hard") or {}
    return {name: amount for name, amount in wanted.items() if name in hard}


def _used(store: Store, resource: Resource, quota: Document) -> Amounts:
    """What the namespace's objects of this resource take of the quota."""
    used: Amounts = {}
    place = resource.group, resource.plural
    for record in store.list(place, quota["metadata"]["namespace"]):
        if in_scope(quota, resource.plural, record.document):
            for name, amount in charges(*place, record.document).items():
                if source_of(name) == place:
                    used[name] = used.get(name, 0) + amount
    return used
