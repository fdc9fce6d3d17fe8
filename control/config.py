"""What the control plane is told: where to listen, where to keep things, which ranges.

Spec: P-24. Source: docs/architecture.md, "Processes", "Addresses".
"""

import argparse
import ipaddress
import itertools
from collections.abc import Sequence
from pathlib import Path

from cluster.aio.hosts import HostPort
from cluster.aio.process import ProcessConfig
from cluster.dataclass import dataclass
from cluster.errors import ConfigError
from cluster.wire.addresses import SocketAddress

CLUSTER_KEY_BYTES = 32
NODE_RANGE = "172.30.0.0/16"  # emulated: the nodes and the control plane
RANGES = ("pod_cidr", "service_cidr", "load_balancer_addresses")


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlConfig:
    """One control plane."""

    process: ProcessConfig
    bind: SocketAddress  # of the TLS listener
    advertise: tuple[HostPort, ...]  # the first is told to the nodes; all are in the certificate
    kubeconfig_server: HostPort | None  # where kubectl dials; None: the first advertised
    socket: Path
    data: str  # a file, or ":memory:"
    pki: Path
    kubeconfig: Path | None
    cluster_key: Path | None
    audit_log: Path | None
    name: str
    pod_cidr: str
    node_mask: int
    service_cidr: str
    load_balancer_addresses: str
    cluster_domain: str
    time_scale: float

    @classmethod
    def parse(cls, arguments: Sequence[str]) -> "ControlConfig":
        """Read the command line; ConfigError says what is wrong."""
        options = _parser().parse_args(arguments)
        try:
            bind = HostPort.parse(options.bind).resolve()
            advertised = tuple(HostPort.parse(each) for each in options.advertise)
            server = options.kubeconfig_server and HostPort.parse(options.kubeconfig_server)
            _check_ranges(options)
            _check_mask(options)
        except ValueError as error:
            raise ConfigError(str(error)) from error
        return cls(
            process=ProcessConfig.of(options, title=f"kubehop control ({options.name})"),
            bind=bind,
            advertise=advertised,
            kubeconfig_server=server or None,
            socket=options.socket,
            data=options.data,
            pki=options.pki,
            kubeconfig=options.kubeconfig,
            cluster_key=options.cluster_key,
            audit_log=options.audit_log,
            name=options.name,
            pod_cidr=options.pod_cidr,
            node_mask=options.node_cidr_mask_size,
            service_cidr=options.service_cidr,
            load_balancer_addresses=options.load_balancer_addresses,
            cluster_domain=options.cluster_domain,
            time_scale=options.time_scale,
        )


def _check_ranges(options: argparse.Namespace) -> None:
    """Each is a range, and no address is in two: else nobody could say whose it is (P-24)."""
    ranges = {f"--{name.replace('_', '-')}": str(getattr(options, name)) for name in RANGES}
    ranges["the nodes' range"] = NODE_RANGE
    networks = {name: ipaddress.ip_network(each) for name, each in ranges.items()}
    for (one, first), (other, second) in itertools.combinations(networks.items(), 2):
        if first.overlaps(second):
            raise ConfigError(f"{one} {first} and {other} {second} overlap: choose ranges apart")


def _check_mask(options: argparse.Namespace) -> None:
    """A share lies in the range and has room for a pod: an address besides its own three."""
    network = ipaddress.ip_network(options.pod_cidr)
    longest = network.max_prefixlen - 2
    if not network.prefixlen <= options.node_cidr_mask_size <= longest:
        given = options.node_cidr_mask_size
        text = f"--node-cidr-mask-size {given}: the pods' range is {network}, so it is"
        raise ConfigError(f"{text} {network.prefixlen} to {longest}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m control",
        description="The control plane: API server, controllers, scheduler.",
    )
    add = parser.add_argument
    add("--bind", required=True, metavar="HOST:PORT", help="where the API listens with TLS")
    add(
        "--advertise",
        action="append",
        default=[],
        metavar="HOST:PORT",
        help="how others reach it, again for further names; nodes dial the first (default: --bind)",
    )
    add("--socket", type=Path, required=True, help="the API for processes of this machine")
    add("--data", required=True, metavar="FILE|:memory:", help="the store")
    add("--pki", type=Path, required=True, help="the certificate authority; made when missing")
    add("--kubeconfig", type=Path, help="write a cluster-admin's kubeconfig here")
    add(
        "--kubeconfig-server",
        metavar="HOST:PORT",
        help="where who holds the kubeconfig dials (default: the first of --advertise)",
    )
    add("--cluster-key", type=Path, help="the key of the tunnels; made when missing")
    add("--audit-log", type=Path, metavar="FILE", help="write down each request (default: none)")
    add("--name", default="default", help="the cluster's name, for the kubeconfig")
    add("--pod-cidr", default="10.244.0.0/16")
    add(
        "--node-cidr-mask-size",
        type=int,
        default=24,
        metavar="BITS",
        help="each node's share of the pod range (default: 24, a /24 a node)",
    )
    add("--service-cidr", default="10.96.0.0/16")
    add("--load-balancer-addresses", default="127.65.0.0/24", metavar="CIDR")
    add("--cluster-domain", default="cluster.local")
    add("--time-scale", type=float, default=1.0, help="multiplies Kubernetes' own periods")
    ProcessConfig.add_arguments(parser)
    return parser
