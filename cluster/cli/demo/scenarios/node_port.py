"""Scenario 2: a node port is open on every node, also where no pod of the Service runs."""

from cluster.cli.demo.answer import Answer
from cluster.cli.demo.scenario import Scenario
from cluster.cli.demo.stage import Stage

PORT = 30080


async def play(stage: Stage) -> None:
    """The same port at each node; the trace at one that has no pod."""
    nodes = await stage.node_names()
    homes = {pod.node for pod in await stage.pods_of("frontend")}
    without = [name for name in nodes if name not in homes]
    stage.claim("some node has no pod of the frontend", bool(without), homes)
    for name in nodes:
        shown = name == without[0]
        answer = await stage.curl(f"http://{name}:{PORT}/", traced=shown)
        here = "" if name in homes else ", which has no pod of its own for it"
        stage.claim(f"{name} answers{here}", _answered_by(answer, name), answer.described())


def _answered_by(answer: Answer, node: str) -> bool:
    return answer.status == 200 and answer.processes[0] == node


SCENARIO = Scenario(
    2,
    "A node port is the same on every node",
    """Whoever knows a node's address can do without the load balancer. Every node listens on the
    Service's node port, and one that runs no pod of it passes the connection on.""",
    play,
)
