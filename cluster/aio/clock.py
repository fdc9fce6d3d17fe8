"""The one place that reads the time and sleeps; everything else is handed a Clock.

`scale` shortens Kubernetes' long periods for tests: leases, grace periods, back-off and evictions
are slept as `seconds * scale`. Network time-outs are never scaled.
"""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Time as a process sees it."""

    @property
    def scale(self) -> float:
        """By what Kubernetes' own periods are multiplied; 1.0 is real time."""

    def now(self) -> float:
        """Seconds since 1970, for records that people read."""

    def monotonic(self) -> float:
        """Seconds that never go back, for deadlines and durations."""

    async def sleep(self, seconds: float) -> None:
        """Sleep real seconds; multiply by `scale` first where the period is Kubernetes' own."""


class SystemClock:
    """The machine's clock."""

    def __init__(self, scale: float = 1.0) -> None:
        self.scale = scale

    now = staticmethod(time.time)  # the functions themselves: some are asked for every packet
    monotonic = staticmethod(time.monotonic)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
