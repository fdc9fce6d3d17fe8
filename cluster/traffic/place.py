"""A place in the cluster network that traffic can be sent from.

    internet                     an outside client, 203.0.113.1 as everybody who says nothing else
    203.0.113.7                  that outside client; its connections come from real 127.66.0.7
    pod/NAME, pod/NAMESPACE/NAME a pod, by its own network and names
    deploy/NAME                  a pod of a Deployment, one that is ready
    node/NAME                    a process of a node, outside of any pod

Pure: text in, a value out. Source: docs/architecture.md, "Addresses".
"""

import ipaddress
from enum import StrEnum

from cluster.dataclass import dataclass
from cluster.errors import ConfigError
from cluster.wire.clients import OutsideClients

DEFAULT_NAMESPACE = "default"
FORMS = "internet, 203.0.113.N, pod/NAME, pod/NAMESPACE/NAME, deploy/NAME, node/NAME"


class PlaceKind(StrEnum):
    """What traffic is sent from."""

    INTERNET = "internet"
    POD = "pod"
    DEPLOYMENT = "deploy"
    NODE = "node"


_KINDS = {
    "pod": PlaceKind.POD,
    "po": PlaceKind.POD,
    "deploy": PlaceKind.DEPLOYMENT,
    "deployment": PlaceKind.DEPLOYMENT,
    "node": PlaceKind.NODE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a request comes from; short names of Services are looked up in `namespace`."""

    kind: PlaceKind
    name: str = ""  # of the pod, Deployment or node; an outside client's address, "" for anybody
    namespace: str = DEFAULT_NAMESPACE

    def __str__(self) -> str:
        match self.kind:
            case PlaceKind.INTERNET:
                return self.name or "internet"
            case PlaceKind.NODE:
                return f"node/{self.name}"
            case _:
                return f"{self.kind}/{self.namespace}/{self.name}"

    @classmethod
    def parse(
        cls,
        text: str,
        namespace: str = DEFAULT_NAMESPACE,
        *,
        clients: OutsideClients | None = None,
    ) -> "Place":
        """Read one of the forms above; ConfigError names them."""
        if text == "internet":
            return cls(kind=PlaceKind.INTERNET, namespace=namespace)
        head, slash, rest = text.partition("/")
        if not slash:
            return cls(
                kind=PlaceKind.INTERNET,
                name=_client(text, clients or OutsideClients.parse()),
                namespace=namespace,
            )
        kind = _KINDS.get(head)
        names = rest.split("/")
        if kind is None or "" in names or len(names) > (1 if kind is PlaceKind.NODE else 2):
            raise _unknown(text)
        return cls(kind=kind, name=names[-1], namespace=names[0] if len(names) == 2 else namespace)


def _client(text: str, clients: OutsideClients) -> str:
    """An address that an outside client can have."""
    try:
        address = str(ipaddress.ip_address(text))
    except ValueError:
        raise _unknown(text) from None
    if clients.source_of(address) is None:
        outside = clients.emulated.text
        raise ConfigError(f"{address} is no outside client's address: those are in {outside}")
    return address


def _unknown(text: str) -> ConfigError:
    return ConfigError(f"{text!r} is no place to send from; a place is one of {FORMS}")
