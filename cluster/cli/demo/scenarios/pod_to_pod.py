"""Scenario 4: from pod to pod by address, on one node and from node to node."""

import json

from cluster.cli.demo.answer import Answer
from cluster.cli.demo.pods import PodSeen, pair
from cluster.cli.demo.scenario import Scenario
from cluster.cli.demo.stage import Stage

PORT = 8080


async def play(stage: Stage) -> None:
    """The local route, then the route table."""
    sources = [pod for pod in await stage.pods() if pod.ready]
    targets = await stage.pods_of("cart")
    source, target = pair(sources, targets, same_node=True)
    stage.say(f"On one node, {source.node}: the route ends where it began.")
    near = await _ask(stage, source, target)
    stage.claim("the flow stays on its node", near.processes == [source.node], near.processes)
    source, target = pair(sources, targets, same_node=False)
    stage.say(f"From {source.node} to {target.node}: the longest matching prefix names the node.")
    far = await _ask(stage, source, target)
    stage.claim(
        "it passes both nodes, and nothing between them",
        far.processes == [source.node, target.node],
        far.processes,
    )


async def _ask(stage: Stage, source: PodSeen, target: PodSeen) -> Answer:
    answer = await stage.curl(f"http://{target.ip}:{PORT}/", source=source.place)
    stage.claim(f"{target.name} answers", answer.status == 200, answer.described())
    client = json.loads(answer.text)["client"]
    stage.claim("and sees its client's own address: no NAT", client == source.ip, client)
    return answer


SCENARIO = Scenario(
    4,
    "Pods reach each other by address",
    """Every pod has an address of its own, and every other pod can use it as it is. Each node owns
    a range of them: a route says whether an address is here or behind which node.""",
    play,
)
