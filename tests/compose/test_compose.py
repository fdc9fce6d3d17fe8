"""The cluster in containers, as `docker compose up` starts it; each test goes on from the last.

Slow and honest: a real engine, a real image, published ports, kubectl on the host.
"""

import json
import random
import socket
import stat
import urllib.error
import urllib.request
from typing import Any

from cluster.wire.dns import Message, Question, RRType, decode, encode

NODES = {"node-1", "node-2", "node-3"}
CONTAINERS = {"control", "gateway", "dns", *NODES}
ATTEMPTS_MAX = 40  # one of two ways is missed by chance once in 10**12 runs
IN_A_ROW = 20
PODS = 8  # of the shop and of the cluster's DNS


def get(project: Any, path: str) -> tuple[int, str]:
    """What the published port of the gateway answers."""
    url = f"http://127.0.0.1:{project.ports['KUBEHOP_HTTP_PORT']}{path}"
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def serves(project: Any, path: str) -> None:
    """So many answers in a row, each a 200."""
    answers = [get(project, path) for _ in range(IN_A_ROW)]
    assert [body for status, body in answers if status != 200] == []


def traces(project: Any, *arguments: str) -> list[dict[str, Any]]:
    """What `kubehop trace` says in the gateway's container."""
    said = project.compose("exec", "-T", "gateway", "kubehop", "trace", *arguments)
    return [json.loads(line) for line in said.splitlines()]


def pods(project: Any, *arguments: str) -> list[dict[str, Any]]:
    """Pods as kubectl on the host sees them."""
    items: list[dict[str, Any]] = json.loads(
        project.kubectl("get", "pods", "-n", "shop", "-o", "json", *arguments)
    )["items"]
    return items


def ready(document: dict[str, Any]) -> bool:
    conditions = document.get("status", {}).get("conditions") or ()
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def all_ready(project: Any) -> bool:
    """Every pod of the cluster, its DNS too."""
    found = json.loads(project.kubectl("get", "pods", "-A", "-o", "json"))["items"]
    return len(found) >= PODS and all(map(ready, found))


def uids(project: Any) -> set[str]:
    return {pod["metadata"]["uid"] for pod in pods(project)}


def node_ready(project: Any, name: str) -> bool:
    return ready(json.loads(project.kubectl("get", "node", name, "-o", "json")))


def test_processes_started_before_the_control_plane_serve_once_it_is_there(
    project: Any,
) -> None:
    project.until(
        lambda: get(project, "/") == (200, "welcome to the shop\n"), "the shop's first answer"
    )
    project.until(lambda: all_ready(project), "every pod of the shop ready")


def test_each_process_is_a_container_of_its_own_published_on_loopback_alone(
    project: Any,
) -> None:
    running = project.compose("ps", "--services", "--filter", "status=running").split()
    assert set(running) >= CONTAINERS
    hosts: list[str] = []
    for container in project.containers():
        (facts,) = json.loads(project.docker("inspect", container))
        for bindings in (facts["HostConfig"]["PortBindings"] or {}).values():
            hosts += [each["HostIp"] for each in bindings]
    assert len(hosts) == 5  # API; HTTP and clock; DNS on TCP and UDP
    assert set(hosts) == {"127.0.0.1"}


def test_the_volume_is_its_owners_and_the_kubeconfig_only_his(project: Any) -> None:
    for name in ("kubeconfig", "cluster.key", "store.db", "pki"):
        assert (project.directory / name).stat().st_uid == project.owner, name
    for name in ("kubeconfig", "cluster.key"):
        assert stat.S_IMODE((project.directory / name).stat().st_mode) == 0o600, name


def test_kubectl_on_the_host_sees_nodes_pods_and_where_the_ports_are(project: Any) -> None:
    nodes = json.loads(project.kubectl("get", "nodes", "-o", "json"))["items"]
    assert [node["metadata"]["name"] for node in nodes] == ["node-1", "node-2", "node-3"]
    assert all(map(ready, nodes))
    assert {pod["spec"]["nodeName"] for pod in pods(project)} == {"node-1", "node-2", "node-3"}
    service = json.loads(project.kubectl("get", "svc", "-n", "shop", "frontend", "-o", "json"))
    told = json.loads(service["metadata"]["annotations"]["kubehop.dev/real-addresses"])
    assert told == {"80/TCP": f"127.0.0.1:{project.ports['KUBEHOP_HTTP_PORT']}"}


def test_kubectl_logs_come_from_a_node_in_another_container(project: Any) -> None:
    for pod in pods(project, "-l", "app=frontend"):
        name = pod["metadata"]["name"]
        assert "8080" in project.kubectl("logs", "-n", "shop", name), pod["spec"]["nodeName"]


