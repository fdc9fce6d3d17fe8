"""What came of a request of the demo: an answer or a symptom, and the trace of its flow.

Pure: values in, text out.
"""

from cluster.cli.curl import NAME, STATUSES
from cluster.dataclass import dataclass
from cluster.dataplane.decision import Stage as Hop
from cluster.trace.join import Trace
from cluster.traffic.response import Response

BODY_CHARACTERS_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One request's end, seen from outside and from inside."""

    response: Response | None = None
    symptom: str = ""  # of `cluster.traffic.unreached.Symptom`; "" when there was an answer
    message: str = ""
    trace: Trace | None = None

    @property
    def status(self) -> int:
        """The HTTP status; 0 for a datagram's reply or without an answer."""
        return self.response.status if self.response else 0

    @property
    def text(self) -> str:
        """The body."""
        return self.response.text if self.response else ""

    @property
    def node(self) -> str:
        """The node of the pod that the flow came to."""
        endpoint = self.trace.endpoint if self.trace else None
        return endpoint.node if endpoint else ""

    @property
    def pod(self) -> str:
        """The pod that the flow came to, as "namespace/name"."""
        endpoint = self.trace.endpoint if self.trace else None
        return str(endpoint) if endpoint else ""

    @property
    def code(self) -> str:
        """Why the flow ended early."""
        return str(self.trace.code) if self.trace and self.trace.code else ""

    @property
    def outcome(self) -> str:
        """What became of the flow."""
        return str(self.trace.outcome) if self.trace else ""

    @property
    def processes(self) -> list[str]:
        """The processes that the flow passed, in order."""
        return [segment.process for segment in self.trace.segments] if self.trace else []

    def passed(self, hop: Hop) -> bool:
        """Whether the flow has a hop of this kind."""
        return self.trace is not None and any(each.step.stage is hop for each in self.trace.hops)

    def printed(self) -> str:
        """What `kubehop curl` prints: the body, or why there is none."""
        if self.response is None:
            return f"{NAME}: ({STATUSES[self.symptom]}) {self.message}"
        body = self.text.strip()
        if len(body) > BODY_CHARACTERS_MAX:
            body = body[:BODY_CHARACTERS_MAX] + " ..."
        return body

    def described(self) -> str:
        """In one line: "200 OK, welcome to the shop", or the symptom."""
        if self.response is None:
            return f"{self.symptom}: {self.message}"
        head = f"{self.status} {self.response.reason}".strip() if self.status else "reply"
        body = " ".join(self.printed().split())
        return f"{head}, {body}" if body else head
