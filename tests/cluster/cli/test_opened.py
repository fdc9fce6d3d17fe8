"""A running cluster, opened for a verb."""

import argparse
import json
import os

import pytest

from cluster.cli.opened import add_name, named, opened, reached
from cluster.errors import ConfigError
from cluster.launcher.places import Places
from cluster.launcher.record import write_record
from cluster.launcher.sweep import lock
from cluster.wire.keys import KUBELET_TOKEN, derived_token


@pytest.fixture
def places(tmp_path, monkeypatch) -> Places:
    monkeypatch.setenv("KUBEHOP_RUN_DIR", str(tmp_path / "run"))
    monkeypatch.setenv("KUBEHOP_STATE_DIR", str(tmp_path / "state"))
    found = Places.of("demo")
    found.make()
    return found


async def test_a_cluster_is_opened_with_its_processes_and_its_api(places):
    held = lock(places)
    write_record(places.cluster_file, {"name": "demo"})
    (places.run_dir / "node-1.sock").touch()
    async with opened("demo") as cluster:
        assert cluster.running.name == "demo"
        assert await cluster.access.endpoints() == {
            "node-1": f"unix:{places.run_dir / 'node-1.sock'}"
        }
        with pytest.raises(ConnectionError):  # there is an API to ask, and nobody at its socket
            await cluster.api.call("GET", "/version")
    os.close(held)


async def test_a_cluster_that_does_not_run_says_what_to_do(places):
    with pytest.raises(ConfigError, match="start it with `kubehop up --name demo`"):
        async with opened("demo"):
            raise AssertionError


def test_every_verb_means_the_default_cluster_unless_told():
    parser = argparse.ArgumentParser()
    add_name(parser)
    assert parser.parse_args([]).name == "default"
    assert parser.parse_args(["--name", "ci"]).name == "ci"


def test_a_command_that_is_shown_names_its_cluster_where_it_has_to():
    assert named("default") == ""
    assert named("ci") == " --name ci"


async def test_the_way_into_a_cluster_of_this_machine_is_by_its_name(places):
    held = lock(places)
    write_record(places.cluster_file, {"name": "demo"})
    (places.run_dir / "node-1.sock").touch()
    async with reached("demo", {}) as access:
        assert set(await access.endpoints()) == {"node-1"}
        assert access.remote.headers == {}
    os.close(held)


@pytest.fixture
def elsewhere(tmp_path) -> dict[str, str]:
    """What a container of a spread cluster is told."""
    (tmp_path / "cluster.key").write_bytes(bytes(32))
    user = {"name": "admin", "user": {"token": "secret"}}
    cluster = {"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}
    context = {"name": "x", "context": {"cluster": "c", "user": "admin"}}
    document = {"clusters": [cluster], "users": [user], "contexts": [context]}
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(json.dumps({**document, "current-context": "x"}))
    (tmp_path / "gateway.sock").touch()
    return {
        "KUBEHOP_API": "https://127.0.0.1:1",
        "KUBEHOP_CLUSTER_KEY": str(tmp_path / "cluster.key"),
        "KUBECONFIG": str(kubeconfig),
        "KUBEHOP_RUN_DIR": str(tmp_path),
    }


async def test_a_cluster_elsewhere_is_reached_with_its_key_even_while_its_api_is_silent(elsewhere):
    async with reached("default", elsewhere) as access:
        token = derived_token(bytes(32), KUBELET_TOKEN)
        assert access.remote.headers == {"Authorization": f"Bearer {token}"}
        directory = elsewhere["KUBEHOP_RUN_DIR"]
        assert await access.endpoints() == {"gateway": f"unix:{directory}/gateway.sock"}


@pytest.mark.parametrize("name", ["KUBEHOP_CLUSTER_KEY", "KUBECONFIG", "KUBEHOP_RUN_DIR"])
async def test_half_of_what_is_needed_is_the_users_to_mend(elsewhere, name):
    with pytest.raises(ConfigError, match=f"KUBEHOP_API is set, but not {name}"):
        async with reached("default", {**elsewhere, name: ""}):
            raise AssertionError
    with pytest.raises(ConfigError, match=r"KUBEHOP_CLUSTER_KEY=/nowhere/key: No such file"):
        async with reached("default", {**elsewhere, "KUBEHOP_CLUSTER_KEY": "/nowhere/key"}):
            raise AssertionError
