"""Reads the parts of a kubeconfig that a kubehop process needs, and makes TLS of them.

kubectl's own format (https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/): the current
context's cluster and user; data inline or in files; a client certificate or a bearer token.
"""

import base64
import binascii
import ssl
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cluster.dataclass import dataclass
from cluster.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Credentials:
    """How to reach an API server and as whom."""

    server: str  # https://IP:PORT
    ca_certificate: bytes | None  # PEM
    client_certificate: bytes | None = None  # PEM
    client_key: bytes | None = None  # PEM
    token: str | None = None

    def tls(self) -> ssl.SSLContext:
        """A context that trusts that cluster alone and shows the client certificate, if any."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if self.ca_certificate is not None:
            context.load_verify_locations(cadata=self.ca_certificate.decode("ascii"))
        if self.client_certificate and self.client_key:
            # ssl reads key pairs from files only; the file is private and gone at once
            with tempfile.NamedTemporaryFile() as pair:
                pair.write(self.client_certificate + b"\n" + self.client_key)
                pair.flush()
                context.load_cert_chain(pair.name)
        return context


def read_kubeconfig(path: Path) -> Credentials:
    """The current context of a kubeconfig; ConfigError says what is wrong with it."""
    import yaml

    try:
        document = yaml.safe_load(path.read_text())
    except OSError as error:
        raise ConfigError(f"cannot read the kubeconfig {path}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"the kubeconfig {path} is not YAML: {error}") from error
    if not isinstance(document, dict):
        raise ConfigError(f"the kubeconfig {path} holds no mapping")
    return _credentials(document, path)


def _credentials(document: Mapping[str, Any], path: Path) -> Credentials:
    context = _named(document, "contexts", "context", str(document.get("current-context")), path)
    cluster = _named(document, "clusters", "cluster", str(context.get("cluster")), path)
    user = _named(document, "users", "user", str(context.get("user")), path)
    return Credentials(
        server=str(cluster.get("server", "")).rstrip("/"),
        ca_certificate=_data(cluster, "certificate-authority", path),
        client_certificate=_data(user, "client-certificate", path),
        client_key=_data(user, "client-key", path),
        token=user.get("token"),
    )


def _named(
    document: Mapping[str, Any], lists: str, entry: str, name: str, path: Path
) -> Mapping[str, Any]:
    for each in document.get(lists) or ():
        if each.get("name") == name:
            return each.get(entry) or {}
    raise ConfigError(f"the kubeconfig {path} has no {entry} named {name!r}")


def _data(holder: Mapping[str, Any], key: str, path: Path) -> bytes | None:
    inline = holder.get(f"{key}-data")
    try:
        if inline:
            return base64.b64decode(inline, validate=True)
        if holder.get(key):
            return (path.parent / str(holder[key])).read_bytes()
    except (OSError, binascii.Error) as error:
        raise ConfigError(f"the kubeconfig {path} has an unreadable {key}: {error}") from error
    return None
