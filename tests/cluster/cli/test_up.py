"""`kubehop up`."""

import subprocess
import sys
from pathlib import Path

import pytest

from cluster.cli import up
from cluster.cli.exits import OK
from cluster.cli.up import next_steps, spec_of
from cluster.errors import ConfigError
from cluster.launcher import launch, spawn
from cluster.launcher.progress import Progress, ProgressState
from cluster.launcher.spec import ClusterSpec


def test_options_are_a_spec_with_paths_seen_from_here(options_of, tmp_path: Path, monkeypatch):
    (tmp_path / "shop.yaml").touch()
    (tmp_path / "more").mkdir()
    monkeypatch.chdir(tmp_path)
    words = ("--name", "ci", "--nodes", "2", "-f", "shop.yaml", "-f", "more", "--image", "a=echo")
    assert spec_of(options_of("up", *words)) == ClusterSpec(
        name="ci",
        nodes=2,
        manifests=(tmp_path / "shop.yaml", tmp_path / "more"),
        images=("a=echo",),
        app_dir=tmp_path,
    )


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("-f", "nowhere.yaml"), "-f nowhere.yaml: there is no such file"),
        (("--app-dir", "nowhere"), "--app-dir nowhere: there is no such directory"),
        (("--nodes", "0"), "0 nodes: a cluster has 1 to 500"),
        (("--name", "My Cluster"), "'My Cluster' is no name for a cluster"),
    ],
)
def test_what_cannot_be_is_named_before_anything_starts(options_of, words, text, monkeypatch):
    with pytest.raises(ConfigError, match=text):
        spec_of(options_of("up", *words))


def test_it_comes_up_in_the_background_and_says_what_to_do_next(options_of, terminal, monkeypatch):
    started = []

    def detach(spec, tell):
        started.append(spec.name)
        tell(Progress("cluster", ProgressState.READY, 0.4, "https://127.64.0.254:6443"))

    monkeypatch.setattr(spawn, "detach", detach)
    assert up.run(options_of("up"), terminal) == OK
    assert started == ["default"]
    assert terminal.out.text == ""
    assert terminal.err.text == (
        "✓ cluster                   400 ms  https://127.64.0.254:6443\n"
        + next_steps("default")
        + "\n"
    )


def test_in_the_foreground_its_status_is_the_launchers(options_of, terminal, monkeypatch):
    async def foreground(spec, tell):
        return 1

    monkeypatch.setattr(launch, "foreground", foreground)
    assert up.run(options_of("up", "--foreground"), terminal) == 1
    assert terminal.err.text == "Ctrl-C ends the cluster\n"


def test_background_and_foreground_exclude_each_other(options_of, capsys):
    with pytest.raises(SystemExit):
        options_of("up", "--detach", "--foreground")
    assert "not allowed with" in capsys.readouterr().err


def test_the_next_steps_mean_the_same_cluster():
    assert next_steps("default").split("\n")[1:] == [
        "  kubehop status",
        "  export KUBECONFIG=$(kubehop kubeconfig)",
        "  kubehop down",
    ]
    assert next_steps("ci").count("--name ci") == 3


def test_the_command_imports_no_asyncio():
    """A launcher that is at work has both processors to itself."""
    script = (
        "import os, sys\n"
        "from cluster.cli.main import main\n"
        "from cluster.launcher import spawn\n"
        "def run(spec, report_fd, *, alone):\n"
        "    os.write(report_fd, b'{\"done\": true}\\n')\n"
        "    os._exit(0)\n"
        "spawn.run_launcher = run\n"
        "status = main(['up'])\n"
        "print(*(name for name in ('asyncio', 'aiohttp') if name in sys.modules), 'done')\n"
        "raise SystemExit(status)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.stdout, done.returncode) == ("done\n", OK), done.stderr
