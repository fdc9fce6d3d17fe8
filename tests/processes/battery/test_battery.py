"""Every session with every kubectl; see README.md."""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.processes.battery.cluster import BatteryCluster, up
from tests.processes.battery.session import Versions, matches, parse
from tests.processes.battery.shell import Shell
from tests.processes.conftest import kubectls

SESSIONS = sorted((Path(__file__).parent / "sessions").glob("*.session"))


@dataclass(frozen=True, slots=True)
class Failure:
    """What was not as expected."""

    line: int
    command: str
    expected: str
    printed: str
    status: int

    def __str__(self) -> str:
        return (
            f"line {self.line}: $ {self.command}\n-- expected\n{self.expected}\n"
            f"-- printed (status {self.status})\n{self.printed}"
        )


@pytest.fixture(scope="module")
def battery_cluster() -> Iterator[BatteryCluster]:
    with up() as made:
        yield made


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    found = kubectls()
    marks = [] if found else [pytest.mark.skip(reason="no kubectl is installed")]
    cases = [
        pytest.param(tools, session, id=f"{tools.name}-{session.stem}", marks=marks)
        for session in SESSIONS
        for tools in [path.parent for path in found] or [Path()]
    ]
    metafunc.parametrize(("tools", "session"), cases)


def versions(tools: Path) -> Versions:
    """Of a directory's kubectl and helm."""
    kubectl = tuple(int(part) for part in tools.name.split("."))
    helm = tools / "helm"
    if not helm.exists():
        return Versions(kubectl)
    said = subprocess.run([helm, "version", "--short"], capture_output=True, text=True, timeout=30)
    found = re.match(r"v(\d+)\.(\d+)", said.stdout)
    return Versions(kubectl, (int(found[1]), int(found[2])) if found else ())


def test_a_session_goes_as_written(
    battery_cluster: BatteryCluster, tools: Path, session: Path, tmp_path: Path
) -> None:
    """Each command prints what it should, and ends as it should."""
    namespace = f"{session.stem.replace('_', '-')}-{tools.name.replace('.', '-')}"
    battery_cluster.make_namespace(namespace)
    steps = parse(session.read_text(), versions(tools))
    shell = Shell(tools, battery_cluster.kubeconfig_for(namespace), tmp_path / "home", namespace)
    failures: list[Failure] = []
    try:
        for step in steps:
            printed, status = shell.run(step.command)
            if status != step.status or not matches(step.expected, printed):
                wanted = "\n".join([*step.expected, f"? {step.status}"])
                failures.append(Failure(step.line, step.command, wanted, printed, status))
    finally:
        shell.close()
        battery_cluster.drop_namespace(namespace)
    if failures:
        pytest.fail("\n\n".join(map(str, failures)), pytrace=False)
