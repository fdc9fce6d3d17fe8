"""Deployments, ReplicaSets, StatefulSets, DaemonSets: what is refused.

Pure: documents in, causes out. Spec: P-81. Source: Kubernetes' pkg/apis/apps/validation.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from control.resources.causes import Cause
from control.resources.validation.metadata import label_causes
from control.resources.validation.pods import template_causes
from control.resources.validation.refusals import (
    forbidden,
    invalid,
    required,
    unchanged,
    unsupported,
)
from control.resources.validation.selectors import selector_causes, selects

Document = Mapping[str, Any]
TEMPLATE = "spec.template"
_NOT_NEGATIVE = "must be greater than or equal to 0"
_ORDERS = ("OrderedReady", "Parallel")
_RETENTIONS = ("Retain", "Delete")
_PERCENT = re.compile(r"[0-9]+%")
_TIMED = {  # upstream says it of a Deployment's ReplicaSets
    "deployment": "ReplicaSet",
    "replica set": "ReplicaSet",
    "statefulset": "StatefulSet",
    "daemonset": "DaemonSet",
}
_STATEFUL_WORDS = (
    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', "
    "'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and "
    "'minReadySeconds' are forbidden"
)
_STATEFUL_FREE = frozenset(
    {
        "replicas",
        "ordinals",
        "template",
        "updateStrategy",
        "revisionHistoryLimit",
        "persistentVolumeClaimRetentionPolicy",
        "minReadySeconds",
    }
)


def deployment_causes(document: Document) -> Iterator[Cause]:
    """What is wrong with a Deployment."""
    spec = document.get("spec") or {}
    yield from _common_causes(spec, "deployment")
    strategy = spec.get("strategy") or {}
    yield from _rolling_causes(strategy, "spec.strategy", "Recreate")
    deadline, ready = spec.get("progressDeadlineSeconds"), spec.get("minReadySeconds") or 0
    if deadline is not None and deadline <= ready:
        words = "must be greater than minReadySeconds"
        yield invalid("spec.progressDeadlineSeconds", deadline, words)


def replica_set_causes(document: Document) -> Iterator[Cause]:
    """What is wrong with a ReplicaSet."""
    yield from _common_causes(document.get("spec") or {}, "replica set")


def stateful_set_causes(document: Document) -> Iterator[Cause]:
    """What is wrong with a StatefulSet."""
    spec = document.get("spec") or {}
    policy = spec.get("podManagementPolicy")
    if policy not in (None, *_ORDERS):
        words = f"must be '{_ORDERS[0]}' or '{_ORDERS[1]}'"
        yield invalid("spec.podManagementPolicy", policy, words)
    yield from _stateful_update_causes(spec.get("updateStrategy") or {})
    yield from _retention_causes(spec)
    start = (spec.get("ordinals") or {}).get("start") or 0
    if start < 0:
        yield invalid("spec.ordinals.start", start, _NOT_NEGATIVE)
    yield from _common_causes(_with_claimed_volumes(spec), "statefulset")


def _stateful_update_causes(strategy: Document) -> Iterator[Cause]:
    path, kind, rolling = "spec.updateStrategy", strategy.get("type"), strategy.get("rollingUpdate")
    if kind not in (None, "RollingUpdate", "OnDelete"):
        yield invalid(path, strategy, "must be 'RollingUpdate' or 'OnDelete'")
    elif kind == "OnDelete" and rolling is not None:
        words = "only allowed for updateStrategy 'RollingUpdate'"
        yield invalid(f"{path}.rollingUpdate", rolling, words)
    elif rolling is not None:
        if (rolling.get("partition") or 0) < 0:
            yield invalid(f"{path}.rollingUpdate.partition", rolling["partition"], _NOT_NEGATIVE)
        if rolling.get("maxUnavailable") is not None:
            place = f"{path}.rollingUpdate.maxUnavailable"
            yield from _share_causes(rolling["maxUnavailable"], place)
            if _nothing(rolling["maxUnavailable"]):
                yield invalid(place, rolling["maxUnavailable"], "cannot be 0")


def _retention_causes(spec: Document) -> Iterator[Cause]:
    policy = spec.get("persistentVolumeClaimRetentionPolicy") or {}
    for key in ("whenDeleted", "whenScaled"):
        if policy.get(key) not in (None, *_RETENTIONS):
            path = f"spec.persistentVolumeClaimRetentionPolicy.{key}"
            yield unsupported(path, policy[key], _RETENTIONS)


def _with_claimed_volumes(spec: Document) -> Document:
    """With the volumes that its pods get from its claims: containers may mount them."""
    template = spec.get("template") or {}
    inner = template.get("spec") or {}
    held = list(inner.get("volumes") or ())
    taken = {each.get("name") for each in held}
    names = [
        (each.get("metadata") or {}).get("name") for each in spec.get("volumeClaimTemplates") or ()
    ]
    claimed = [{"name": name, "emptyDir": {}} for name in names if name and name not in taken]
    if not claimed:
        return spec
    inner = {**inner, "volumes": [*held, *claimed]}
    return {**spec, "template": {**template, "spec": inner}}


def daemon_set_causes(document: Document) -> Iterator[Cause]:
    """What is wrong with a DaemonSet."""
    spec = document.get("spec") or {}
    yield from _common_causes(spec, "daemonset")
    strategy = spec.get("updateStrategy") or {}
    yield from _rolling_causes(strategy, "spec.updateStrategy", "OnDelete")
    yield from _one_way_causes(strategy)


def _one_way_causes(strategy: Document) -> Iterator[Cause]:
    """A node's daemon goes before the next comes, or after."""
    rolling = strategy.get("rollingUpdate") or {}
    unavailable, surge = rolling.get("maxUnavailable", 0), rolling.get("maxSurge", 0)
    if (
        strategy.get("type") == "RollingUpdate"
        and not _nothing(unavailable)
        and not _nothing(surge)
    ):
        words = "may not be set when maxUnavailable is non-zero"
        yield invalid("spec.updateStrategy.rollingUpdate.maxSurge", surge, words)


