"""Scenario 5: containers of one pod share an address, localhost and the port numbers."""

from cluster.cli.demo.scenario import Scenario
from cluster.cli.demo.stage import SHOP, Stage
from cluster.client.interface import Document
from cluster.objects.resources import PODS

PORTS = (90, 95)
CLASH, MANIFEST = "clash", "shop/clash.yaml"


async def play(stage: Stage) -> None:
    """localhost inside; both ports from outside; and two who want the same port."""
    for port in PORTS:
        inside = await stage.curl(
            f"http://localhost:{port}/", source="pod/twin", traced=port == PORTS[1]
        )
        stage.claim(
            f"localhost:{port} answers in the pod", inside.status == 200, inside.described()
        )
    twin = next(pod for pod in await stage.pods() if pod.name == "twin")
    visitor = (await stage.pods_of("frontend"))[0]
    for port in PORTS:
        outside = await stage.curl(f"http://{twin.ip}:{port}/", source=visitor.place, traced=False)
        stage.claim(f"{twin.ip}:{port} answers others", outside.status == 200, outside.described())
    await _clash(stage)


async def _clash(stage: Stage) -> None:
    stage.say("A second container that wants a port of its neighbour does not get it:")
    async with stage.applied(MANIFEST):
        found = await stage.until(
            PODS,
            lambda found: any(map(_second_failed, found)),
            "the second container to fail",
            namespace=SHOP,
        )
        stage.command(f"kubectl logs {CLASH} -c second -n {SHOP}")
        log = await stage.log(CLASH, "second")
        stage.output(log.strip().splitlines()[-1] if log.strip() else "")
        stage.claim("address already in use (EADDRINUSE)", "in use" in log, log)
        first = next(_ready(each, "first") for each in found if each["metadata"]["name"] == CLASH)
        stage.claim("the first container serves on", first)


def _second_failed(pod: Document) -> bool:
    return pod["metadata"]["name"] == CLASH and any(
        each["name"] == "second"
        and (each.get("restartCount", 0) or "terminated" in each.get("state", {}))
        for each in pod.get("status", {}).get("containerStatuses") or ()
    )


def _ready(pod: Document, container: str) -> bool:
    statuses = pod["status"]["containerStatuses"]
    return any(each["name"] == container and each["ready"] for each in statuses)


SCENARIO = Scenario(
    5,
    "Containers of a pod share one network",
    """Two programs in one pod are two programs on one host: localhost is the same for both, and a
    port belongs to whoever binds it first. From outside both stand behind the pod's address.""",
    play,
)
