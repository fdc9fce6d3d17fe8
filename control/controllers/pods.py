"""What controllers ask of a pod: is it active, ready, available, where is it.

Pure: no I/O. Spec: P-38 to P-40, P-83, S-139, S-140.
"""

from cluster.client.interface import Document
from control.controllers.conditions import condition_of, status_is
from control.controllers.times import seconds_of
from control.controllers.view import deleting, spec_of, status_of


def finished(pod: Document) -> bool:
    """Whether the pod has ended for good (P-16)."""
    return status_of(pod).get("phase") in ("Succeeded", "Failed")


def active(pod: Document) -> bool:
    """Whether a controller counts the pod: neither finished nor being deleted (P-64, P-82)."""
    return not finished(pod) and not deleting(pod)


def ready(pod: Document) -> bool:
    """Whether its Ready condition is True."""
    return status_is(pod, "Ready")


def ready_since(pod: Document) -> float | None:
    """Since when it is Ready, or None when it is not."""
    condition = condition_of(pod, "Ready")
    if condition is None or condition.get("status") != "True":
        return None
    return seconds_of(condition.get("lastTransitionTime")) or 0.0


def available_in(pod: Document, seconds: float, now: float) -> float | None:
    """In how many seconds it will have been Ready for `seconds`; 0: it is, None: not Ready."""
    since = ready_since(pod)
    if since is None:
        return None
    return max(0.0, since + seconds - now) if seconds else 0.0


def node_of(pod: Document) -> str:
    """The node it is bound to, or ""."""
    return spec_of(pod).get("nodeName") or ""


def ips_of(pod: Document) -> list[str]:
    """Its addresses, one per family, the primary first (P-12)."""
    status = status_of(pod)
    ips = [each["ip"] for each in status.get("podIPs") or () if each.get("ip")]
    return ips or ([status["podIP"]] if status.get("podIP") else [])


def restarts(pod: Document) -> int:
    """How often its containers were restarted, all together."""
    statuses = status_of(pod).get("containerStatuses") or ()
    return sum(int(each.get("restartCount", 0)) for each in statuses)