def replication_controller_causes(document: Document) -> Iterator[Cause]:
    """What is wrong with a ReplicationController, whose selector is a map."""
    spec = document.get("spec") or {}
    selector = spec.get("selector") or {}
    yield from _count_causes(spec)
    if not selector:
        yield required("spec.selector")
    yield from label_causes(selector, "spec.selector")
    yield from _template_causes(spec, {"matchLabels": selector} if selector else None)


def selector_update_causes(new: Document, old: Document) -> Iterator[Cause]:
    """A workload selects the same pods for all its life."""
    spec, before = new.get("spec") or {}, old.get("spec") or {}
    yield from unchanged("spec.selector", spec.get("selector"), before.get("selector"))


def stateful_set_update_causes(new: Document, old: Document) -> Iterator[Cause]:
    """Identity and storage of a StatefulSet's pods are for life."""
    spec, before = new.get("spec") or {}, old.get("spec") or {}
    fields = (spec.keys() | before.keys()) - _STATEFUL_FREE
    if any(spec.get(key) != before.get(key) for key in fields):
        yield forbidden("spec", _STATEFUL_WORDS)


def _common_causes(spec: Document, kind: str) -> Iterator[Cause]:
    yield from _count_causes(spec)
    selector = spec.get("selector")
    if selector is None:
        yield required("spec.selector")
    else:
        yield from selector_causes(selector, "spec.selector")
        if not selector.get("matchLabels") and not selector.get("matchExpressions"):
            words = f"empty selector is invalid for {kind}"
            yield invalid("spec.selector", selector, words)
    yield from _template_causes(spec, selector, _TIMED[kind])


def _count_causes(spec: Document) -> Iterator[Cause]:
    for key in ("replicas", "minReadySeconds", "revisionHistoryLimit"):
        if (spec.get(key) or 0) < 0:
            yield invalid(f"spec.{key}", spec[key], _NOT_NEGATIVE)


def _template_causes(
    spec: Document, selector: Document | None, kind: str = "ReplicationController"
) -> Iterator[Cause]:
    template = spec.get("template")
    if template is None:
        yield required(TEMPLATE)
        return
    labels = (template.get("metadata") or {}).get("labels") or {}
    if selector and not selects(selector, labels):
        words = "`selector` does not match template `labels`"
        yield invalid(f"{TEMPLATE}.metadata.labels", labels, words)
    yield from template_causes(template, TEMPLATE)
    inner = template.get("spec") or {}
    restart = inner.get("restartPolicy")
    if restart not in (None, "Always"):
        yield unsupported(f"{TEMPLATE}.spec.restartPolicy", restart, ("Always",))
    if inner.get("activeDeadlineSeconds") is not None:
        words = f"activeDeadlineSeconds in {kind} is not Supported"
        yield forbidden(f"{TEMPLATE}.spec.activeDeadlineSeconds", words)


def _rolling_causes(strategy: Document, path: str, other: str) -> Iterator[Cause]:
    kind, rolling = strategy.get("type"), strategy.get("rollingUpdate")
    if kind not in ("RollingUpdate", other):
        yield unsupported(f"{path}.type", kind, ("RollingUpdate", other))
    if kind == "Recreate" and rolling is not None:
        words = "may not be specified when strategy `type` is 'Recreate'"
        yield forbidden(f"{path}.rollingUpdate", words)
    if kind != "RollingUpdate" or rolling is None:
        return
    for key in ("maxUnavailable", "maxSurge"):
        yield from _share_causes(rolling.get(key, 0), f"{path}.rollingUpdate.{key}")
    unavailable = rolling.get("maxUnavailable", 0)
    if _nothing(unavailable) and _nothing(rolling.get("maxSurge", 0)):
        place = f"{path}.rollingUpdate.maxUnavailable"  # nothing could ever be replaced (P-81)
        if other == "OnDelete":
            yield required(place, "cannot be 0 when maxSurge is 0")
        else:
            yield invalid(place, unavailable, "may not be 0 when `maxSurge` is 0")


def _share_causes(value: Any, path: str) -> Iterator[Cause]:
    """A number, or a percentage."""
    if isinstance(value, int):
        if value < 0:
            yield invalid(path, value, _NOT_NEGATIVE)
    elif not _PERCENT.fullmatch(str(value)):
        words = "a valid percent string must be a numeric string followed by an ending '%' "
        words += "(e.g. '1%', or '93%', regex used for validation is '[0-9]+%')"
        yield invalid(path, value, words)
    elif path.endswith("maxUnavailable") and int(value[:-1]) > 100:
        yield invalid(path, value, "must not be greater than 100%")


def _nothing(value: Any) -> bool:
    return value == 0 or (isinstance(value, str) and value.strip("0") == "%")
