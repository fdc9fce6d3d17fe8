"""The command line of each process of a cluster.

Pure: a spec and addresses in, arguments out. Source: docs/architecture.md, "Processes".
"""

from cluster.dataclass import dataclass
from cluster.launcher.places import Places
from cluster.launcher.spec import ClusterSpec
from cluster.wire.clients import emulated_address, real_address

CONTROL_HOST = 254
NODES_OF_A_256TH = 255  # of the pod range: the first share is given last
MASK_OF_MANY = 25  # 126 pods a node, more than a kubelet takes


@dataclass(frozen=True, slots=True)
class Command:
    """One process: its name, its module with `main`, what it is told."""

    name: str
    module: str
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Addresses:
    """The real addresses of one slot, and the ports of who serves the host there."""

    slot: int
    api_port: int = 6443
    dns_port: int = 10053

    def node(self, number: int) -> str:
        """A node's."""
        return real_address(self.slot, number)

    @property
    def control(self) -> str:
        """The control plane's."""
        return f"127.64.{self.slot}.{CONTROL_HOST}"

    @property
    def load_balancers(self) -> str:
        """The range of load balancers."""
        return f"127.65.{self.slot}.0/24"


def commands(spec: ClusterSpec, places: Places, addresses: Addresses) -> list[Command]:
    """Every process, control first."""
    nodes = [_node(spec, places, addresses, number) for number in range(1, spec.nodes + 1)]
    found = [_control(spec, places, addresses), *nodes]
    if spec.gateway:
        found.append(_gateway(spec, places))
    if spec.dns:
        found.append(_dns(spec, places, addresses))
    return found


def _control(spec: ClusterSpec, places: Places, addresses: Addresses) -> Command:
    arguments = [
        *("--bind", f"{addresses.control}:{addresses.api_port}"),
        *("--socket", str(places.control_socket)),
        *("--data", str(places.store) if spec.durable else ":memory:"),
        *("--pki", str(places.pki)),
        *("--kubeconfig", str(places.kubeconfig)),
        *("--cluster-key", str(places.key_file)),
        *(("--audit-log", str(places.audit_log)) if spec.audit else ()),
        *("--name", spec.name),
        *("--load-balancer-addresses", addresses.load_balancers),
        *(("--node-cidr-mask-size", str(MASK_OF_MANY)) if spec.nodes > NODES_OF_A_256TH else ()),
        *_common(spec, places, "control"),
    ]
    return Command("control", "control.__main__", tuple(arguments))


def _node(spec: ClusterSpec, places: Places, addresses: Addresses, number: int) -> Command:
    name = f"node-{number}"
    zone = spec.zone_of(number)
    arguments = [
        *("--name", name),
        *("--bind", addresses.node(number)),
        *("--internal-ip", emulated_address(number)),
        *_api(places),
        *("--app-dir", str(spec.app_dir.absolute())),
        *(("--zone", zone) if zone else ()),
        *(part for image in spec.images for part in ("--image", image)),
        *_relaying(spec),
        *_common(spec, places, name),
    ]
    return Command(name, "node_agent.__main__", tuple(arguments))


def _gateway(spec: ClusterSpec, places: Places) -> Command:
    arguments = (*_api(places), *_relaying(spec), *_common(spec, places, "gateway"))
    return Command("gateway", "cluster.gateway.__main__", arguments)


def _dns(spec: ClusterSpec, places: Places, addresses: Addresses) -> Command:
    arguments = [
        *("--api", f"unix:{places.control_socket}"),
        *("--run-dir", str(places.run_dir)),
        *("--bind", f"{addresses.control}:{addresses.dns_port}"),
        *_common(spec, places, "dns"),
    ]
    return Command("dns", "cluster.dns.__main__", tuple(arguments))


def _relaying(spec: ClusterSpec) -> tuple[str, ...]:
    return () if spec.hand_over else ("--no-hand-over",)


def _api(places: Places) -> tuple[str, ...]:
    return (
        *("--api", f"unix:{places.control_socket}"),
        *("--run-dir", str(places.run_dir)),
        *("--cluster-key", str(places.key_file)),
    )


def _common(spec: ClusterSpec, places: Places, name: str) -> tuple[str, ...]:
    return (
        *("--title", f"kubehop {name} ({spec.name})"),
        *("--log-file", str(places.logs / f"{name}.log")),
        *("--time-scale", f"{spec.time_scale:g}"),
    )
