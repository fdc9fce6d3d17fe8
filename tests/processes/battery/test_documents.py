"""The sessions that docs/kubernetes-api.md shows go as it shows them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes.battery.cluster import BatteryCluster, up
from tests.processes.battery.session import Step, matches, parse
from tests.processes.battery.shell import Shell
from tests.processes.battery.test_battery import versions
from tests.processes.conftest import kubectls
from tests.test_docs import fenced_blocks

DOCUMENT = Path(__file__).parents[3] / "docs" / "kubernetes-api.md"
NAMESPACE = "default"


@pytest.fixture
def cluster_of_a_reader() -> Iterator[BatteryCluster]:
    with up() as made:
        yield made


def steps_of(document: Path, tools: Path) -> list[Step]:
    """What a reader types, and what the document says of it; lines are those of the document."""
    shown = [""] * len(document.read_text().splitlines())
    for block in fenced_blocks(document):
        if block.language == "console":
            lines = block.text.splitlines()
            shown[block.line - 1 : block.line - 1 + len(lines)] = lines
    return parse("\n".join(shown), versions(tools))


def test_the_sessions_of_the_document_go_as_it_shows(
    cluster_of_a_reader: BatteryCluster, tmp_path: Path
) -> None:
    found = kubectls()
    if not found:
        pytest.skip("no kubectl is installed")
    tools = found[-1].parent
    kubeconfig = cluster_of_a_reader.kubeconfig_for(NAMESPACE)
    steps = steps_of(DOCUMENT, tools)
    shell = Shell(tools, kubeconfig, tmp_path / "home", NAMESPACE)
    failures = []
    try:
        for step in steps:
            printed, status = shell.run(step.command)
            if status != step.status or not matches(step.expected, printed):
                failures.append(f"line {step.line}: $ {step.command}\n{printed}? {status}")
    finally:
        shell.close()
    assert len(steps) > 25
    if failures:
        pytest.fail("\n\n".join(failures), pytrace=False)
