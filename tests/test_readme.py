"""The README's session runs as it stands, and every line of output that documents show is printed.

Which endpoint is chosen is chance, so a shown trace is compared by its lines, whatever their
numbers and names are, and asked for again until each of them has been seen.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.testing.kubectl import find_kubectl
from tests.test_docs import fenced_blocks

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
TRACES = ROOT / "docs" / "trace.md"
COMMAND_SECONDS_MAX = 120.0
TRIES = 40  # a line that half the runs print is missed once in a million million
EXPECTED_FAILURES = {"kubehop curl http://cart/ --from deploy/frontend -n shop -m 1": 28}


class Shell:
    """One bash for a whole session, in the checkout, with kubehop and a kubectl on its path."""

    def __init__(self, directory: Path, run_dir: str) -> None:
        tools = directory / "bin"
        tools.mkdir()
        (tools / "kubectl").symlink_to(find_kubectl(environment=os.environ))
        (tools / "kubehop").symlink_to(Path(sys.executable).parent / "kubehop")
        self._exports: list[str] = []
        self._environment = {
            **os.environ,
            "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(directory),
            "KUBEHOP_RUN_DIR": run_dir,
            "KUBEHOP_STATE_DIR": str(directory / "state"),
            "NO_COLOR": "1",
        }

    def run(self, command: str) -> tuple[int, str]:
        """Its status, and what it printed to either output."""
        if command.startswith("export "):
            self._exports.append(command)
        script = "\n".join([*self._exports, command])
        ran = subprocess.run(
            ["bash", "-c", script],
            cwd=ROOT,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=COMMAND_SECONDS_MAX,
        )
        return ran.returncode, ran.stdout


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    run_dir = tempfile.mkdtemp(prefix="kh-", dir="/tmp")  # short: it holds sockets
    made = Shell(tmp_path_factory.mktemp("readme"), run_dir)
    try:
        yield made
    finally:
        made.run("kubehop down")
        shutil.rmtree(run_dir, ignore_errors=True)


def commands(path: Path) -> list[str]:
    """What a reader of the document would type."""
    return [
        line.removeprefix("$ ")
        for block in fenced_blocks(path)
        if block.language == "console"
        for line in block.text.splitlines()
        if line.startswith("$ ")
    ]


def shown(path: Path) -> str:
    """The output that the document shows."""
    (text,) = (block.text for block in fenced_blocks(path) if block.language == "text")
    return text


def lines_of(output: str) -> set[str]:
    """The lines of an output, but for what differs from run to run: numbers, ids, chosen names."""
    found = set()
    for line in output.splitlines():
        text = re.sub(r"\b(frontend|cart)-[a-z0-9]{10}-[a-z0-9]{5}\b", r"\1-POD", line)
        text = re.sub(r"\bflow [0-9a-f]{16}\b", "flow ID", text)
        text = re.sub(r"\d+(\.\d+)*", "N", text)
        found.add(re.sub(r"  +", "  ", text).rstrip())
    return found - {""}


def missing_after(shell: Shell, command: str, output: str, wanted: set[str]) -> set[str]:
    """The lines that were not printed, in as many runs as it takes."""
    missing = wanted - lines_of(output)
    for _ in range(TRIES):
        if not missing:
            break
        missing -= lines_of(shell.run(command)[1])
    return missing


def test_the_readmes_session_runs_and_prints_what_it_shows(shell: Shell) -> None:
    session = commands(README)
    assert [each.split()[:2] for each in (session[0], session[-1])] == [
        ["kubehop", "up"],
        ["kubehop", "down"],
    ]
    shown_for = next(iter(EXPECTED_FAILURES))
    for command in session:
        status, output = shell.run(command)
        assert status == EXPECTED_FAILURES.get(command, 0), f"$ {command}\n{output}"
        if command == shown_for:
            assert missing_after(shell, command, output, lines_of(shown(README))) == set()
    assert shown_for in session
    assert shell.run("kubehop status")[0] == 2, "nothing is left"


def test_the_trace_that_is_explained_is_one_that_is_printed(shell: Shell) -> None:
    shell.run("kubehop up --app-dir examples -f examples/shop/shop.yaml")
    (command,) = commands(TRACES)
    status, output = shell.run(command)
    assert status == 0, output
    assert missing_after(shell, command, output, lines_of(shown(TRACES))) == set()
    assert shell.run("kubehop down")[0] == 0


def test_every_document_that_is_linked_is_there() -> None:
    for path in (README, *sorted((ROOT / "docs").glob("*.md")), ROOT / "CONTRIBUTING.md"):
        for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text()):
            assert (path.parent / target).exists(), f"{path.name} links to {target}"
