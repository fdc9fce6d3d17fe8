"""Scenario 6: a Service's endpoints follow its pods, and traffic follows the endpoints."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from cluster.cli.demo.pods import PodSeen
from cluster.cli.demo.scenario import Scenario
from cluster.cli.demo.stage import SHOP, Stage
from cluster.objects.resources import DEPLOYMENTS, PODS

SERVICE = "cart"
URL = f"http://{SERVICE}/"
PORT = 8080
REPLICAS, MORE = 2, 4


async def play(stage: Stage) -> None:
    """Scale, delete, drain; meanwhile somebody goes on asking."""
    await _describe(stage)
    visitor = (await stage.pods_of("frontend"))[0]
    async with _customers(stage, visitor) as met:
        await _scale(stage, MORE)
        await _delete(stage)
        await _drain(stage)
        await _scale(stage, REPLICAS)
    answered, total = met["answered"], met.total()
    stage.say("All the while one pod of the frontend kept asking the cart.")
    odd = total - answered - met["refused"] - met["reset"]
    rest = "" if answered == total else "; the others met a pod that had just ended"
    stage.claim(f"{answered} of {total} requests were answered{rest}", odd == 0, dict(met))


async def _describe(stage: Stage) -> None:
    endpoints = await stage.endpoints(SERVICE)
    carts = await stage.pods_of(SERVICE)
    stage.command(f"kubectl describe service {SERVICE} -n {SHOP} | grep Endpoints")
    stage.output(f"Endpoints:         {','.join(endpoints)}")
    stage.claim(
        "the endpoints are the ready pods", endpoints == addresses(carts), (endpoints, carts)
    )


async def _scale(stage: Stage, replicas: int) -> None:
    stage.command(f"kubectl scale deployment {SERVICE} -n {SHOP} --replicas={replicas}")
    patch = {"spec": {"replicas": replicas}}
    await stage.api.patch(DEPLOYMENTS, SERVICE, patch, namespace=SHOP)
    endpoints = await stage.endpoints_become(
        SERVICE, lambda found: len(found) == replicas, f"{replicas} endpoints"
    )
    await stage.until(
        PODS,
        lambda found: (
            sum(each["metadata"]["labels"].get("app") == SERVICE for each in found) == replicas
        ),
        "the other pods to be gone",
        namespace=SHOP,
    )
    stage.output("Endpoints:         " + ",".join(endpoints))
    stage.claim(f"{replicas} pods, {replicas} endpoints", len(endpoints) == replicas)


async def _delete(stage: Stage) -> None:
    victim = (await stage.pods_of(SERVICE))[0]
    stage.command(f"kubectl delete pod {victim.name} -n {SHOP}")
    await stage.api.delete(PODS, victim.name, namespace=SHOP)
    endpoints = await stage.endpoints_become(
        SERVICE,
        lambda found: len(found) == MORE and address(victim) not in found,
        "a new endpoint in place of the old one",
    )
    stage.output("Endpoints:         " + ",".join(endpoints))
    stage.claim(
        f"{victim.ip} is no endpoint any more, and another pod has come for it",
        address(victim) not in endpoints,
    )
    await stage.gone(PODS, victim.name)
    stage.claim("its address is free again", await _released(stage, victim))


async def _released(stage: Stage, victim: PodSeen) -> bool:
    """Whether nobody answers for the address: silence or no route, never a refusal."""
    visitor = (await stage.pods_of("frontend"))[0]
    answer = await stage.ask(f"http://{victim.ip}:{PORT}/", source=visitor.place, seconds=0.5)
    return answer.symptom in ("timeout", "unreachable")


async def _drain(stage: Stage) -> None:
    stage.say("A pod can take itself out, too: it runs on, but its readiness probe fails.")
    cart = (await stage.pods_of(SERVICE))[0]
    source = f"node/{cart.node}"
    url = f"http://{cart.ip}:{PORT}"
    await stage.curl(f"{url}/drain", source=source, data="now", traced=False)
    endpoints = await stage.endpoints_become(
        SERVICE, lambda found: address(cart) not in found, f"{cart.name} to be no endpoint"
    )
    stage.output("Endpoints:         " + ",".join(endpoints))
    here = await stage.ask(f"{url}/", source=source)
    stage.claim(
        f"{cart.name} is no endpoint, yet answers who asks it by address", here.status == 200
    )


@asynccontextmanager
async def _customers(stage: Stage, visitor: PodSeen) -> AsyncIterator[Counter[str]]:
    """Requests one after the other while the block runs; what they met."""
    met: Counter[str] = Counter()

    async def ask() -> None:
        while True:
            answer = await stage.ask(URL, source=visitor.place)
            met["answered" if answer.status == 200 else answer.symptom or "error"] += 1

    task = asyncio.create_task(ask(), name="demo customers")
    try:
        yield met
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def address(pod: PodSeen) -> str:
    """The pod as an endpoint of the cart."""
    return f"{pod.ip}:{PORT}"


def addresses(pods: list[PodSeen]) -> list[str]:
    """As EndpointSlices list them."""
    return sorted(map(address, pods))


SCENARIO = Scenario(
    6,
    "Endpoints follow the pods",
    """A Service has no list of pods, only a selector. Controllers keep its endpoints: whoever is
    labelled so and ready. Scale, delete, fail a probe: every node hears of it and sends nobody to
    a pod that is gone.""",
    play,
)
