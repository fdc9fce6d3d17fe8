"""Scenario 1: from the internet to a pod, through the cloud's load balancer."""

from cluster.cli.demo.answer import Answer
from cluster.cli.demo.scenario import Scenario
from cluster.cli.demo.script import table
from cluster.cli.demo.stage import Stage
from cluster.dataplane.decision import Stage as Hop

URL = "http://frontend.shop/"
REQUESTS_MAX = 40
SHOWN_MAX = 6


async def play(stage: Stage) -> None:
    """One request hop by hop, then many: where they enter and where they end."""
    answer = await stage.curl(URL)
    stage.claim("the shop answers", answer.status == 200, answer.described())
    stage.claim("the request enters at the gateway", answer.processes[0] == "gateway")
    stage.claim(
        "and on the node kube-proxy chooses the pod", answer.passed(Hop.SERVICE), answer.processes
    )
    stage.say("Again and again: each time the gateway draws a node, and the node draws a pod.")
    stage.command(f"for i in $(seq {SHOWN_MAX}); do kubehop curl {URL} --trace; done")
    answers = await _until_varied(stage)
    rows = [("ENTERED AT", "SERVED BY", "ON"), *map(_row, answers[:SHOWN_MAX])]
    stage.output(table(rows))
    pods = {each.pod for each in answers}
    stage.claim("every pod of the Service gets its share", len(pods) > 1, pods)
    crossed = sum(map(_crossed, answers))
    stage.claim(
        f"{crossed} of {len(answers)} requests entered at one node and ended on another",
        crossed > 0,
    )


async def _until_varied(stage: Stage) -> list[Answer]:
    """Requests until chance has shown both pods and a way from node to node."""
    answers: list[Answer] = []
    while len(answers) < REQUESTS_MAX:
        answers.append(await stage.ask(URL))
        varied = len({each.pod for each in answers}) > 1 and any(map(_crossed, answers))
        if varied and len(answers) >= SHOWN_MAX:
            break
    return answers


def _crossed(answer: Answer) -> bool:
    return len(answer.processes) == 3


def _row(answer: Answer) -> tuple[str, str, str]:
    return answer.processes[1], answer.pod, answer.node


SCENARIO = Scenario(
    1,
    "The internet reaches a load balancer",
    """A client outside knows one address. The gateway behind it plays the cloud's load balancer: it
    picks a node, not a pod. That node's kube-proxy picks the pod, which often runs elsewhere: watch
    the destination change on the way, and the source too, so that replies come back.""",
    play,
)
