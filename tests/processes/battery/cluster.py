"""The cluster that the sessions run against, and their namespaces in it."""

import json
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import yaml

from cluster.testing.guard import Guard
from cluster.testing.names import cluster_name
from cluster.testing.start import apart, start, stop
from cluster.testing.under_test import ClusterUnderTest
from cluster.testing.wishes import Wishes

NODES = 2
TIME_SCALE = 0.1
CLIENTS = ("kubectl", "helm")


class BatteryCluster:
    """A cluster for many sessions."""

    def __init__(self, made: ClusterUnderTest, directory: Path) -> None:
        self._made = made
        self._directory = directory

    def make_namespace(self, name: str) -> None:
        """One for a session, as an administrator makes it."""
        self._ask("POST", "/api/v1/namespaces", {"metadata": {"name": name}})

    def drop_namespace(self, name: str) -> None:
        """It goes in its own time."""
        self._ask("DELETE", f"/api/v1/namespaces/{name}")

    def apply(self, manifest: str) -> None:
        """Create what a manifest says, and wait until all is settled."""
        apart(self._made.apply(manifest))

    def kubeconfig_for(self, namespace: str) -> Path:
        """The cluster's kubeconfig, with a namespace chosen in it."""
        document = yaml.safe_load(self._made.kubeconfig.read_text())
        for each in document["contexts"]:
            each["context"]["namespace"] = namespace
        path = self._directory / f"{namespace}.yaml"
        path.write_text(yaml.safe_dump(document))
        return path

    def _ask(self, method: str, path: str, body: Any = None) -> None:
        connection = HTTPConnection("localhost", timeout=30)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(str(self._made.running.places.control_socket))
        content = None if body is None else json.dumps(body)
        connection.request(method, path, content, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        assert answer.status < 300, f"{method} {path}: {answer.status} {text.decode()}"

    def requests(self, namespace: str) -> list[dict[str, Any]]:
        """What kubectl and helm asked about a namespace, where `up` was told to write it down."""
        lines = map(json.loads, self._made.running.places.audit_log.read_bytes().splitlines())
        return [
            line
            for line in lines
            if f"/namespaces/{namespace}" in line["requestURI"]
            and line["userAgent"].partition("/")[0].lower() in CLIENTS
        ]


@contextmanager
def up(*, audit: bool = False) -> Iterator[BatteryCluster]:
    """A cluster, up and settled; nothing of it is left afterwards."""
    directory = Path(tempfile.mkdtemp(prefix="kh-battery-"))
    guard = Guard()
    made: ClusterUnderTest | None = None
    try:
        wishes = Wishes(nodes=NODES, time_scale=TIME_SCALE, audit=audit)
        made = start(cluster_name("battery", os.getpid(), 1), wishes, guard)
        yield BatteryCluster(made, directory)
    finally:
        if made is not None:
            stop(made)
        guard.close()
        shutil.rmtree(directory)
