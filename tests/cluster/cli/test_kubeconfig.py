"""`kubehop kubeconfig`."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from cluster.cli import kubeconfig
from cluster.cli.exits import OK
from cluster.errors import ConfigError
from cluster.launcher import running


def test_it_prints_the_path_and_nothing_else(options_of, terminal, monkeypatch):
    found = {"ci": SimpleNamespace(kubeconfig=Path("/state/ci/kubeconfig"))}
    monkeypatch.setattr(running, "find", found.__getitem__)
    assert kubeconfig.run(options_of("kubeconfig", "--name", "ci"), terminal) == OK
    assert terminal.out.text == "/state/ci/kubeconfig\n"
    assert terminal.err.text == ""


def test_for_a_user_the_control_plane_is_asked(options_of, terminal, monkeypatch):
    monkeypatch.setattr(running, "find", lambda name: SimpleNamespace(name=name))
    asked = []

    async def kubeconfig_for(found, user, groups):
        asked.append((found.name, user, groups))
        return {"kind": "Config"}

    monkeypatch.setattr(kubeconfig, "kubeconfig_for", kubeconfig_for)
    words = ("kubeconfig", "--user", "jane", "--group", "a", "--group", "b")
    assert kubeconfig.run(options_of(*words), terminal) == OK
    assert asked == [("default", "jane", ["a", "b"])]
    assert terminal.out.text == '{\n  "kind": "Config"\n}\n'


def test_a_group_is_of_a_user(options_of, terminal):
    with pytest.raises(ConfigError, match="say --user NAME too"):
        kubeconfig.run(options_of("kubeconfig", "--group", "a"), terminal)
