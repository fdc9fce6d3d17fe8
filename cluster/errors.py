"""The exception tree: one root, and a class for each party whose fault it is.

Pure: no I/O.
Messages hold the values and what to do: "node-9 is not a node of this cluster; nodes: node-1".
"""

from collections.abc import Mapping
from typing import Any


class ClusterError(Exception):
    """The root of every error that kubehop raises on purpose."""


class ConfigError(ClusterError):
    """A setting, argument or manifest is wrong: the user can mend it. Exit status 2."""


class WireError(ClusterError):
    """A peer broke a format: close that link with this reason, keep everything else."""


class PoolExhausted(ClusterError):
    """A pool of addresses or ports has nothing left to give."""


class ApiError(ClusterError):
    """The Kubernetes API said no; carries the `metav1.Status` it said so with."""

    def __init__(self, status: Mapping[str, Any]) -> None:
        super().__init__(str(status.get("message", "the API gave no message")))
        self.status = dict(status)

    @property
    def code(self) -> int:
        """The HTTP status code, such as 404."""
        return int(self.status.get("code", 500))

    @property
    def reason(self) -> str:
        """The machine-readable reason, such as NotFound, Conflict, Expired."""
        return str(self.status.get("reason", ""))
