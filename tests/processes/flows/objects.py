"""What runs in the clusters of these tests: a talker on each node, and Services of every kind."""

from typing import Any

TALKERS = ("talker-1", "talker-2", "talker-3")  # each on the node of its number
SEAT = 2  # whose pod is behind the Services that have one endpoint
_PORTS = (("talk", 7000), ("greet", 7001), ("tls", 7443), ("http", 8080))


def pod(name: str, node: str, certificates: str = "", **labels: str) -> dict[str, Any]:
    """A talker on a node."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": labels},
        "spec": {"nodeName": node, "containers": [container(certificates)]},
    }


def container(certificates: str = "") -> dict[str, Any]:
    """A talker, ready once it listens."""
    return {
        "name": "talker",
        "image": "python://talker:main",
        "env": [{"name": "CERTIFICATES", "value": certificates}],
        "readinessProbe": {"tcpSocket": {"port": 8080}, "periodSeconds": 1},
    }


def service(
    name: str, node_port: int, selector: dict[str, str], *, target: int = 0, **spec: Any
) -> dict[str, Any]:
    """A load balancer; its node ports are four in a row, of `talk`, `greet`, `tls` and `http`."""
    ports = [
        {
            "name": each,
            "port": port,
            "targetPort": target or port,
            "nodePort": node_port + number,
        }
        for number, (each, port) in enumerate(_PORTS)
    ]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"type": "LoadBalancer", "selector": selector, "ports": ports, **spec},
    }


def all_objects(certificates: str) -> list[dict[str, Any]]:
    """Everything."""
    pods = [
        pod(name, f"node-{name[-1]}", certificates, app="talker", seat=name[-1]) for name in TALKERS
    ]
    one, every = {"seat": str(SEAT)}, {"app": "talker"}
    return [
        *pods,
        service("solo", 30000, one),
        service("every", 30010, every),
        service("local", 30020, one, externalTrafficPolicy="Local"),
        service("sticky", 30030, every, sessionAffinity="ClientIP"),
        service("empty", 30040, {"app": "nobody"}),
        service("shut", 30050, one, target=9),
        service("third", 30070, {"seat": "3"}),
        service("short", 30080, {"app": "short"}),
    ]


def nobody_enters(seat: int) -> dict[str, Any]:
    """A NetworkPolicy that isolates a talker."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "nobody-enters"},
        "spec": {
            "podSelector": {"matchLabels": {"seat": str(seat)}},
            "policyTypes": ["Ingress"],
        },
    }
