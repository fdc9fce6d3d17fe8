"""Why the kernel refused an outside client: asks whoever owns the front for its decision.

A front whose Service has no endpoint is closed, as kube-proxy and clouds do it: then no process
sees the connection and none has a record of it. GET /explain answers what the process decides about
a flow that is not made.
"""

from dataclasses import replace

import aiohttp
import orjson

from cluster.dataplane.decision import Action, Code, Stage, Step
from cluster.trace.join import Trace, join
from cluster.trace.record import ClientSaw, Hop, Outcome, Segment
from cluster.traffic.access import Access
from cluster.traffic.attempt import Attempt

GATEWAY = "gateway"
NOT_SERVED = 503  # the front is there, and somebody else has its port
_SILENT = (aiohttp.ClientError, OSError, TimeoutError)
_NO_SEGMENT = (ValueError, KeyError, TypeError)


async def explain(access: Access, attempt: Attempt) -> tuple[str, Trace | None]:
    """A reason for people, and the decision as a trace where a process could be asked."""
    target = attempt.target
    assert target is not None, "only an outside client's refusal needs to be explained"
    process = target.node or GATEWAY
    where = (await access.endpoints()).get(process)
    if where is None:
        return f"{process} does not run", None
    parameters = {"destination": str(target.real), "protocol": str(attempt.protocol)}
    if attempt.source is not None:
        parameters["source"] = str(attempt.source)
    try:
        status, body = await access.ask(where, "/explain", parameters)
    except _SILENT as error:
        return f"{process} does not answer either: {str(error) or type(error).__name__}", None
    if status == NOT_SERVED:
        return body.decode("utf-8", "replace").strip(), None
    if status != 200:
        return f"nothing listens at {target.real}", None
    return _reason(process, body)


def _reason(process: str, body: bytes) -> tuple[str, Trace | None]:
    try:
        trace = join([Segment.from_json(orjson.loads(body))])
    except _NO_SEGMENT as error:
        return f"{process} gave no readable reason: {error!r}", None
    to_a_pod = bool(trace.hops) and trace.hops[-1].step.action is Action.DELIVERED
    if trace.outcome is Outcome.PASSED or to_a_pod:
        return f"by now {process} would take it: try again", None
    if trace.outcome is Outcome.DELIVERED:
        trace = _nobody_listens(trace)
    return trace.reason, trace


def _nobody_listens(trace: Trace) -> Trace:
    """No rule is in the way of a host's own port: what refused is the host's kernel."""
    (segment,) = trace.segments
    port = segment.flow.destination.port
    reason = f"nothing listens on {port} of {segment.process}, and no Service has this node port"
    step = Step(
        Stage.DELIVER, Action.REJECTED, segment.flow, segment.flow, reason, Code.PORT_CLOSED
    )
    number = segment.hops[-1].number + 1 if segment.hops else 0
    refused = replace(
        segment,
        hops=(*segment.hops, Hop(number, segment.process, step, segment.started)),
        outcome=Outcome.REFUSED,
        code=Code.PORT_CLOSED,
        reason=reason,
        client_saw=ClientSaw.REFUSED,
        endpoint={},
    )
    return join([refused])
