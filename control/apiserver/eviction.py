"""Evictions: a pod goes if the disruption budgets over it allow that.

Spec: P-65; kubernetes.io, "API-initiated Eviction". What is allowed is taken from the budget in the
same turn of the loop, so that no two evictions share one.
"""

from collections.abc import Mapping
from typing import Any

from cluster.client.interface import Document
from cluster.errors import ApiError
from cluster.objects.resources import DISRUPTION_BUDGETS, PODS, Resource
from control.apiserver import statuses
from control.apiserver.options import DeleteOptions, WriteOptions
from control.apiserver.registry import Registry
from control.apiserver.selection import Selection
from control.controllers.conditions import status_is, with_condition
from control.controllers.selection import selects
from control.controllers.view import deleting, labels_of, spec_of, status_of
from control.resources.kinds import Kind

EVICTION_VERSIONS = ("policy/v1", "policy/v1beta1")
REFUSED = "Cannot evict pod as it would violate the pod's disruption budget."
TOO_MANY_BUDGETS = (
    "This pod has more than one PodDisruptionBudget, which the eviction subresource does not "
    "support."
)
RETRY_SECONDS = 10  # told with what may be otherwise soon


class Evictions:
    """Evicts pods."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    async def evict(
        self, namespace: str, name: str, eviction: Document, query: Mapping[str, str]
    ) -> Document:
        """Delete the pod, or refuse; the answer to show."""
        options, now = _options(name, eviction, query), self._registry.now()
        pods = self._kind(PODS)
        pod = self._registry.get(pods, namespace, name).document
        if not may_go_anyway(pod):
            budget = self._budget(namespace, pod)
            if budget is not None and not unhealthy_may_go(budget, pod):
                await self._take(budget, name, now, dry_run=options.dry_run)
        if not options.dry_run and not deleting(pod):
            await self._mark(pods, namespace, name, now)
        await self._registry.delete(pods, namespace, name, options)
        return statuses.success()

    def _budget(self, namespace: str, pod: Document) -> Document | None:
        """The one budget over the pod."""
        kind = self._kind(DISRUPTION_BUDGETS)
        found = [
            record.document
            for record in self._registry.list(kind, namespace, Selection(kind, None))
            if selects(spec_of(record.document).get("selector"), labels_of(pod))
        ]
        if len(found) > 1:
            raise statuses.internal(TOO_MANY_BUDGETS)
        return found[0] if found else None

    async def _take(self, budget: Document, pod: str, now: str, *, dry_run: bool) -> None:
        metadata = budget["metadata"]
        await self._registry.update(
            self._kind(DISRUPTION_BUDGETS),
            metadata["namespace"],
            metadata["name"],
            lambda held: taken(held, pod, now),
            WriteOptions(dry_run=dry_run),
            subresource="status",
        )

    async def _mark(self, kind: Kind, namespace: str, name: str, now: str) -> None:
        """Say on the pod why it goes."""
        options = WriteOptions()
        await self._registry.update(
            kind, namespace, name, lambda pod: marked(pod, now), options, subresource="status"
        )

    def _kind(self, resource: Resource) -> Kind:
        kind = self._registry.catalogue.find(resource.group, resource.version, resource.plural)
        assert kind is not None, f"the kinds lack {resource.plural}"
        return kind


def may_go_anyway(pod: Document) -> bool:
    """Whether no budget has a say: the pod does not run, or goes already."""
    over = status_of(pod).get("phase") in ("Succeeded", "Failed", "Pending")
    return over or deleting(pod)


def unhealthy_may_go(budget: Document, pod: Document) -> bool:
    """Whether a pod that is not ready may go without being counted."""
    if status_is(pod, "Ready"):
        return False
    if spec_of(budget).get("unhealthyPodEvictionPolicy") == "AlwaysAllow":
        return True
    status = status_of(budget)
    healthy, desired = status.get("currentHealthy") or 0, status.get("desiredHealthy") or 0
    return bool(healthy >= desired > 0)


def taken(budget: Document, pod: str, now: str) -> Document:
    """The budget with one disruption less; ApiError 429 when there is none."""
    status, name = status_of(budget), budget["metadata"]["name"]
    if (status.get("observedGeneration") or 0) < (budget["metadata"].get("generation") or 0):
        why = f"The disruption budget {name} is still being processed by the server."
        raise _refused(why, RETRY_SECONDS)
    allowed = int(status.get("disruptionsAllowed") or 0)
    if allowed <= 0:
        needs, has = status.get("desiredHealthy") or 0, status.get("currentHealthy") or 0
        why = f"The disruption budget {name} needs {needs} healthy pods and has {has} currently"
        raise _refused(why, 0)
    changed: dict[str, Any] = {
        **status,
        "disruptionsAllowed": allowed - 1,
        "disruptedPods": {**(status.get("disruptedPods") or {}), pod: now},
    }
    if allowed == 1:
        none_left = {
            "type": "DisruptionAllowed",
            "status": "False",
            "reason": "InsufficientPods",
            "message": "",
            "observedGeneration": status.get("observedGeneration"),
        }
        changed["conditions"] = with_condition(status.get("conditions") or (), none_left, when=now)
    return {**budget, "status": changed}


def marked(pod: Document, now: str) -> Document:
    """The pod with the condition that says that it is evicted."""
    condition = {
        "type": "DisruptionTarget",
        "status": "True",
        "reason": "EvictionByEvictionAPI",
        "message": "Eviction API: evicting",
    }
    held = status_of(pod).get("conditions") or ()
    return {
        **pod,
        "status": {**status_of(pod), "conditions": with_condition(held, condition, when=now)},
    }


def _options(name: str, eviction: Document, query: Mapping[str, str]) -> DeleteOptions:
    """How to delete; the Eviction is one of this pod."""
    version, kind = eviction.get("apiVersion"), eviction.get("kind")
    if kind not in (None, "", "Eviction") or version not in (None, "", *EVICTION_VERSIONS):
        words = f"no kind {kind!r} is registered for version {version!r} in pods/eviction"
        raise statuses.bad_request(words)
    metadata, given = eviction.get("metadata") or {}, eviction.get("deleteOptions") or {}
    if not isinstance(metadata, dict) or not isinstance(given, dict):
        raise statuses.bad_request("an Eviction's metadata and deleteOptions are objects")
    if metadata.get("name") not in (None, "", name):
        raise statuses.bad_request("name in URL does not match name in Eviction object")
    return DeleteOptions.of(query, given)


def _refused(why: str, seconds: int) -> ApiError:
    details: dict[str, Any] = {"causes": [{"reason": "DisruptionBudget", "message": why}]}
    if seconds:
        details["retryAfterSeconds"] = seconds
    return statuses.refusal(429, "TooManyRequests", REFUSED, details)
