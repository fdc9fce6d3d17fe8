"""What a node agent is told: its name, its addresses, where the API is.

Source: docs/architecture.md, "Processes".
"""

import argparse
from collections.abc import Sequence
from dataclasses import field
from pathlib import Path

from cluster.aio.hosts import ip_of
from cluster.aio.process import ProcessConfig
from cluster.dataclass import dataclass
from cluster.errors import ConfigError
from cluster.wire.addresses import Cidr

CLUSTER_KEY_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentConfig:
    """One node."""

    process: ProcessConfig
    name: str
    bind: str  # the real IP that node ports and the tunnel listen on
    advertise: str  # the real IP that other processes dial
    internal_ip: str  # emulated: 172.30.0.N
    api: str  # unix:PATH or https://IP:PORT
    kubeconfig: Path | None
    run_dir: Path
    cluster_key: Path
    tunnel_port: int = 0
    kubelet_port: int | None = None
    app_dir: Path = field(default_factory=Path.cwd)
    images: tuple[str, ...] = ()
    cluster_dns: str = "10.96.0.10"
    cluster_domain: str = "cluster.local"
    pod_cidr: Cidr
    service_cidr: Cidr
    zone: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    outside_clients: str = "127.66.0.0/24=203.0.113.0/24"
    time_scale: float = 1.0
    hand_over: bool = True  # sockets change hands between processes of one machine

    @property
    def socket(self) -> Path:
        """Where the kubelet API listens for processes of this machine."""
        return self.run_dir / f"{self.name}.sock"

    @classmethod
    def parse(cls, arguments: Sequence[str]) -> "AgentConfig":
        """Read the command line; ConfigError says what is wrong."""
        options = _parser().parse_args(arguments)
        try:
            return cls(
                process=ProcessConfig.of(options, title=f"kubehop {options.name}"),
                name=options.name,
                bind=ip_of(options.bind),
                advertise=ip_of(options.advertise or options.bind),
                internal_ip=options.internal_ip,
                api=options.api,
                kubeconfig=options.kubeconfig,
                run_dir=options.run_dir,
                cluster_key=options.cluster_key,
                tunnel_port=options.tunnel_port,
                kubelet_port=options.kubelet_port,
                app_dir=options.app_dir or Path.cwd(),
                images=tuple(options.image),
                cluster_dns=options.cluster_dns,
                cluster_domain=options.cluster_domain,
                pod_cidr=Cidr.parse(options.pod_cidr),
                service_cidr=Cidr.parse(options.service_cidr),
                zone=options.zone,
                labels=tuple(_label(each) for each in options.label),
                outside_clients=options.outside_clients,
                time_scale=options.time_scale,
                hand_over=options.hand_over,
            )
        except ValueError as error:
            raise ConfigError(str(error)) from error

    def read_key(self) -> bytes:
        """The cluster key, which authenticates every preamble and datagram."""
        try:
            key = self.cluster_key.read_bytes()
        except OSError as error:
            raise ConfigError(
                f"cannot read the cluster key {self.cluster_key}: {error.strerror}"
            ) from error
        if len(key) != CLUSTER_KEY_BYTES:
            raise ConfigError(
                f"the cluster key {self.cluster_key} has {len(key)} bytes, not {CLUSTER_KEY_BYTES}"
            )
        return key


def _label(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise ValueError(f"--label {text!r} is not KEY=VALUE")
    return key, value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m node_agent", description="One node: kubelet, CNI router, kube-proxy."
    )
    add = parser.add_argument
    add("--name", required=True, help="the node's name, such as node-1")
    add("--bind", required=True, metavar="HOST", help="real address of node ports, tunnel")
    add("--advertise", default="", metavar="HOST", help="that others dial (default: --bind)")
    add("--internal-ip", required=True, metavar="IP", help="emulated InternalIP, as 172.30.0.1")
    add("--api", required=True, metavar="unix:PATH|https://IP:PORT", help="the API server")
    add("--kubeconfig", type=Path, help="credentials for an https API")
    add("--run-dir", type=Path, required=True, help="where the kubelet's socket goes")
    add("--cluster-key", type=Path, required=True, help="file of 32 bytes")
    add("--tunnel-port", type=int, default=0, help="TCP and UDP port of the tunnel (default: any)")
    add("--kubelet-port", type=int, help="serve the kubelet API by TLS too, on this port")
    add("--app-dir", type=Path, help="where python:// images are found (default: here)")
    add("--image", action="append", default=[], metavar="PATTERN=WORKLOAD", help="image alias")
    add("--cluster-dns", default="10.96.0.10", metavar="IP")
    add("--cluster-domain", default="cluster.local")
    add("--pod-cidr", default="10.244.0.0/16")
    add("--service-cidr", default="10.96.0.0/16")
    add("--zone", default="", help="label topology.kubernetes.io/zone")
    add("--label", action="append", default=[], metavar="KEY=VALUE")
    add("--outside-clients", default="127.66.0.0/24=203.0.113.0/24", metavar="REAL=EMULATED")
    add("--time-scale", type=float, default=1.0, help="multiplies Kubernetes' own periods")
    add(
        "--no-hand-over",
        dest="hand_over",
        action="store_false",
        help="relay connections to other processes instead of handing their sockets over",
    )
    ProcessConfig.add_arguments(parser)
    return parser