def test_a_pod_reaches_a_service_whose_pod_is_in_another_container(project: Any) -> None:
    """With one cart for frontends on two nodes, one of them has it in another container."""
    project.kubectl("scale", "deployment", "-n", "shop", "cart", "--replicas=1")
    project.until(lambda: len(pods(project, "-l", "app=cart")) == 1, "a single cart")
    (cart,) = pods(project, "-l", "app=cart")
    frontends = pods(project, "-l", "app=frontend")
    node_of = {each["status"]["podIP"]: each["spec"]["nodeName"] for each in frontends}
    assert len(set(node_of.values())) == 2
    clients = set()
    for _ in range(ATTEMPTS_MAX):
        status, body = get(project, "/cart")
        assert status == 200, body
        answer = json.loads(body)["cart"]
        assert {each["item"] for each in answer["items"]} == {"rope", "lantern"}
        assert answer["servedBy"] == cart["metadata"]["name"]
        clients.add(node_of[answer["client"]])
    assert clients == set(node_of.values())
    project.kubectl("scale", "deployment", "-n", "shop", "cart", "--replicas=2")
    project.until(lambda: all_ready(project), "every pod ready")


def test_a_trace_shows_each_hop_though_each_is_in_a_container_of_its_own(project: Any) -> None:
    """Asked in the gateway's container: its own socket, and the nodes' kubelets over TLS."""
    found = traces(project, "--last", "20", "-o", "json")
    through = [trace for trace in found if trace["segments"][0]["process"] == "gateway"]
    assert through, found
    assert all(trace["complete"] for trace in through)
    assert {trace["segments"][-1]["process"] for trace in through} <= NODES
    assert any(len(trace["segments"]) == 3 for trace in through)  # gateway, node, the pod's node


def test_datagrams_pass_the_published_port_and_come_back(project: Any) -> None:
    (clock,) = pods(project, "-l", "app=clock")
    address = ("127.0.0.1", project.ports["KUBEHOP_CLOCK_PORT"])
    for number in range(IN_A_ROW):  # each from a port of its own: a flow of its own
        text = f"what time is it, {number}"

        def asked(text: str = text) -> str:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                sock.settimeout(2)
                sock.sendto(text.encode(), address)
                answer, peer = sock.recvfrom(2048)
                assert peer == address
                return answer.decode()

        answer = project.until(asked, "the clock's answer")  # datagrams may be lost
        assert answer.startswith(clock["metadata"]["name"]) and answer.endswith(text)


def test_the_clusters_names_are_answered_on_the_host(project: Any) -> None:
    service = json.loads(project.kubectl("get", "svc", "-n", "shop", "cart", "-o", "json"))
    name = "cart.shop.svc.cluster.local"
    query = Message(id=random.getrandbits(16), questions=(Question(name, RRType.A),))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(5)
        sock.sendto(encode(query), ("127.0.0.1", project.ports["KUBEHOP_DNS_PORT"]))
        answer = decode(sock.recv(2048))
    assert answer.id == query.id
    assert [record.data.ip for record in answer.answers] == [service["spec"]["clusterIP"]]


def test_a_process_that_dies_comes_back_by_itself(project: Any) -> None:
    kill = (
        "import os, pathlib, signal\n"
        "for each in pathlib.Path('/proc').glob('[0-9]*/stat'):\n"
        "    if each.read_text().rpartition(')')[2].split()[1] == '1' and "
        "int(each.parent.name) != os.getpid():\n"
        "        os.kill(int(each.parent.name), signal.SIGKILL)\n"
    )
    container = project.container("gateway")
    project.docker("exec", container, "python", "-c", kill, check=False)

    def restarted() -> bool:
        (facts,) = json.loads(project.docker("inspect", container))
        return bool(facts["RestartCount"] >= 1 and facts["State"]["Running"])

    project.until(restarted, "the gateway restarted by the engine")
    project.until(lambda: get(project, "/")[0] == 200, "an answer through the new gateway")


def test_with_a_node_killed_the_others_serve_on_and_it_can_come_back(project: Any) -> None:
    nodes = [pod["spec"]["nodeName"] for pod in pods(project, "-l", "app=frontend")]
    assert len(set(nodes)) == 2
    lost = nodes[0]
    project.compose("kill", "-s", "SIGKILL", lost)
    project.until(lambda: not node_ready(project, lost), f"{lost} told not ready")
    project.until(lambda: get(project, "/")[0] == 200, "an answer without the lost node")
    serves(project, "/")
    project.compose("up", "-d", lost)
    project.until(lambda: node_ready(project, lost), f"{lost} ready again")
    project.until(lambda: all_ready(project), "every pod ready again")
    serves(project, "/cart")


def test_with_control_killed_traffic_goes_on_and_nothing_is_lost(project: Any) -> None:
    before = uids(project)
    project.compose("kill", "-s", "SIGKILL", "control")
    serves(project, "/cart")
    project.compose("up", "-d", "control")
    project.until(
        lambda: {pod["metadata"]["uid"] for pod in pods(project)} == before, "the same pods"
    )
    project.until(
        lambda: all(node_ready(project, f"node-{number}") for number in (1, 2, 3)), "nodes ready"
    )
    project.kubectl("scale", "deployment", "-n", "shop", "cart", "--replicas=3")
    project.until(
        lambda: len(list(filter(ready, pods(project, "-l", "app=cart")))) == 3, "a third cart"
    )
    assert get(project, "/cart")[0] == 200


def test_down_leaves_nothing_running(project: Any) -> None:
    assert project.containers()
    project.compose("down", "--timeout", "10")
    assert project.containers() == []
    label = f"label=com.docker.compose.project={project.name}"
    assert project.docker("network", "ls", "-q", "--filter", label) == ""
