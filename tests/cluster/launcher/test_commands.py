"""The command lines of a cluster's processes (docs/architecture.md, "Processes")."""

import importlib
from pathlib import Path

import pytest

from cluster.dns.config import DnsConfig
from cluster.gateway.config import GatewayConfig
from cluster.launcher.commands import Addresses, Command, commands
from cluster.launcher.places import Places
from cluster.launcher.spec import ClusterSpec
from cluster.launcher.zygote import MODULES
from control.config import ControlConfig
from node_agent.config import AgentConfig

PLACES = Places(Path("/run/demo"), Path("/state/demo"), Path("/state/pki"))


def named(spec: ClusterSpec, slot: int = 7) -> dict[str, Command]:
    return {each.name: each for each in commands(spec, PLACES, Addresses(slot))}


def option(command: Command, name: str) -> list[str]:
    words = command.arguments
    return [words[index + 1] for index, word in enumerate(words) if word == name]


def test_the_control_plane_comes_first_then_nodes_then_who_serves_the_host():
    assert list(named(ClusterSpec())) == ["control", "node-1", "node-2", "node-3", "gateway", "dns"]


def test_gateway_and_dns_can_be_left_out():
    assert list(named(ClusterSpec(nodes=1, gateway=False, dns=False))) == ["control", "node-1"]


def test_every_address_is_of_the_clusters_own_slot():
    found = named(ClusterSpec(), slot=7)
    assert option(found["control"], "--bind") == ["127.64.7.254:6443"]
    assert option(found["control"], "--load-balancer-addresses") == ["127.65.7.0/24"]
    assert option(found["dns"], "--bind") == ["127.64.7.254:10053"]
    assert option(found["node-2"], "--bind") == ["127.64.7.2"]
    assert option(found["node-2"], "--internal-ip") == ["172.30.0.2"]


def test_ports_that_others_leave_free_are_the_clusters():
    found = {
        each.name: each for each in commands(ClusterSpec(), PLACES, Addresses(7, 16443, 20053))
    }
    assert option(found["control"], "--bind") == ["127.64.7.254:16443"]
    assert option(found["dns"], "--bind") == ["127.64.7.254:20053"]


def test_a_store_is_a_file_or_nothing_that_stays():
    assert option(named(ClusterSpec())["control"], "--data") == ["/state/demo/store.db"]
    assert option(named(ClusterSpec(durable=False))["control"], "--data") == [":memory:"]


def test_requests_are_written_down_where_that_is_asked_for():
    (path,) = option(named(ClusterSpec(audit=True))["control"], "--audit-log")
    assert path.endswith("logs/audit.log")
    assert "--audit-log" not in named(ClusterSpec())["control"].arguments


def test_images_and_zones_reach_the_nodes():
    found = named(ClusterSpec(images=("a=echo", "b=http"), zones=("east", "west")))
    assert option(found["node-1"], "--image") == ["a=echo", "b=http"]
    assert [option(found[f"node-{n}"], "--zone") for n in (1, 2)] == [["east"], ["west"]]
    assert option(named(ClusterSpec())["node-1"], "--zone") == []


def test_programs_are_found_from_anywhere():
    found = named(ClusterSpec(app_dir=Path("apps")))
    assert Path(option(found["node-1"], "--app-dir")[0]).is_absolute()


def test_every_process_says_what_it_is_and_logs_to_a_file_of_its_own():
    for name, command in named(ClusterSpec(name="demo")).items():
        assert option(command, "--title") == [f"kubehop {name} (demo)"]
        assert option(command, "--log-file") == [f"/state/demo/logs/{name}.log"]


@pytest.mark.parametrize(
    ("name", "parse"),
    [
        ("control", ControlConfig.parse),
        ("node-1", AgentConfig.parse),
        ("gateway", GatewayConfig.parse),
        ("dns", DnsConfig.parse),
    ],
)
def test_every_process_understands_what_it_is_told(name, parse, tmp_path: Path):
    places = Places(tmp_path / "run", tmp_path / "state", tmp_path / "pki")
    places.make()
    places.key_file.write_bytes(b"k" * 32)
    spec = ClusterSpec(app_dir=tmp_path, images=("a=echo",), zones=("east",), time_scale=0.5)
    found = {each.name: each for each in commands(spec, places, Addresses(7))}
    assert parse(found[name].arguments).process.title == f"kubehop {name} (default)"


def test_every_process_is_one_that_the_zygote_has_imported():
    modules = {each.module for each in named(ClusterSpec()).values()}
    assert modules == {each for each in MODULES if each.endswith("__main__")}
    assert all(callable(importlib.import_module(each).main) for each in modules)


def test_more_nodes_than_a_byte_counts_have_smaller_shares_and_addresses_beside():
    few, many = named(ClusterSpec(nodes=255)), named(ClusterSpec(nodes=300), slot=7)
    assert option(few["control"], "--node-cidr-mask-size") == []
    assert option(many["control"], "--node-cidr-mask-size") == ["25"]
    assert option(many["node-300"], "--bind") == ["127.67.7.50"]
    assert option(many["node-300"], "--internal-ip") == ["172.30.1.50"]
