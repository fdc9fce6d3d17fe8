"""What a client saw instead of an answer, and which flow it was.

Pure: no I/O.
The symptom is the client's own (O-20): what the data plane decided is in the trace of `flow_id`. A
connection that no process saw has no flow: the kernel refused it, because the front is closed. Then
`trace` holds the decision that the process at the front would take, where it could be asked.
"""

from enum import StrEnum

from cluster.errors import ClusterError
from cluster.trace.join import Trace


class Symptom(StrEnum):
    """What a program can tell apart."""

    REFUSED = "refused"  # ECONNREFUSED: told at once
    TIMEOUT = "timeout"  # silence
    NXDOMAIN = "nxdomain"  # the name is not known
    UNREACHABLE = "unreachable"  # no way there, told at once
    RESET = "reset"  # connected, then cut off without an answer


class Unreached(ClusterError):
    """A request that got no answer; `kind` is its symptom."""

    def __init__(
        self,
        kind: Symptom | str,
        message: str,
        flow_id: str = "",
        *,
        trace: Trace | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = Symptom(kind)
        self.message = message
        self.flow_id = flow_id
        self.trace = trace
