"""What came of the requests, and whose fault a lost one is.

A connection dies with a pod or a node on its way. Where that death was announced (this run stopped
the node, or the pod was being ended), it is counted apart; else it is lost.
Pure: times are passed in.
"""

from collections import deque
from dataclasses import dataclass, field

REMEMBERED_MAX = 2000
EXAMPLES_MAX = 20
AFTER_SECONDS = 12.0  # a death's window stays open so long: a client may notice late


@dataclass(slots=True)
class Tally:
    """One kind of request."""

    name: str
    answered: int = 0
    lost: int = 0
    announced: int = 0  # lost with a pod or node whose end was announced
    misdelivered: int = 0  # answered with another's token, or by who is no pod of the Service
    seconds: float = 0.0  # paced
    examples: deque[str] = field(default_factory=lambda: deque(maxlen=EXAMPLES_MAX))

    @property
    def all(self) -> int:
        """Requests that were made."""
        return self.answered + self.lost + self.announced + self.misdelivered

    def clear(self) -> None:
        """Count anew."""
        self.answered = self.lost = self.announced = self.misdelivered = 0
        self.examples.clear()


@dataclass(slots=True)
class _Window:
    begin: float
    end: float | None = None

    def overlaps(self, begin: float, end: float) -> bool:
        """Whether a request was under way in it, or shortly after."""
        return self.begin <= end and (self.end is None or begin <= self.end + AFTER_SECONDS)


class Deaths:
    """Announced ends of pods and nodes."""

    def __init__(self) -> None:
        self._pods: dict[str, float] = {}
        self._nodes: deque[tuple[str, _Window]] = deque(maxlen=REMEMBERED_MAX)

    def pod_ends(self, name: str, at: float) -> None:
        """A pod is being ended."""
        self._pods.setdefault(name, at)
        if len(self._pods) > REMEMBERED_MAX:
            del self._pods[next(iter(self._pods))]

    def node_goes(self, node: str, at: float) -> None:
        """A node is about to be stopped."""
        self._nodes.append((node, _Window(at)))

    def node_is_back(self, node: str, at: float) -> None:
        """It serves again."""
        for name, window in self._nodes:
            if name == node and window.end is None:
                window.end = at

    def explain(self, begin: float, end: float, pod: str = "", nodes: tuple[str, ...] = ()) -> bool:
        """Whether an announced death explains a loss on a way; no way known: any node's death."""
        if pod in self._pods:
            return True
        windows = [(name, each) for name, each in self._nodes if each.overlaps(begin, end)]
        return any(not nodes or name in nodes for name, _ in windows)
