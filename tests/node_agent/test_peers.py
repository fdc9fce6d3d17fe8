"""Where other processes really are, as they say it on their objects."""

import logging
from types import SimpleNamespace
from typing import Any, cast

import pytest

from cluster.objects.resources import NODES, SERVICES
from cluster.wire.addresses import SocketAddress
from node_agent.peers import ADDRESS_ANNOTATION, TUNNEL_ANNOTATION, ClusterPeers

KUBELET = SocketAddress("172.30.0.2", 10250)
API = SocketAddress("10.96.0.1", 443)


@pytest.fixture
def nodes() -> dict[tuple[str, str], Any]:
    return {}


@pytest.fixture
def services() -> dict[tuple[str, str], Any]:
    return {}


@pytest.fixture
def peers(nodes: Any, services: Any) -> ClusterPeers:
    informers = {NODES: SimpleNamespace(objects=nodes), SERVICES: SimpleNamespace(objects=services)}
    view = cast(Any, SimpleNamespace(informers=informers))
    made = ClusterPeers(view, "node-1", "127.64.0.1")
    made.own_tunnel = SocketAddress("127.64.0.1", 4789)
    return made


def document(**annotations: str) -> dict[str, Any]:
    return {"metadata": {"annotations": annotations}}


def test_a_nodes_tunnel_is_where_it_says_and_may_move(peers: ClusterPeers, nodes: Any) -> None:
    assert peers.tunnel("node-2") is None
    for text in ("127.64.0.2:4789", "192.0.2.7:5000"):
        nodes["", "node-2"] = document(**{TUNNEL_ANNOTATION: text})
        assert peers.tunnel("node-2") == SocketAddress.parse(text)
    assert peers.tunnel("node-1") == SocketAddress("127.64.0.1", 4789)


def test_what_cannot_be_read_is_no_address_and_logged(
    peers: ClusterPeers, nodes: Any, caplog: pytest.LogCaptureFixture
) -> None:
    nodes["", "node-2"] = document(**{TUNNEL_ANNOTATION: "somewhere"})
    with caplog.at_level(logging.WARNING):
        assert peers.tunnel("node-2") is None
    assert TUNNEL_ANNOTATION in caplog.text
    nodes["", "node-3"] = {"metadata": {"annotations": None}}
    assert peers.tunnel("node-3") is None


def test_a_processes_real_address_behind_its_emulated_one(
    peers: ClusterPeers, nodes: Any, services: Any
) -> None:
    assert peers.host("node-1", KUBELET) == SocketAddress("127.64.0.1", 10250)
    assert peers.host("node-2", KUBELET) is None and peers.host("", API) is None
    nodes["", "node-2"] = document(**{ADDRESS_ANNOTATION: "127.64.0.2"})
    assert peers.host("node-2", KUBELET) == SocketAddress("127.64.0.2", 10250)
    services["default", "kubernetes"] = document(**{ADDRESS_ANNOTATION: "127.64.0.254:6443"})
    assert peers.host("", API) == SocketAddress("127.64.0.254", 6443)
