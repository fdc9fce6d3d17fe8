"""What a Job's pod failure policy says of a failed pod.

Pure: documents in, a value out. Source: kubernetes.io, "Jobs", pod failure policy.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from cluster.client.interface import Document
from cluster.dataclass import dataclass
from control.controllers.conditions import condition_of
from control.controllers.view import spec_of, status_of


@dataclass(frozen=True, slots=True)
class Ruling:
    """The first rule that fits: FailJob, Ignore, Count or FailIndex, and why."""

    action: str
    message: str


def ruling_on(job: Document, pod: Document) -> Ruling | None:
    """The rule for a failed pod; None: it counts as any other."""
    rules = (spec_of(job).get("podFailurePolicy") or {}).get("rules") or ()
    for number, rule in enumerate(rules):
        why = _exit_code(rule, pod) or _condition(rule, pod)
        if why:
            return Ruling(rule["action"], f"{why} matching {rule['action']} rule at index {number}")
    return None


def _exit_code(rule: Mapping[str, Any], pod: Document) -> str:
    wanted = rule.get("onExitCodes")
    if not wanted:
        return ""
    only, values = wanted.get("containerName"), wanted.get("values") or ()
    for name, code in _codes(pod):
        inside = code in values
        if code and only in (None, "", name) and inside == (wanted["operator"] == "In"):
            place = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
            return f"Container {name} for pod {place} failed with exit code {code}"
    return ""


def _codes(pod: Document) -> Iterator[tuple[str, int]]:
    status = status_of(pod)
    for key in ("initContainerStatuses", "containerStatuses"):
        for each in status.get(key) or ():
            ended = (each.get("state") or {}).get("terminated")
            if ended:
                yield each["name"], int(ended.get("exitCode") or 0)


def _condition(rule: Mapping[str, Any], pod: Document) -> str:
    for wanted in rule.get("onPodConditions") or ():
        held = condition_of(pod, wanted["type"])
        if held is not None and held.get("status") == (wanted.get("status") or "True"):
            place = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
            return f"Pod {place} has condition {wanted['type']}"
    return ""
