"""A scenario of the demo: what it shows, and how it is played.

Pure: values.
"""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from cluster.dataclass import dataclass
from cluster.errors import ClusterError

if TYPE_CHECKING:
    from cluster.cli.demo.stage import Stage


class DoesNotHold(ClusterError):
    """Something that the demo claims was not so; the message says what was found instead."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One of the ten."""

    number: int
    title: str
    lesson: str  # what to watch for
    play: "Callable[[Stage], Awaitable[None]]"
