"""Scenario 7: a NetworkPolicy isolates pods; another lets one neighbour in."""

from cluster.cli.demo.answer import Answer
from cluster.cli.demo.scenario import Scenario
from cluster.cli.demo.stage import Stage

DENY, ALLOW = "shop/default-deny.yaml", "shop/allow-frontend.yaml"
PATIENCE = 0.7


async def play(stage: Stage) -> None:
    """Open, closed for all, open for one; by address and by name."""
    frontend = (await stage.pods_of("frontend"))[0]
    cart = (await stage.pods_of("cart"))[0]
    by_address, by_name = f"http://{cart.ip}:8080/", "http://cart/"
    before = await stage.curl(by_name, source=frontend.place, traced=False)
    stage.claim("nobody is isolated: the frontend reaches the cart", before.status == 200)
    async with stage.applied(DENY):
        stage.say("Now every pod of the shop refuses everybody:")
        denied = await stage.curl(by_address, source=frontend.place, seconds=PATIENCE)
        _claim_denied(stage, denied, f"shop/{cart.name}")
        through = await stage.curl(by_name, source=frontend.place, seconds=PATIENCE, traced=False)
        stage.claim("the same through the Service", _denied(through), through.described())
        async with stage.applied(ALLOW):
            stage.say("One rule, for one kind of client and one port of the pod:")
            allowed = await stage.curl(by_name, source=frontend.place)
            stage.claim("the frontend reaches the cart again", allowed.status == 200)
            other = await stage.curl(by_name, source="pod/twin", seconds=PATIENCE, traced=False)
            stage.claim("nobody else does", _denied(other), other.described())


def _claim_denied(stage: Stage, answer: Answer, pod: str) -> None:
    stage.claim("silence: the client waits in vain", answer.symptom == "timeout", answer.symptom)
    reason = answer.trace.reason if answer.trace else ""
    stage.claim(
        "the trace names the policy and the pod that it selects",
        "default-deny" in reason and pod in reason,
        reason,
    )


def _denied(answer: Answer) -> bool:
    return answer.symptom == "timeout" and answer.code == "POLICY_DENIED"


SCENARIO = Scenario(
    7,
    "A NetworkPolicy isolates",
    """Pods are open until a policy selects them; from then on only what some policy allows comes
    through. There is no rule that denies: what nobody allows is dropped without a word, and the
    client learns nothing. The trace does.""",
    play,
)
