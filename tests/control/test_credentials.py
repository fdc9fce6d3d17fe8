"""Kubeconfig and cluster key as they lie on disk."""

import stat
import time
from pathlib import Path

import pytest

from cluster.client.kubeconfig import read_kubeconfig
from cluster.errors import ConfigError
from control.certificates import Authority
from control.credentials import cluster_key, kubeconfig, write_kubeconfig


def test_the_kubeconfig_reads_back(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "pki", now=time.time())
    client = authority.client("kubernetes-admin", ["system:masters"])
    path = tmp_path / "state" / "kubeconfig"
    made = kubeconfig(
        name="demo",
        server="https://127.64.0.254:6443",
        authority=authority.certificate,
        client=client,
        token="secret",
    )
    write_kubeconfig(path, made)
    credentials = read_kubeconfig(path)
    assert credentials.server == "https://127.64.0.254:6443"
    assert credentials.ca_certificate == authority.certificate
    assert credentials.client_key == client.key.read_bytes()
    assert credentials.token == "secret"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "kubehop-demo" in path.read_text()
    credentials.tls()


def test_a_missing_key_is_made_once(tmp_path: Path) -> None:
    path = tmp_path / "run" / "cluster.key"
    key = cluster_key(path)
    assert len(key) == 32 and cluster_key(path) == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_key_of_another_length_is_refused(tmp_path: Path) -> None:
    (tmp_path / "cluster.key").write_bytes(b"short")
    with pytest.raises(ConfigError, match="has 5 bytes, not 32"):
        cluster_key(tmp_path / "cluster.key")
    assert cluster_key(None) == b""
