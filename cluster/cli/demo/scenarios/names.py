"""Scenario 3: a pod finds a Service by its name."""

from typing import Any

from cluster.cli.demo.answer import Answer
from cluster.cli.demo.scenario import Scenario
from cluster.cli.demo.script import table
from cluster.cli.demo.stage import Stage
from cluster.dataplane.decision import Stage as Hop

NAMES = ("cart", "cart.shop", "cart.shop.svc.cluster.local", "cart.shop.svc.cluster.local.")


async def play(stage: Stage) -> None:
    """Each form of the name, and how many questions it cost."""
    pod = (await stage.pods_of("frontend"))[0]
    rows = [("NAME", "QUERIES", "ADDRESS")]
    for name in NAMES:
        answer = await stage.curl(f"http://{name}/", source=pod.place, traced=name == NAMES[1])
        stage.claim(f"{name} is the cart", answer.status == 200, answer.described())
        rows.append((name, str(len(queries(answer))), address(answer)))
    stage.say("What each name cost:")
    stage.output(table(rows))
    addresses = {row[2] for row in rows[1:]}
    stage.claim("all of them are one Service's address", len(addresses) == 1, addresses)
    stage.say(
        """A pod's resolver takes a name with fewer than five dots for a short one (ndots:5) and
        tries each search domain first. A dot at the end says that the name is whole."""
    )
    asked = await stage.newest_dns_flow(pod)
    stage.show(Answer(trace=asked))
    stage.claim(
        "the queries go to a DNS pod, through a Service, as any other traffic",
        asked.endpoint is not None and asked.endpoint.pod.startswith("coredns"),
        asked.endpoint,
    )


def queries(answer: Answer) -> list[Any]:
    """What was asked of the DNS before the connection."""
    hops = answer.trace.hops if answer.trace else ()
    found = [hop.step.detail.get("queries") for hop in hops if hop.step.stage is Hop.RESOLVE]
    return list(found[0] or ()) if found else []


def address(answer: Answer) -> str:
    """What the name turned out to be."""
    return answer.trace.original.destination.ip if answer.trace else ""


SCENARIO = Scenario(
    3,
    "A pod asks for a Service by name",
    """Pods know each other by names of Services. The pod's resolver asks the cluster's DNS, which
    is two pods behind a Service like any other, and the trace begins with the answers.""",
    play,
)
