"""What the control plane writes down for others: the kubeconfig and the cluster key."""

import base64
import json
from pathlib import Path
from typing import Any

from cluster.errors import ConfigError
from control.certificates import Pair, write_private
from control.config import CLUSTER_KEY_BYTES


def write_kubeconfig(path: Path, document: dict[str, Any]) -> None:
    """Write a kubeconfig for its owner alone; JSON is YAML, kubectl reads and rewrites it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_private(path, json.dumps(document, indent=2).encode() + b"\n")


def kubeconfig(
    *, name: str, server: str, authority: bytes, client: Pair, token: str = ""
) -> dict[str, Any]:
    """A kubeconfig for whom a certificate is for, and a token if there is one; all inline."""
    entry = f"kubehop-{name}"
    user = {
        "client-certificate-data": _base64(client.certificate.read_bytes()),
        "client-key-data": _base64(client.key.read_bytes()),
    }
    if token:
        user["token"] = token
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": entry,
                "cluster": {"server": server, "certificate-authority-data": _base64(authority)},
            }
        ],
        "users": [{"name": entry, "user": user}],
        "contexts": [{"name": entry, "context": {"cluster": entry, "user": entry}}],
        "current-context": entry,
        "preferences": {},
    }


def cluster_key(path: Path | None) -> bytes:
    """The key of the cluster's tunnels; made where the file is missing, b"" without a file."""
    if path is None:
        return b""
    try:
        if not path.exists():
            import secrets

            path.parent.mkdir(parents=True, exist_ok=True)
            write_private(path, secrets.token_bytes(CLUSTER_KEY_BYTES))
        key = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"the cluster key {path} cannot be made or read: {error}") from error
    if len(key) != CLUSTER_KEY_BYTES:
        raise ConfigError(f"the cluster key {path} has {len(key)} bytes, not {CLUSTER_KEY_BYTES}")
    return key


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")
