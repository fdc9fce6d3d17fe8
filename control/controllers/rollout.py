"""The arithmetic of a rolling update: how many pods the new and the old ReplicaSets may have now.

Pure: numbers in, numbers out. Spec: P-81, P-82; kubernetes.io, "Deployments", strategy.

The counts may lag: a set's status may be older than its wish. So a set has at least as many pods as
it wishes or reports, and at most as many available ones.
"""

from collections.abc import Sequence

from cluster.dataclass import dataclass

DEFAULT_SHARE = "25%"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What a rollout must keep: at most `total` pods, at least `available` of them available."""

    replicas: int
    surge: int
    unavailable: int

    @property
    def total(self) -> int:
        return self.replicas + self.surge

    @property
    def available(self) -> int:
        return self.replicas - self.unavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class SetCount:
    """One ReplicaSet in numbers."""

    name: str
    wished: int  # spec.replicas
    reported: int  # status.replicas
    available: int  # status.availableReplicas

    @property
    def present(self) -> int:
        """Pods that exist or are about to."""
        return max(self.wished, self.reported)

    @property
    def safe(self) -> int:
        """Pods that are available and stay."""
        return min(self.wished, self.available)


def bounds_of(
    replicas: int, max_surge: int | str | None, max_unavailable: int | str | None
) -> Bounds:
    """Resolve the two settings: surge rounds up, unavailable down; never both 0 (P-81)."""
    surge = resolved(DEFAULT_SHARE if max_surge is None else max_surge, replicas, up=True)
    lost = DEFAULT_SHARE if max_unavailable is None else max_unavailable
    unavailable = resolved(lost, replicas, up=False)
    if surge == 0 and unavailable == 0:
        unavailable = 1
    return Bounds(replicas=replicas, surge=surge, unavailable=min(unavailable, replicas))


def resolved(share: int | str, replicas: int, *, up: bool) -> int:
    """An absolute number, or a share such as "25%" of the replicas."""
    if isinstance(share, int):
        return share
    percent = int(share.rstrip("%"))
    return -(-percent * replicas // 100) if up else percent * replicas // 100


def new_wish(bounds: Bounds, new: SetCount, old: Sequence[SetCount]) -> int:
    """How many pods the new set may have now."""
    if new.wished >= bounds.replicas:
        return bounds.replicas
    room = bounds.total - new.present - sum(each.present for each in old)
    return new.wished + max(0, min(room, bounds.replicas - new.wished))


def old_wishes(bounds: Bounds, new: SetCount, old: Sequence[SetCount]) -> list[int]:
    """How many pods each old set, oldest first, may keep: broken pods go first."""
    wishes = [each.wished for each in old]
    # The new set's missing pods count as lost: they may take long.
    budget = sum(wishes) + new.wished - bounds.available - (new.wished - new.safe)
    for index, each in enumerate(old):
        broken = min(max(0, budget), each.wished - each.safe)
        wishes[index] -= broken
        budget -= broken
    spare = min(budget, new.safe + sum(each.safe for each in old) - bounds.available)
    for index in range(len(old)):
        gone = min(max(0, spare), wishes[index])
        wishes[index] -= gone
        spare -= gone
    return wishes


def proportional(replicas_total: int, sets: Sequence[SetCount], former_total: int) -> list[int]:
    """Share a changed total among sets in the middle of a rollout, the largest set first.

    `former_total` is the total that the sets were sized for.
    """
    wishes = [each.wished for each in sets]
    left = replicas_total - sum(wishes)
    order = sorted(range(len(sets)), key=lambda index: -sets[index].wished)
    for index in order:
        if left == 0 or former_total == 0:
            break
        share = round(wishes[index] * replicas_total / former_total) - wishes[index]
        step = max(min(share, left), 0) if left > 0 else min(max(share, left), 0)
        step = max(step, -wishes[index])
        wishes[index] += step
        left -= step
    for index in order:  # what rounding left over
        step = max(left, -wishes[index])
        wishes[index] += step
        left -= step
    return wishes
