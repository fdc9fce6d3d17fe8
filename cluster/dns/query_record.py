"""A query and its answer as a trace record: what was asked, what came of it, and why.

Pure: values in, a Segment out. The step's detail says what O-13 wants: name, type, rcode, answers.
"""

from collections.abc import Mapping
from typing import Any

from cluster.dataplane.decision import Action, Code, Stage, Step
from cluster.dns.zone import Zone
from cluster.trace.record import Hop, Outcome, Segment
from cluster.wire.addresses import SocketAddress
from cluster.wire.dns import Question, Rcode, Record, rcode_name, type_name
from cluster.wire.flow import Flow, FlowKind, Origin, OriginKind

ANSWERS_SHOWN_MAX = 10


def origin_of(client: SocketAddress, zone: Zone) -> Origin:
    """Who asks: the pod that has the address, else somebody outside."""
    pod = zone.pod_at(client.ip)
    if pod is not None:
        return Origin(OriginKind.POD, f"{pod[0]}/{pod[1]}")
    return Origin(OriginKind.OUTSIDE, client.ip)


def query_detail(question: Question, rcode: int, answers: tuple[Record, ...]) -> dict[str, Any]:
    """The JSON of the step."""
    return {
        "name": question.name,
        "type": type_name(question.type),
        "rcode": rcode_name(rcode),
        "answers": [str(each.data) for each in answers[:ANSWERS_SHOWN_MAX]],
    }


def segment_of_query(
    flow: Flow,
    origin: Origin,
    detail: Mapping[str, Any],
    *,
    flow_id: str,
    process: str,
    rcode: int,
    why: str,
    at: float,
    seconds: float,
) -> Segment:
    """The record of one query; a name that does not exist ends it as refused, with NXDOMAIN."""
    missing = rcode == Rcode.NXDOMAIN
    action = Action.REJECTED if missing else Action.DELIVERED
    code = Code.NXDOMAIN if missing else None
    reason = _reason(detail, why)
    step = Step(Stage.RESOLVE, action, flow, flow, reason, code, detail)
    return Segment(
        flow_id=flow_id,
        process=process,
        kind=FlowKind.DNS,
        origin=origin,
        original=flow,
        hops=(Hop(0, process, step, at),),
        outcome=Outcome.REFUSED if missing else Outcome.DELIVERED,
        code=code,
        reason=reason,
        started=at,
        decided_seconds=seconds,
        ended=at + seconds,
    )


def _reason(detail: Mapping[str, Any], why: str) -> str:
    """ "cart.shop.svc.cluster.local A is 10.96.0.20 (ClusterIP of Service shop/cart)"."""
    asked = f"{detail['name'] or '.'} {detail['type']}"
    result = ", ".join(detail["answers"]) or _nothing(detail["rcode"])
    return f"{asked} is {result}" + (f" ({why})" if why else "")


def _nothing(rcode: str) -> str:
    return "NODATA" if rcode == "NOERROR" else rcode
