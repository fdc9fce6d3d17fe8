"""Finding and running a kubectl; a small script stands for it."""

import os
from pathlib import Path

import pytest

from cluster.errors import ClusterError, ConfigError
from cluster.testing.kubectl import KubectlFailed, find_kubectl, run_kubectl


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_the_one_that_is_named_comes_first_then_the_newest_then_the_path(tmp_path: Path) -> None:
    named = script(tmp_path / "named", "")
    for version in ("1.9", "1.29", "1.37"):
        script(tmp_path / "many" / version / "kubectl", "")
    on_path = script(tmp_path / "bin" / "kubectl", "")
    all_three = {
        "KUBEHOP_KUBECTL": str(named),
        "KUBEHOP_KUBECTL_DIR": str(tmp_path / "many"),
        "PATH": str(tmp_path / "bin"),
    }
    assert find_kubectl(environment=all_three) == named
    del all_three["KUBEHOP_KUBECTL"]
    assert find_kubectl(environment=all_three) == tmp_path / "many" / "1.37" / "kubectl"
    assert find_kubectl("1.9", environment=all_three) == tmp_path / "many" / "1.9" / "kubectl"
    assert find_kubectl(environment={"PATH": str(tmp_path / "bin")}) == on_path


def test_where_there_is_none_it_is_said_how_to_name_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"PATH, or name one by KUBEHOP_KUBECTL"):
        find_kubectl(environment={"PATH": str(tmp_path)})
    with pytest.raises(ConfigError, match=r"no kubectl 1\.12"):
        find_kubectl("1.12", environment={"KUBEHOP_KUBECTL_DIR": str(tmp_path)})


async def test_it_is_run_with_the_clusters_kubeconfig(tmp_path: Path) -> None:
    kubectl = script(tmp_path / "kubectl", 'echo "$KUBECONFIG $@"; cat; echo warned >&2')
    ran = await run_kubectl(kubectl, tmp_path / "config", ("get", "pods"), stdin="kind: Pod\n")
    assert str(ran) == ran.stdout == f"{tmp_path}/config get pods\nkind: Pod\n"
    assert ran.stderr == "warned\n" and ran.status == 0


async def test_a_failure_is_raised_with_what_it_said(tmp_path: Path) -> None:
    kubectl = script(tmp_path / "kubectl", "echo no such pod >&2; exit 3")
    with pytest.raises(KubectlFailed, match="kubectl get pod: status 3: no such pod") as caught:
        await run_kubectl(kubectl, tmp_path, ("get", "pod"))
    assert caught.value.ran.status == 3
    ran = await run_kubectl(kubectl, tmp_path, ("get", "pod"), check=False)
    assert ran.status == 3


async def test_one_that_hangs_is_ended(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    os.mkfifo(tmp_path / "fifo")
    hang = script(tmp_path / "hang", f"echo $$ > {pid}; exec cat {tmp_path / 'fifo'}")
    with pytest.raises(ClusterError, match=r"kubectl wait: not done after 0\.3 s"):
        await run_kubectl(hang, tmp_path, ("wait",), timeout_seconds=0.3)
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)
