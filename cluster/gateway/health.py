"""Which nodes answer: what checks and connections have shown of each.

    healthy -- FAILURES_MAX checks in a row fail, or a connection is refused --> unhealthy
    unhealthy -- one check succeeds --> healthy

A node nobody has asked yet counts as healthy: the first connection will show.
Pure: results in, state kept; no I/O. Spec: S-111, S-122.
"""

from collections.abc import Collection

from cluster.dataclass import dataclass

FAILURES_MAX = 2


@dataclass(slots=True)
class _Seen:
    failures: int = 0
    reason: str = ""


class NodeHealth:
    """The health of every node behind the balancer."""

    def __init__(self, failures_max: int = FAILURES_MAX) -> None:
        self.changes = 0  # of any node's health: what was made of it before is out of date
        self._failures_max = failures_max
        self._seen: dict[str, _Seen] = {}

    def succeeded(self, node: str) -> bool:
        """The node answered; whether that changes its health."""
        seen = self._seen.pop(node, None)
        return self._changed(seen is not None and seen.failures >= self._failures_max)

    def failed(self, node: str, reason: str, *, surely: bool = False) -> bool:
        """The node did not answer, `surely` if it refused; whether that changes its health."""
        seen = self._seen.setdefault(node, _Seen())
        was_healthy = seen.failures < self._failures_max
        seen.failures = self._failures_max if surely else seen.failures + 1
        seen.reason = reason
        return self._changed(was_healthy and seen.failures >= self._failures_max)

    def keep(self, nodes: Collection[str]) -> None:
        """Forget every node but these."""
        for name in self._seen.keys() - set(nodes):
            self.succeeded(name)

    def healthy(self, node: str) -> bool:
        """Whether new flows may go to the node."""
        seen = self._seen.get(node)
        return seen is None or seen.failures < self._failures_max

    def _changed(self, changed: bool) -> bool:
        self.changes += changed
        return changed

    def reason(self, node: str) -> str:
        """What was last wrong with the node; empty if nothing."""
        seen = self._seen.get(node)
        return seen.reason if seen is not None else ""
