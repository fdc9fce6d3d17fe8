"""Scenario 9: datagrams behind a ClusterIP, a node port and the gateway."""

from cluster.cli.demo.answer import Answer
from cluster.cli.demo.scenario import Scenario
from cluster.cli.demo.stage import Stage

PORT, NODE_PORT = 9999, 30999


async def play(stage: Stage) -> None:
    """The same clock by three doors."""
    inside = (await stage.pods_of("frontend"))[0].place
    by_name = await stage.curl(f"udp://clock:{PORT}", source=inside, data="from a pod")
    _claim(stage, by_name, "behind its ClusterIP", "from a pod")
    clock = (await stage.pods_of("clock"))[0]
    elsewhere = next(name for name in await stage.node_names() if name != clock.node)
    by_node = await stage.curl(f"udp://{elsewhere}:{NODE_PORT}", data="at a node", traced=False)
    _claim(stage, by_node, f"at the node port of {elsewhere}, where it does not run", "at a node")
    by_gateway = await stage.curl(f"udp://clock.shop:{PORT}", data="from outside")
    _claim(stage, by_gateway, "through the gateway", "from outside")


def _claim(stage: Stage, answer: Answer, where: str, text: str) -> None:
    stage.claim(f"the clock answers {where}", answer.text.endswith(text), answer.described())


SCENARIO = Scenario(
    9,
    "Datagrams take the same way",
    """UDP knows no connections, so each node remembers flows: which endpoint it chose, and how to
    turn the replies back. Otherwise it is the same road, with the same signposts.""",
    play,
)
