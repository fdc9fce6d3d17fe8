"""What a cluster is to be: the launcher's only input.

Pure: values, and JSON for the way into the launcher's process.
"""

import json
import re
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from cluster.dataclass import dataclass
from cluster.errors import ConfigError
from cluster.wire.clients import NODES_MAX

NAME_LENGTH_MAX = 40
AUTHORITY = "pki"  # beside the clusters' directories
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterSpec:
    """One cluster."""

    name: str = "default"
    nodes: int = 3
    manifests: tuple[Path, ...] = ()
    images: tuple[str, ...] = ()  # PATTERN=WORKLOAD
    app_dir: Path = Path()  # where python:// programs are found
    durable: bool = True  # False: the store is gone with the cluster, for tests
    dns: bool = True  # the cluster's names for the host too
    gateway: bool = True
    audit: bool = False  # write down each request to the API
    hand_over: bool = True  # sockets change hands; False: every connection is relayed
    time_scale: float = 1.0
    zones: tuple[str, ...] = ()  # given to the nodes in turn

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or len(self.name) > NAME_LENGTH_MAX:
            raise ConfigError(
                f"{self.name!r} is no name for a cluster: at most {NAME_LENGTH_MAX} of a-z, 0-9 "
                "and '-', such as demo-2"
            )
        if self.name == AUTHORITY:
            raise ConfigError(
                f"no cluster may be called {AUTHORITY!r}: the directory of that name holds the "
                "certificate authority of all of them"
            )
        if not 1 <= self.nodes <= NODES_MAX:
            raise ConfigError(f"{self.nodes} nodes: a cluster has 1 to {NODES_MAX}")
        if self.time_scale <= 0:
            raise ConfigError(f"a time scale of {self.time_scale}: it must be more than 0")

    @property
    def node_names(self) -> tuple[str, ...]:
        """node-1 and so on."""
        return tuple(f"node-{number}" for number in range(1, self.nodes + 1))

    def zone_of(self, number: int) -> str:
        """The zone of node `number`, counted from 1."""
        return self.zones[(number - 1) % len(self.zones)] if self.zones else ""

    def to_json(self) -> str:
        """For the launcher's process."""
        return json.dumps(asdict(self), default=str)

    @classmethod
    def from_json(cls, text: str) -> "ClusterSpec":
        """Read what `to_json` wrote."""
        given: dict[str, Any] = json.loads(text)
        known = {each.name for each in fields(cls)}
        document = {name: value for name, value in given.items() if name in known}
        for name in ("manifests", "images", "zones"):
            document[name] = tuple(document.get(name, ()))
        document["manifests"] = tuple(Path(each) for each in document["manifests"])
        document["app_dir"] = Path(document.get("app_dir", "."))
        return cls(**document)
