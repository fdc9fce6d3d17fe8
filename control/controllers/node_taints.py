"""Which taints a node's conditions ask for, and how fast a zone's nodes may be emptied.

Pure: no I/O. Spec: P-27, P-68, P-73, P-76; kubernetes.io, "Taint based Evictions".
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cluster.client.interface import Document
from cluster.dataclass import dataclass
from control.controllers.conditions import condition_of, status_is
from control.controllers.times import timestamp
from control.controllers.view import labels_of, spec_of

Taint = Mapping[str, Any]

NOT_READY = "node.kubernetes.io/not-ready"
UNREACHABLE = "node.kubernetes.io/unreachable"
UNSCHEDULABLE = "node.kubernetes.io/unschedulable"
NETWORK_UNAVAILABLE = "node.kubernetes.io/network-unavailable"
BY_CONDITION = {
    "NetworkUnavailable": NETWORK_UNAVAILABLE,
    "MemoryPressure": "node.kubernetes.io/memory-pressure",
    "DiskPressure": "node.kubernetes.io/disk-pressure",
    "PIDPressure": "node.kubernetes.io/pid-pressure",
}
NO_SCHEDULE, NO_EXECUTE = "NoSchedule", "NoExecute"
OURS = {
    *((key, NO_SCHEDULE) for key in (NOT_READY, UNREACHABLE, UNSCHEDULABLE)),
    *((key, NO_SCHEDULE) for key in BY_CONDITION.values()),
    (NOT_READY, NO_EXECUTE),
    (UNREACHABLE, NO_EXECUTE),
}

ZONE, REGION = "topology.kubernetes.io/zone", "topology.kubernetes.io/region"
# P-73: how long after one node the next of its zone may be emptied.
PAUSE_SECONDS = 10.0
PARTIAL_PAUSE_SECONDS = 100.0
UNHEALTHY_SHARE = 0.55
UNHEALTHY_NODES_MIN = 3
LARGE_CLUSTER_NODES = 50


@dataclass(slots=True)
class Zone:
    """How many nodes of a zone are ready."""

    ready: int = 0
    unready: int = 0

    @property
    def full(self) -> bool:
        """No node is ready."""
        return self.ready == 0 and self.unready > 0

    @property
    def partial(self) -> bool:
        """So many nodes are unready that the fault is probably the zone's."""
        share = self.unready / max(1, self.ready + self.unready)
        return self.unready >= UNHEALTHY_NODES_MIN and share >= UNHEALTHY_SHARE


def zone_key(node: Document) -> str:
    """Region and zone of a node."""
    labels = labels_of(node)
    return f"{labels.get(REGION, '')}:{labels.get(ZONE, '')}"


class ZoneCounts:
    """Counts zones again and again, and reads each state of a node once."""

    def __init__(self) -> None:
        self._read: dict[str, tuple[Document, str, bool]] = {}  # by name

    def of(self, nodes: Iterable[Document]) -> dict[str, Zone]:
        """All zones with their counts; nodes that are not among these are forgotten."""
        zones: dict[str, Zone] = {}
        read: dict[str, tuple[Document, str, bool]] = {}
        for node in nodes:
            name = node["metadata"]["name"]
            held = self._read.get(name)
            if held is None or held[0] is not node:
                held = node, zone_key(node), status_is(node, "Ready")
            read[name] = held
            zone = zones.setdefault(held[1], Zone())
            if held[2]:
                zone.ready += 1
            else:
                zone.unready += 1
        self._read = read
        return zones


def evictions_stop(zones: Mapping[str, Zone]) -> bool:
    """Whether no zone has a ready node: then the fault is more likely ours (P-73)."""
    return all(zone.full for zone in zones.values())


def eviction_pause(zone: Zone, nodes: int) -> float | None:
    """Seconds between two nodes of the zone; None: none may be emptied now (P-73)."""
    if zone.full or not zone.partial:
        return PAUSE_SECONDS
    return PARTIAL_PAUSE_SECONDS if nodes > LARGE_CLUSTER_NODES else None


def no_schedule_keys(node: Document) -> list[str]:
    """The keys of the NoSchedule taints that the node should have (P-27, P-68, P-76)."""
    keys = [key for kind, key in BY_CONDITION.items() if status_is(node, kind)]
    if spec_of(node).get("unschedulable"):
        keys.append(UNSCHEDULABLE)
    trouble = trouble_of(node)
    return [*keys, trouble] if trouble else keys


def trouble_of(node: Document) -> str:
    """The taint key for the node's Ready condition; "" when it is ready."""
    held = condition_of(node, "Ready")
    status = held.get("status") if held is not None else "False"
    return {"True": "", "Unknown": UNREACHABLE}.get(status or "", NOT_READY)


def wished_taints(node: Document, no_execute: str, now: float) -> list[Taint]:
    """The node's taints: others' as they are, ours as they should be, each with its own time."""
    held = spec_of(node).get("taints") or ()
    wished = [(key, NO_SCHEDULE) for key in no_schedule_keys(node)]
    wished += [(no_execute, NO_EXECUTE)] if no_execute else []
    kept = [taint for taint in held if _pair(taint) not in OURS or _pair(taint) in wished]
    present = {_pair(taint) for taint in kept}
    when = timestamp(now)
    added = [
        {"key": key, "effect": effect, "timeAdded": when}
        for key, effect in wished
        if (key, effect) not in present
    ]
    return [*kept, *added]


def has_no_execute(node: Document) -> str:
    """The key of our NoExecute taint on the node, or ""."""
    for taint in spec_of(node).get("taints") or ():
        if taint.get("effect") == NO_EXECUTE and taint["key"] in (NOT_READY, UNREACHABLE):
            return str(taint["key"])
    return ""


def tolerates(tolerations: Sequence[Mapping[str, Any]], taint: Taint) -> bool:
    """Whether any toleration lets a pod live with the taint."""
    return any(toleration_matches(each, taint) for each in tolerations)


def toleration_matches(toleration: Mapping[str, Any], taint: Taint) -> bool:
    """Whether a toleration covers a taint: its effect, its key, its value."""
    if toleration.get("effect") and toleration["effect"] != taint.get("effect"):
        return False
    if toleration.get("key") and toleration["key"] != taint["key"]:
        return False
    if toleration.get("operator") == "Exists":
        return True
    return bool(toleration.get("key")) and (toleration.get("value") or "") == (
        taint.get("value") or ""
    )


def _pair(taint: Taint) -> tuple[str, str]:
    return taint["key"], taint["effect"]
