"""ResourceQuota: how much of it is used.

Pure: `reconcile` from a view to writes. Source: kubernetes.io, "Resource Quotas". Whether something
may be made is decided at the door (`control.apiserver.quotas`); here is what people read.
"""

from collections.abc import Iterable, Sequence

from cluster.client.interface import Document
from cluster.objects.resources import RESOURCE_QUOTAS, Resource
from control.controllers.definition import Controller, itself, present
from control.controllers.view import Key, Objects, View, deleting, key_of, spec_of, status_of
from control.controllers.writes import Write, patch_of, status_changes
from control.resources.quota import charges, in_scope, source_of, spelled


class ResourceQuotas:
    """Knows which resources are watched, and so can be counted."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        self._resources = {(each.group, each.plural): each for each in resources}

    def reconcile(self, view: View, key: Key) -> Sequence[Write]:
        """Count one quota anew."""
        quota = view.objects.at(key)
        if quota is None or deleting(quota):
            return ()
        hard = spec_of(quota).get("hard") or {}
        used = {name: self._used(view.objects, quota, name) for name in hard}
        told = {name: spelled(used[name], limit) for name, limit in hard.items()}
        news = status_changes({"hard": dict(hard), "used": told}, status_of(quota))
        if not news:
            return ()
        return [patch_of(RESOURCE_QUOTAS, quota, {"status": news}, subresource="status")]

    def _used(self, objects: Objects, quota: Document, name: str) -> int:
        place = source_of(name)
        resource = self._resources.get(place) if place is not None else None
        if place is None or resource is None:
            return 0
        return sum(
            charges(*place, document).get(name, 0)
            for document in objects.each(resource, quota["metadata"]["namespace"])
            if in_scope(quota, resource.plural, document)
        )


def _of_object(objects: Objects, old: Document | None, new: Document | None) -> Iterable[Key]:
    """The namespace's quotas, when something in it comes, goes, or changes in what it takes."""
    namespace = present(old, new)["metadata"].get("namespace") or ""
    for quota in objects.each(RESOURCE_QUOTAS, namespace):
        if old is None or new is None or _takes(old) != _takes(new):
            yield key_of(RESOURCE_QUOTAS, quota)


def _takes(document: Document) -> tuple[object, object]:
    return document.get("spec"), status_of(document).get("phase")


def controller(resources: Sequence[Resource]) -> Controller:
    """The resource quota controller."""
    counted = [each for each in resources if each.namespaced and each != RESOURCE_QUOTAS]
    return Controller(
        name="resource-quota",
        component="resourcequota-controller",
        reconcile=ResourceQuotas(resources).reconcile,
        watches={
            RESOURCE_QUOTAS: itself(RESOURCE_QUOTAS),
            **dict.fromkeys(counted, _of_object),
        },
    )
