"""`kubehop kubeconfig`."""

from pathlib import Path
from types import SimpleNamespace

from cluster.cli import kubeconfig
from cluster.cli.exits import OK
from cluster.launcher import running


def test_it_prints_the_path_and_nothing_else(options_of, terminal, monkeypatch):
    found = {"ci": SimpleNamespace(kubeconfig=Path("/state/ci/kubeconfig"))}
    monkeypatch.setattr(running, "find", found.__getitem__)
    assert kubeconfig.run(options_of("kubeconfig", "--name", "ci"), terminal) == OK
    assert terminal.out.text == "/state/ci/kubeconfig\n"
    assert terminal.err.text == ""
