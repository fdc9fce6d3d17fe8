"""What a start tells while it goes on.

Pure: values.
"""

from collections.abc import Callable
from enum import StrEnum

from cluster.dataclass import dataclass


class ProgressState(StrEnum):
    """How far something is."""

    STARTING = "starting"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Progress:
    """One line of `kubehop up`."""

    what: str  # "control", "node-1", "shop.yaml"
    state: ProgressState
    seconds: float = 0.0  # how long it took
    detail: str = ""  # an address, a reason


Tell = Callable[[Progress], None]


def silent(_: Progress) -> None:
    """For whoever does not want to know."""
