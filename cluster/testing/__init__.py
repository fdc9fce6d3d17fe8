"""The pytest plugin: a real cluster as a fixture (entry point pytest11, `cluster.testing.plugin`).

Tests import from here what they catch and annotate with:

    from cluster.testing import ClusterUnderTest, Unreached
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cluster.testing.kubectl import KubectlFailed as KubectlFailed
    from cluster.testing.under_test import Answer as Answer
    from cluster.testing.under_test import ClusterUnderTest as ClusterUnderTest
    from cluster.testing.under_test import DatagramAnswer as DatagramAnswer
    from cluster.trace.query import Query as Query
    from cluster.traffic.traces import NoTrace as NoTrace
    from cluster.traffic.unreached import Unreached as Unreached

__all__ = [
    "Answer",
    "ClusterUnderTest",
    "DatagramAnswer",
    "KubectlFailed",
    "NoTrace",
    "Query",
    "Unreached",
]

_HOMES = {
    "Answer": "cluster.testing.under_test",
    "ClusterUnderTest": "cluster.testing.under_test",
    "DatagramAnswer": "cluster.testing.under_test",
    "KubectlFailed": "cluster.testing.kubectl",
    "NoTrace": "cluster.traffic.traces",
    "Query": "cluster.trace.query",
    "Unreached": "cluster.traffic.unreached",
}


def __getattr__(name: str) -> Any:
    """Import on first use: pytest loads this package even where no test wants a cluster."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
