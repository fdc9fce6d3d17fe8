"""Scenario 10: processes are killed, nodes go away; what stays, what comes back, what is lost."""

import asyncio

from cluster.cli.demo.pods import PodSeen, is_ready
from cluster.cli.demo.scenario import DoesNotHold, Scenario
from cluster.cli.demo.script import table
from cluster.cli.demo.stage import SHOP, Stage
from cluster.client.interface import Document
from cluster.objects.resources import CONFIG_MAPS, NODES, PODS
from cluster.traffic.dial import Stream

WRITES = 20
SILENCE_SECONDS = 0.5
POD_PORT, NODE_PORT = 8080, 30080
CONNECTIONS_MAX = 40


async def play(stage: Stage) -> None:
    """Accidents first, then nodes that are taken away."""
    await _control(stage)
    await _servants(stage)
    await _agent(stage)
    await _node(stage, "crash")
    await _node(stage, "power-off")


async def _control(stage: Stage) -> None:
    stage.say("The control plane dies right after it has acknowledged some writes.")
    for number in range(WRITES):
        await stage.api.create(CONFIG_MAPS, _config_map(number))
    front = await stage.front("frontend")
    restarts = (await stage.process("control"))["restarts"]
    await stage.kill("control")
    answered = 0
    while (process := await stage.process("control"))["state"] != "ready" or (
        process["restarts"] == restarts
    ):
        answered += (await stage.ask(f"http://{front}/")).status == 200
    stage.claim(
        f"the nodes went on without it: {answered} requests answered meanwhile", answered > 0
    )
    await stage.settled()
    kept = [
        each["metadata"]["name"]
        for each in (await stage.api.list(CONFIG_MAPS, namespace=SHOP)).items
        if each["metadata"]["name"].startswith("note-")
    ]
    stage.claim(f"all {WRITES} acknowledged writes are there", len(kept) == WRITES, kept)
    for name in kept:
        await stage.api.delete(CONFIG_MAPS, name, namespace=SHOP)


async def _servants(stage: Stage) -> None:
    stage.say("The gateway and the host's DNS die.")
    for name in ("gateway", "dns"):
        before = await stage.process(name)
        await stage.kill(name)
        after = await stage.restarted(name, before)
        same = after["facts"] == before["facts"]
        stage.claim(f"{name} is started again, with the addresses it had", same, after["facts"])
    await stage.settled()
    answer = await stage.curl("http://frontend.shop/", traced=False)
    stage.claim("the shop answers through the gateway", answer.status == 200, answer.described())


async def _agent(stage: Stage) -> None:
    cart = (await stage.pods_of("cart"))[0]
    stage.say(f"The agent of {cart.node} dies, and its pods with it: they are its processes.")
    before = await stage.process(cart.node)
    await stage.kill(cart.node)
    after = await stage.restarted(cart.node, before)
    await stage.until(
        PODS, lambda found: any(_restarted(each, cart) for each in found), "the pod to restart"
    )
    await stage.settled()
    again = next(pod for pod in await stage.pods() if pod.name == cart.name)
    stage.command(f"kubectl get pod {cart.name} -n {SHOP} -o wide")
    rows = [("NAME", "RESTARTS", "IP", "NODE"), *((_row(pod)) for pod in (again,))]
    stage.output(table(rows))
    stage.claim("the node has its address again", _address(after) == _address(before))
    stage.claim("the pod is the same, with the same address", again.ip == cart.ip, again)
    stage.claim("its container counts as restarted", again.restarts == cart.restarts + 1, again)


async def _node(stage: Stage, how: str) -> None:
    """The pod that goes is one of the frontend: an outside client's socket shows what it meets."""
    victim, stream = await _connected(stage)
    told = {"crash": "crashes", "power-off": "loses power"}[how]
    stage.say(f"{victim.node} {told} while a client outside is connected to {victim.name}.")
    try:
        await stage.stop_node(victim.node, how)
        saw = await _seen_by(stream)
    finally:
        await stream.close()
    expected = {"crash": "a reset", "power-off": "silence"}[how]
    stage.claim(f"the client meets {expected}", saw == expected, saw)
    await _without(stage, victim)
    stage.command(f"kubehop node start {victim.node}")
    await stage.running.call("start_node", name=victim.node)
    await stage.settled()
    stage.claim(f"{victim.node} is back", await stage.is_ready(victim.node))


async def _connected(stage: Stage) -> tuple[PodSeen, Stream]:
    """A connection by a node port, to a pod on another node."""
    pods = {f"{SHOP}/{pod.name}": pod for pod in await stage.pods_of("frontend")}
    nodes = await stage.node_names()
    for number in range(CONNECTIONS_MAX):
        entry = nodes[number % len(nodes)]
        stream, came = await stage.connect(entry, NODE_PORT)
        if came.pod in pods and came.node != entry:
            return pods[came.pod], stream
        await stream.close()
    raise DoesNotHold(f"none of {CONNECTIONS_MAX} connections went from node to node")


async def _without(stage: Stage, victim: PodSeen) -> None:
    """The cluster notices, and lives on."""
    await stage.until(
        NODES,
        lambda found: any(_not_ready(each, victim.node) for each in found),
        f"{victim.node} to be NotReady",
    )
    stage.claim(f"{victim.node} is NotReady once its lease has run out", True)
    lost = f"{victim.ip}:{POD_PORT}"
    left = await stage.endpoints_become(
        "frontend", lambda found: lost not in found, f"{lost} to go", but=(victim.node,)
    )
    stage.claim(f"{lost} is no endpoint any more, {', '.join(left)} is", bool(left))
    await stage.balancer_leaves(victim.node)
    stage.claim(f"the gateway, which asks the nodes itself, sends nobody to {victim.node}", True)
    answer = await stage.curl("http://frontend.shop/", traced=False)
    stage.claim("the shop is open", answer.status == 200, answer.described())


async def _seen_by(stream: Stream) -> str:
    """What a program sees that waits for the other side to say something."""
    try:
        async with asyncio.timeout(SILENCE_SECONDS):
            received = await stream.reader.read(1)
            return "an answer" if received else "an orderly end"
    except ConnectionResetError:
        return "a reset"
    except TimeoutError:
        return "silence"


def _config_map(number: int) -> Document:
    name = f"note-{number}"
    metadata = {"name": name, "namespace": SHOP}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"n": name}}


def _restarted(document: Document, pod: PodSeen) -> bool:
    statuses = document.get("status", {}).get("containerStatuses") or ()
    count = sum(each["restartCount"] for each in statuses)
    ready = all(each["ready"] for each in statuses)
    return document["metadata"]["name"] == pod.name and ready and count > pod.restarts


def _not_ready(node: Document, name: str) -> bool:
    return node["metadata"]["name"] == name and not is_ready(node)


def _address(process: Document) -> str:
    return str(process["facts"]["address"])


def _row(pod: PodSeen) -> tuple[str, str, str, str]:
    return pod.name, str(pod.restarts), pod.ip, pod.node


SCENARIO = Scenario(
    10,
    "What fails, comes back or is replaced",
    """Every process here can be killed, as in life. The launcher is the init system: it starts
    again what dies. Nodes forward by what they know, with the control plane or without. And a node
    that is gone is noticed by its silence: until then its endpoints are a trap.""",
    play,
)
