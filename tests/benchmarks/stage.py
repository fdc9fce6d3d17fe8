"""What is measured stands here: clusters, the same programs outside of them, relays of others."""

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

from tests.benchmarks import pods
from tests.benchmarks.bench_cluster import KUBEHOP, ROOT, BenchCluster
from tests.benchmarks.direct import direct
from tests.benchmarks.peers.chains import TCP_KINDS, available, chain
from tests.benchmarks.peers.ports import LOOPBACK, Address
from tests.benchmarks.runs import Way

MANIFEST = Path(__file__).parent / "pods.yaml"
DIRECT = "direct"
PROXIED = "direct, with a pod's transport"
KUBEHOP_WAY = "kubehop"
RELAYS_WAY = "kubehop, relays only"
WITHOUT_HAND_OVER = "--no-hand-over"
SERVICES = "/api/v1/namespaces/default/services"


@dataclass(slots=True)
class _Running:
    """A cluster with the pods in it."""

    cluster: BenchCluster
    server_node: str

    def address(self, service: str, port: int) -> Address:
        """Of a Service, at the load balancer."""
        found: Any = self.cluster.api(f"{SERVICES}/{service}")
        return found["status"]["loadBalancer"]["ingress"][0]["ip"], port

    def relays(self) -> list[int]:
        """All processes but the pod's node's."""
        return [pid for name, pid in self.cluster.pids().items() if name != self.server_node]

    def pod(self) -> list[int]:
        """The process that the pod is in."""
        return [self.cluster.pids()[self.server_node]]

    def processes(self) -> Mapping[str, int]:
        """By name; the node with the server's pod says so."""
        told = {self.server_node: f"{self.server_node}, with the pod"}
        return {told.get(name, name): pid for name, pid in self.cluster.pids().items()}


class Stage:
    """Everything that a measure may ask."""

    def __init__(
        self,
        directory: Path,
        server: tuple[list[int], int],
        client: tuple[list[int], int],
        clusters: Mapping[str, _Running],
    ) -> None:
        self.clusters = clusters
        self._directory = directory
        self._server_ports, self._server = server
        self._client_ports, self._client = client

    @contextmanager
    def ways(self, port: int, kinds: Sequence[str] = ()) -> Iterator[list[Way]]:
        """To what a port of the pods serves: direct, through clusters, through relays of others."""
        with ExitStack() as stack:
            found = [self.direct(port)]
            for name, running in self.clusters.items():
                address = running.address("server", port)
                found.append(Way(name, address, running.relays, running.pod))
            for kind in kinds:
                if kind in available(TCP_KINDS):
                    found.append(self._relayed(stack, kind, found[0]))
            yield found

    def direct(self, port: int) -> Way:
        """To the same program outside the cluster."""
        outside = self._server_ports[pods.PORTS.index(port)]
        return Way(DIRECT, (LOOPBACK, outside), list, lambda: [self._server])

    def proxied(self) -> Way:
        """To the minimal program outside the cluster, holding the transport that a pod holds."""
        return Way(PROXIED, (LOOPBACK, self._server_ports[-1]), list, lambda: [self._server])

    def _relayed(self, stack: ExitStack, kind: str, to: Way) -> Way:
        relays = stack.enter_context(chain(kind, to.address, self._directory))
        return Way(relays.name, relays.address, relays.pids, to.pod)

    def askers(self) -> dict[str, tuple[Address, Address | tuple[str, int]]]:
        """Programs that ask when told to, and whom they are to ask: outside, and from pod to pod
        by the name of a Service."""
        outside = (LOOPBACK, self._server_ports[0])
        found = {DIRECT: ((LOOPBACK, self._client_ports[0]), outside)}
        for name, running in self.clusters.items():
            found[name] = (running.address("client", pods.CLIENT), ("server", pods.MINIMAL))
        return found

    def asker_pids(self, name: str) -> list[int]:
        """Those on the way, the asker included."""
        if name == DIRECT:
            return [self._client, self._server]
        return list(self.clusters[name].processes().values())


@contextmanager
def stage(directory: Path, nodes: int) -> Iterator[Stage]:
    """All of it up: the server's pod on the last node, the client's on the first."""
    with ExitStack() as stack:
        server = stack.enter_context(direct("server", len(pods.PORTS) + 1, directory))
        client = stack.enter_context(direct("client", 1, directory))
        clusters = {}
        for number, (name, options) in enumerate(_variants().items()):
            there = directory / f"k{number}"
            there.mkdir()
            clusters[name] = stack.enter_context(_cluster(there, nodes, options))
        yield Stage(directory, server, client, clusters)


@contextmanager
def _cluster(directory: Path, nodes: int, options: Sequence[str]) -> Iterator[_Running]:
    server = f"node-{nodes}"
    manifest = directory / "pods.yaml"
    manifest.write_text(Template(MANIFEST.read_text()).substitute(server=server, client="node-1"))
    cluster = BenchCluster(
        directory, nodes, ("--app-dir", str(ROOT), "-f", str(manifest), *options)
    )
    try:
        cluster.up()
        yield _Running(cluster, server)
    finally:
        cluster.down()


def _variants() -> dict[str, tuple[str, ...]]:
    """Clusters by name, with the options of `kubehop up` that make the difference."""
    said = subprocess.run([*KUBEHOP, "up", "--help"], capture_output=True, text=True, check=True)
    found: dict[str, tuple[str, ...]] = {KUBEHOP_WAY: ()}
    if WITHOUT_HAND_OVER in said.stdout:
        found[RELAYS_WAY] = (WITHOUT_HAND_OVER,)
    return found
