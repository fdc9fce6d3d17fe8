"""What the gateway is told: where the API is, where to listen.

Source: docs/architecture.md, "Processes".
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from cluster.aio.hosts import ip_of
from cluster.aio.process import ProcessConfig
from cluster.dataclass import dataclass
from cluster.errors import ConfigError
from cluster.wire.addresses import PORT_MAX, SocketAddress
from cluster.wire.clients import OUTSIDE_CLIENTS, OutsideClients

CLUSTER_KEY_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayConfig:
    """The cloud's load balancer."""

    process: ProcessConfig
    api: str  # unix:PATH or https://IP:PORT
    kubeconfig: Path | None
    run_dir: Path
    cluster_key: Path
    bind: str | None = None  # listen here instead of at the addresses of the Services
    published: tuple[tuple[str, SocketAddress], ...] = ()  # "80/TCP", and where it is offered
    status_port: int | None = None  # diagnostics by TCP too
    clients: OutsideClients
    time_scale: float = 1.0
    hand_over: bool = True  # sockets are handed to nodes of this machine

    @property
    def socket(self) -> Path:
        """Where the diagnostics listen."""
        return self.run_dir / "gateway.sock"

    @classmethod
    def parse(cls, arguments: Sequence[str]) -> "GatewayConfig":
        """Read the command line; ConfigError says what is wrong."""
        options = _parser().parse_args(arguments)
        try:
            return cls(
                process=ProcessConfig.of(options, title="kubehop gateway"),
                api=options.api,
                kubeconfig=options.kubeconfig,
                run_dir=options.run_dir,
                cluster_key=options.cluster_key,
                bind=ip_of(options.bind) if options.bind else None,
                published=tuple(_published(each) for each in options.published),
                status_port=_port(options.status_port),
                clients=OutsideClients.parse(options.outside_clients),
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


def _published(text: str) -> tuple[str, SocketAddress]:
    port, equals, address = text.partition("=")
    number, slash, protocol = port.partition("/")
    if not equals or not number.isdecimal() or protocol.upper() not in ("TCP", "UDP"):
        raise ValueError(f"--published {text!r} is not PORT/TCP=IP:PORT or PORT/UDP=IP:PORT")
    return f"{int(number)}{slash}{protocol.upper()}", SocketAddress.parse(address)


def _port(number: int | None) -> int | None:
    if number is not None and not 0 <= number <= PORT_MAX:
        raise ValueError(f"--status-port {number} is not a port: 0 to {PORT_MAX}")
    return number


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m cluster.gateway", description="The cloud's load balancer."
    )
    add = parser.add_argument
    add("--api", required=True, metavar="unix:PATH|https://IP:PORT", help="the API server")
    add("--kubeconfig", type=Path, help="credentials for an https API")
    add("--run-dir", type=Path, required=True, help="where the diagnostics' socket goes")
    add("--cluster-key", type=Path, required=True, help="file of 32 bytes")
    add("--bind", metavar="HOST", help="listen here, not at the Services' own addresses")
    add(
        "--published",
        action="append",
        default=[],
        metavar="PORT/TCP=IP:PORT",
        help="where a container engine, or whatever is in between, offers a Service's port",
    )
    add("--status-port", type=int, metavar="PORT", help="serve the diagnostics by TCP too")
    add("--outside-clients", default=OUTSIDE_CLIENTS, metavar="REAL=EMULATED")
    add("--time-scale", type=float, default=1.0, help="multiplies Kubernetes' own periods")
    add(
        "--no-hand-over",
        dest="hand_over",
        action="store_false",
        help="relay connections to nodes instead of handing their sockets over",
    )
    ProcessConfig.add_arguments(parser)
    return parser
