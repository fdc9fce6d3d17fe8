"""What came of a request of the demo."""

from cluster.cli.demo.answer import BODY_CHARACTERS_MAX, Answer
from cluster.dataplane.decision import Action, Code, Stage, Step
from cluster.trace.join import join
from cluster.trace.record import Hop, Outcome, Segment
from cluster.traffic.response import Response
from cluster.wire.addresses import Protocol, SocketAddress
from cluster.wire.flow import Flow, FlowKind, Origin, OriginKind

FLOW = Flow(Protocol.TCP, SocketAddress("203.0.113.1", 40000), SocketAddress("127.65.0.1", 80))


def response(body: bytes, status: int = 200, reason: str = "OK") -> Response:
    return Response(
        status=status, reason=reason, headers=(), body=body, flow_ids=("f",), seconds=0.1
    )


def segment(process: str, number: int, stage: Stage, outcome: Outcome, **more: object) -> Segment:
    step = Step(stage, Action.FORWARDED, FLOW, FLOW, "so")
    return Segment(
        flow_id="f",
        process=process,
        kind=FlowKind.TRAFFIC,
        origin=Origin(OriginKind.OUTSIDE, "203.0.113.1"),
        original=FLOW,
        hops=(Hop(number, process, step, 1.0),),
        outcome=outcome,
        **more,
    )


TRACE = join(
    [
        segment("gateway", 0, Stage.BALANCE, Outcome.PASSED, next_process="node-1"),
        segment(
            "node-1",
            1,
            Stage.SERVICE,
            Outcome.DELIVERED,
            endpoint={"namespace": "shop", "pod": "web", "node": "node-1"},
        ),
    ]
)


def test_an_answer_in_one_line() -> None:
    assert Answer(response=response(b"welcome\n")).described() == "200 OK, welcome"
    assert Answer(response=response(b"")).described() == "200 OK"
    assert Answer(response=response(b"clock now", status=0, reason="")).described() == (
        "reply, clock now"
    )


def test_what_the_command_prints() -> None:
    assert Answer(response=response(b"welcome\n")).printed() == "welcome"
    silent = Answer(symptom="timeout", message="no answer within 1 s")
    assert silent.printed() == "curl: (28) no answer within 1 s"
    assert Answer(symptom="refused", message="no").printed() == "curl: (7) no"


def test_a_long_body_is_cut() -> None:
    text = Answer(response=response(b"x" * 1000)).described()
    assert text == f"200 OK, {'x' * BODY_CHARACTERS_MAX} ..."


def test_no_answer_is_told_by_its_symptom() -> None:
    answer = Answer(symptom="timeout", message="no answer within 1 s")
    assert answer.described() == "timeout: no answer within 1 s"
    assert (answer.status, answer.text) == (0, "")


def test_where_it_came_to_is_read_from_the_trace() -> None:
    answer = Answer(response=response(b""), trace=TRACE)
    assert answer.processes == ["gateway", "node-1"]
    assert (answer.pod, answer.node, answer.outcome) == ("shop/web", "node-1", "delivered")
    assert answer.passed(Stage.SERVICE) and not answer.passed(Stage.INGRESS)
    assert answer.code == ""


def test_why_it_ended_is_the_traces_code() -> None:
    dropped = segment("node-1", 0, Stage.INGRESS, Outcome.DROPPED, code=Code.POLICY_DENIED)
    assert Answer(symptom="timeout", trace=join([dropped])).code == "POLICY_DENIED"


def test_without_a_trace_nothing_is_known() -> None:
    answer = Answer()
    assert (answer.pod, answer.node, answer.code, answer.outcome) == ("", "", "", "")
    assert answer.processes == [] and not answer.passed(Stage.SERVICE)
