"""When a container that ended may start again (P-42, KEP-4603).

Pure. The first restart is at once; then 10 s, doubled each time up to 300 s; forgotten when
the container has gone without a failure for 10 minutes. All of it is scaled by the clock's scale.
"""

from cluster.dataclass import dataclass

FIRST_SECONDS = 10.0
LIMIT_SECONDS = 300.0
FORGET_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class BackOff:
    """How often a container has ended lately, and until when it has to wait."""

    delay_seconds: float | None = None  # the last pause; None before the first end
    until: float = 0.0
    since: float = 0.0  # when the last pause was imposed

    def after_end(self, now: float, scale: float) -> "BackOff":
        """The container has ended at `now`."""
        if self.delay_seconds is None or now - max(self.since, self.until) > FORGET_SECONDS * scale:
            return BackOff(0.0, now, now)
        delay = min(max(self.delay_seconds * 2, FIRST_SECONDS), LIMIT_SECONDS)
        return BackOff(delay, now + delay * scale, now)

    def waits(self, now: float) -> bool:
        """Whether the container may not start yet."""
        return now < self.until
