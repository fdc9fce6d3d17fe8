"""What is written for a real cluster with the usual Python clients runs here as it is.

Each program of `programs/` is what a user of that library would write, and checks what it gets.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes.battery.cluster import BatteryCluster, up

PROGRAMS = Path(__file__).parent / "programs"
SECONDS_MAX = 120.0
CRD = Path(__file__).parents[1] / "battery" / "files" / "chart" / "crds" / "shelf.yaml"


@pytest.fixture(scope="module")
def running() -> Iterator[BatteryCluster]:
    with up() as made:
        yield made


def run(running: BatteryCluster, program: str, *more: str) -> None:
    """A program to its end, in a namespace of its own."""
    namespace = program.replace("_", "-")
    running.make_namespace(namespace)
    kubeconfig = running.kubeconfig_for(namespace)
    ran = subprocess.run(
        [sys.executable, PROGRAMS / f"{program}.py", kubeconfig, namespace, *more],
        env={**os.environ, "KUBECONFIG": str(kubeconfig), "HOME": str(kubeconfig.parent)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
    )
    running.drop_namespace(namespace)
    assert ran.returncode == 0, f"{program}.py: {ran.returncode}\n{ran.stdout}{ran.stderr}"


@pytest.mark.parametrize(
    "program",
    [
        "kubernetes_client",
        "kubernetes_asyncio_client",
        "kr8s_client",
        "lightkube_client",
        "informer_and_election",
    ],
)
def test_a_program_of_a_client_library_runs_as_it_is(running: BatteryCluster, program: str) -> None:
    run(running, program)


def test_an_operator_by_kopf_handles_creation_change_timer_and_deletion(
    running: BatteryCluster,
) -> None:
    group = "kopf.example"
    running.apply(CRD.read_text().replace("shop.example", group))
    run(running, "kopf_operator", group)
