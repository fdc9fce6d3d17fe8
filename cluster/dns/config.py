"""What the cluster's DNS is told: where the API is, where to listen.

Source: docs/architecture.md, "Processes".
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from cluster.aio.hosts import HostPort
from cluster.aio.process import ProcessConfig
from cluster.dataclass import dataclass
from cluster.dns.zone import PodNames, ZoneSettings
from cluster.errors import ConfigError
from cluster.wire.addresses import SocketAddress

DNS_PORT = 53


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsConfig:
    """The DNS as seen from the host."""

    process: ProcessConfig
    api: str  # unix:PATH or https://IP:PORT
    kubeconfig: Path | None
    run_dir: Path
    bind: SocketAddress
    forward: tuple[SocketAddress, ...] = ()
    zone: ZoneSettings
    time_scale: float = 1.0

    @property
    def socket(self) -> Path:
        """Where the diagnostics listen."""
        return self.run_dir / "dns.sock"

    @classmethod
    def parse(cls, arguments: Sequence[str]) -> "DnsConfig":
        """Read the command line; ConfigError says what is wrong."""
        options = _parser().parse_args(arguments)
        try:
            bind = HostPort.parse(options.bind).resolve()
            return cls(
                process=ProcessConfig.of(options, title="kubehop dns"),
                api=options.api,
                kubeconfig=options.kubeconfig,
                run_dir=options.run_dir,
                bind=bind,
                forward=tuple(
                    SocketAddress.parse(each, default_port=DNS_PORT) for each in options.forward
                ),
                zone=ZoneSettings(
                    domain=options.cluster_domain.strip(".").lower(),
                    ttl=options.ttl,
                    pods=PodNames(options.pods),
                    addresses=(bind.ip,),
                    outside_empty=True,
                ),
                time_scale=options.time_scale,
            )
        except ValueError as error:
            raise ConfigError(str(error)) from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m cluster.dns", description="The cluster's DNS as seen from the host."
    )
    add = parser.add_argument
    add("--api", required=True, metavar="unix:PATH|https://IP:PORT", help="the API server")
    add("--kubeconfig", type=Path, help="credentials for an https API")
    add("--run-dir", type=Path, required=True, help="where the diagnostics' socket goes")
    add("--bind", required=True, metavar="HOST:PORT", help="where DNS listens, UDP and TCP")
    add("--forward", action="append", default=[], metavar="IP[:PORT]", help="asked for other names")
    add("--cluster-domain", default="cluster.local")
    add("--ttl", type=_ttl, default=ZoneSettings().ttl, help="of the answers, 0 to 3600 seconds")
    add("--pods", choices=list(PodNames), default=PodNames.INSECURE, help="names of pods")
    add("--time-scale", type=float, default=1.0, help="multiplies Kubernetes' own periods")
    ProcessConfig.add_arguments(parser)
    return parser


def _ttl(text: str) -> int:
    if not text.isdecimal() or int(text) > 3600:
        raise argparse.ArgumentTypeError(f"{text} is not a number of seconds from 0 to 3600")
    return int(text)
