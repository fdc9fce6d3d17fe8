"""What a cluster is to be."""

from pathlib import Path

import pytest

from cluster.errors import ConfigError
from cluster.launcher.places import Places
from cluster.launcher.spec import NAME_LENGTH_MAX, NODES_MAX, ClusterSpec


def test_a_spec_without_a_word_is_three_nodes_and_all_processes():
    spec = ClusterSpec()
    assert spec.node_names == ("node-1", "node-2", "node-3")
    assert (spec.name, spec.gateway, spec.dns, spec.durable) == ("default", True, True, True)


@pytest.mark.parametrize("name", ["", "Demo", "-demo", "demo-", "a_b", "a/b", "..", "a" * 41])
def test_a_name_that_could_not_name_directories_is_refused(name: str):
    with pytest.raises(ConfigError, match=r"is no name for a cluster"):
        ClusterSpec(name=name)


def test_no_cluster_has_the_name_of_what_its_end_would_take_from_the_others():
    with pytest.raises(ConfigError, match=r"no cluster may be called 'pki'"):
        ClusterSpec(name=Places.of("demo").pki.name)


@pytest.mark.parametrize("name", ["a", "demo-2", "9", "a" * NAME_LENGTH_MAX])
def test_a_name_of_letters_digits_and_dashes_is_taken(name: str):
    assert ClusterSpec(name=name).name == name


@pytest.mark.parametrize("nodes", [0, -1, NODES_MAX + 1])
def test_nodes_are_as_many_as_a_slot_has_addresses_for(nodes: int):
    with pytest.raises(ConfigError, match=f"a cluster has 1 to {NODES_MAX}"):
        ClusterSpec(nodes=nodes)


def test_time_does_not_stand_still():
    with pytest.raises(ConfigError, match=r"a time scale of 0"):
        ClusterSpec(time_scale=0)


def test_zones_are_given_to_the_nodes_in_turn():
    spec = ClusterSpec(nodes=3, zones=("a", "b"))
    assert [spec.zone_of(number) for number in (1, 2, 3)] == ["a", "b", "a"]
    assert ClusterSpec().zone_of(1) == ""


def test_a_spec_comes_back_from_json_as_it_was():
    spec = ClusterSpec(
        name="ci",
        nodes=2,
        manifests=(Path("/a/shop.yaml"), Path("/b")),
        images=("cart:*=echo",),
        app_dir=Path("/apps"),
        durable=False,
        dns=False,
        gateway=False,
        time_scale=0.5,
        zones=("a",),
    )
    assert ClusterSpec.from_json(spec.to_json()) == spec


def test_json_of_another_version_is_read_as_far_as_it_is_known():
    assert ClusterSpec.from_json('{"name": "ci", "colour": "red"}') == ClusterSpec(name="ci")
