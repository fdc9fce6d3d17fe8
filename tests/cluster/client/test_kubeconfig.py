"""Kubeconfigs as kubectl writes them."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from cluster.client.kubeconfig import read_kubeconfig
from cluster.errors import ConfigError


def written(path: Path, **changes: Any) -> Path:
    document: dict[str, Any] = {
        "current-context": "here",
        "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [
            {
                "name": "c",
                "cluster": {
                    "server": "https://127.0.0.1:6443/",
                    "certificate-authority-data": base64.b64encode(b"CA").decode(),
                },
            }
        ],
        "users": [{"name": "u", "user": {"token": "secret"}}],
        **changes,
    }
    file = path / "kubeconfig"
    file.write_text(json.dumps(document))
    return file


def test_the_current_context_is_read(tmp_path: Path) -> None:
    credentials = read_kubeconfig(written(tmp_path))
    assert credentials.server == "https://127.0.0.1:6443"
    assert credentials.ca_certificate == b"CA"
    assert credentials.token == "secret" and credentials.client_key is None


def test_data_may_lie_in_files_beside_it(tmp_path: Path) -> None:
    (tmp_path / "u.crt").write_bytes(b"CERT")
    (tmp_path / "u.key").write_bytes(b"KEY")
    users = [{"name": "u", "user": {"client-certificate": "u.crt", "client-key": "u.key"}}]
    credentials = read_kubeconfig(written(tmp_path, users=users))
    assert (credentials.client_certificate, credentials.client_key) == (b"CERT", b"KEY")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"current-context": "there"}, "no context named 'there'"),
        ({"users": []}, "no user named 'u'"),
        ({"clusters": None}, "no cluster named 'c'"),
        (
            {"users": [{"name": "u", "user": {"client-key-data": "%%"}}]},
            "unreadable client-key",
        ),
        (
            {"users": [{"name": "u", "user": {"client-key": "missing"}}]},
            "unreadable client-key",
        ),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        read_kubeconfig(written(tmp_path, **changes))


def test_a_file_that_is_none_or_no_yaml_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read the kubeconfig"):
        read_kubeconfig(tmp_path / "missing")
    (tmp_path / "list").write_text("[1, 2]")
    with pytest.raises(ConfigError, match="holds no mapping"):
        read_kubeconfig(tmp_path / "list")
    (tmp_path / "broken").write_text("a: [")
    with pytest.raises(ConfigError, match="is not YAML"):
        read_kubeconfig(tmp_path / "broken")
