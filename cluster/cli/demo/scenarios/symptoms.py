"""Scenario 8: four ways to fail, four symptoms, four traces."""

from cluster.cli.demo.answer import Answer
from cluster.cli.demo.scenario import Scenario
from cluster.cli.demo.scenarios.policy import DENY, PATIENCE
from cluster.cli.demo.script import table
from cluster.cli.demo.stage import Stage

MISTAKES = "shop/mistakes.yaml"
CASES = (
    ("nobody", "no pod has these labels", "refused", "SERVICE_BACKEND_NOT_FOUND"),
    ("closed", "its target port is one that no program has", "refused", "PORT_CLOSED"),
    ("nowhere", "there is no such Service", "nxdomain", "NXDOMAIN"),
    ("cart", "a policy isolates its pods", "timeout", "POLICY_DENIED"),
)


async def play(stage: Stage) -> None:
    """Each case from the same pod."""
    source = (await stage.pods_of("frontend"))[0].place
    async with stage.applied(MISTAKES):
        answers = [await _ask(stage, *case, source) for case in CASES[:-1]]
    async with stage.applied(DENY):
        answers.append(await _ask(stage, *CASES[-1], source))
    stage.say("Side by side:")
    rows = [(name, *_told(answer)) for (name, *_), answer in zip(CASES, answers, strict=True)]
    stage.output(table([("SERVICE", "CLIENT SAW", "ENDED AT", "CODE"), *rows]))
    stage.claim("four failures, and no two traces end alike", len({row[2:] for row in rows}) == 4)


async def _ask(stage: Stage, name: str, why: str, symptom: str, code: str, source: str) -> Answer:
    stage.say(f"{name}: {why}.")
    seconds = PATIENCE if symptom == "timeout" else None
    answer = await stage.curl(f"http://{name}/", source=source, seconds=seconds)
    seen = (answer.symptom, answer.code)
    stage.claim(f"{symptom}, and the trace says {code}", seen == (symptom, code), seen)
    return answer


def _told(answer: Answer) -> tuple[str, str, str]:
    """What the client saw; at which hop it ended; why."""
    trace = answer.trace
    stage = str(trace.hops[-1].step.stage) if trace and trace.hops else ""
    return answer.symptom, stage, answer.code


SCENARIO = Scenario(
    8,
    "What fails, explains",
    """Refused, unknown, silent: a client can tell three things apart, and seldom why. Here are four
    mistakes that everybody makes once; each trace ends at another hop and says what would help.""",
    play,
)
