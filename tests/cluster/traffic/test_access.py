"""The way to a cluster's processes, with and without its API server."""

from pathlib import Path
from typing import Any

import pytest

from cluster.errors import ConfigError
from cluster.objects.resources import DEPLOYMENTS, NODES, PODS
from cluster.traffic.access import Access, Station
from cluster.traffic.place import Place


async def test_processes_with_diagnostics_are_the_sockets_of_the_run_directory(
    access: Access, tmp_path: Path
) -> None:
    for name in ("node-1", "gateway", "dns", "control", "launcher", "zygote"):
        (tmp_path / f"{name}.sock").touch()
    found = await access.endpoints()
    assert set(found) == {"node-1", "gateway", "dns"}
    assert found["dns"] == f"unix:{tmp_path}/dns.sock"


async def test_between_machines_nodes_announce_their_kubelets(
    access: Access, api: Any, made: Any
) -> None:
    """docs/architecture.md: the annotation kubehop.dev/kubelet."""
    where = "https://192.0.2.7:10250"
    api.put(NODES, made.node(1, **{"kubehop.dev/kubelet": where}))
    api.put(NODES, made.node(2))
    assert await access.endpoints() == {"node-1": where}
    assert await access.kubelet("node-1") == where
    with pytest.raises(ConfigError, match="node-2 has not announced its kubelet"):
        await access.kubelet("node-2")
    with pytest.raises(ConfigError, match=r"node-9 is not a node.*nodes: node-1, node-2"):
        await access.kubelet("node-9")


async def test_who_brings_credentials_asks_kubelets_of_other_machines_too(
    api: Any, made: Any, tmp_path: Path
) -> None:
    """A container has the socket of its own process; the others' kubelets announce themselves."""
    own, where = tmp_path / "node-1.sock", "https://192.0.2.7:10250#sha256:00"
    own.touch()
    for number in (1, 2):
        api.put(NODES, made.node(number, **{"kubehop.dev/kubelet": where}))
    access = Access(tmp_path, api, headers={"Authorization": "Bearer token"})
    assert await access.endpoints() == {"node-1": f"unix:{own}", "node-2": where}
    api.silent = True
    assert await access.endpoints() == {"node-1": f"unix:{own}"}
    own.unlink()
    with pytest.raises(ConnectionError):
        await access.endpoints()


async def test_a_kubelet_of_this_machine_is_found_without_the_api(
    access: Access, api: Any, tmp_path: Path
) -> None:
    api.silent = True
    (tmp_path / "node-1.sock").touch()
    assert await access.kubelet("node-1") == f"unix:{tmp_path}/node-1.sock"


async def test_without_the_api_an_outside_client_knows_no_names(access: Access, api: Any) -> None:
    api.silent = True
    known = await access.known()
    assert known.services == () and known.nodes == ()


async def test_a_pod_stands_on_its_node(access: Access, shop: Any, made: Any) -> None:
    found = await access.station(Place.parse("pod/shop/web"))
    assert found == Station(node="node-1", origin="pod/shop/web", ip=made.pod_ip)


async def test_a_pod_that_is_not_there_or_not_placed_is_said(
    access: Access, shop: Any, made: Any
) -> None:
    with pytest.raises(ConfigError, match="no pod cart in namespace shop; pods: web"):
        await access.station(Place.parse("pod/shop/cart"))
    with pytest.raises(ConfigError, match="namespace default; pods: none"):
        await access.station(Place.parse("pod/cart"))
    shop.put(PODS, made.pod("waiting", node=""))
    with pytest.raises(ConfigError, match="shop/waiting is on no node yet"):
        await access.station(Place.parse("pod/shop/waiting"))


async def test_with_the_api_dead_the_kubelets_are_asked_for_a_pod(
    access: Access, api: Any, machine: Any, made: Any
) -> None:
    """The data plane outlives the control plane, and so do requests from pods."""
    api.silent = True
    await machine.process("gateway")
    await machine.process("node-0")
    await machine.stop("node-0")
    await machine.kubelet("node-2")
    found = await access.station(Place.parse("pod/shop/web"))
    assert found == Station(node="node-2", origin="pod/shop/web", ip=made.pod_ip)
    with pytest.raises(ConfigError, match="no kubelet runs pod/shop/other"):
        await access.station(Place.parse("pod/shop/other"))


async def test_a_deployment_stands_where_its_first_ready_pod_stands(
    access: Access, api: Any, made: Any
) -> None:
    selector = {"matchLabels": {"app": "cart"}}
    metadata = {"name": "cart", "namespace": "shop"}
    api.put(DEPLOYMENTS, {"metadata": metadata, "spec": {"selector": selector}})
    place = Place.parse("deploy/shop/cart")
    with pytest.raises(ConfigError, match="kubectl get pods -l app=cart"):
        await access.station(place)
    api.put(PODS, made.pod("cart-a", node="node-1", ready=False, app="cart"))
    assert (await access.station(place)).origin == "pod/shop/cart-a"
    leaving = made.pod("cart-b", node="node-2", app="cart")
    leaving["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    api.put(PODS, leaving)
    api.put(PODS, made.pod("cart-c", node="node-2", app="cart"))
    api.put(PODS, made.pod("blog", node="node-3", app="blog"))
    assert (await access.station(place)).origin == "pod/shop/cart-c"


async def test_a_node_sends_by_its_internal_address(access: Access, api: Any, shop: Any) -> None:
    place = Place.parse("node/node-1")
    assert await access.station(place) == Station(node="node-1", origin="node", ip="172.30.0.1")
    api.silent = True
    assert (await access.station(place)).ip == ""
