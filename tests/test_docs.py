"""The documents tell the truth: their Python runs, the options and calls they name exist."""

import inspect
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cluster.testing import ClusterUnderTest
from cluster.testing.wishes import WISHED, Wishes

ROOT = Path(__file__).resolve().parent.parent
PYTEST_GUIDE = ROOT / "docs" / "pytest.md"
RUN_SECONDS_MAX = 300.0
_FENCE = re.compile(r"^(?P<indent> {0,3})(?P<fence>`{3,}|~{3,}) *(?P<language>[^\s`]*)")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of a Markdown file; `line` is that of its first line of text, from 1."""

    language: str
    line: int
    text: str


def fenced_blocks(path: Path) -> Iterator[Block]:
    """The fenced blocks of a Markdown file, in order."""
    lines = iter(enumerate(path.read_text().splitlines(), 1))
    for number, line in lines:
        opened = _FENCE.match(line)
        if opened is None:
            continue
        taken = []
        for _, inner in lines:
            if inner.strip() == opened["fence"]:
                break
            taken.append(inner.removeprefix(opened["indent"]))
        else:
            raise ValueError(f"{path}:{number}: the block has no end")
        yield Block(opened["language"], number + 1, "".join(f"{each}\n" for each in taken))


def python_tests(path: Path) -> Iterator[Block]:
    """The Python blocks that hold tests."""
    for block in fenced_blocks(path):
        if block.language == "python" and "def test_" in block.text:
            yield block


def run_as_tests(blocks: list[Block], directory: Path) -> str:
    """Run blocks as test files, with pytest as their reader would; what it printed."""
    settings = "[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n"
    (directory / "pytest.ini").write_text(settings)
    for block in blocks:
        (directory / f"test_line_{block.line}.py").write_text(block.text)
    run_dir = tempfile.mkdtemp(prefix="kh-", dir="/tmp")  # short: it holds sockets
    state = {"KUBEHOP_RUN_DIR": run_dir, "KUBEHOP_STATE_DIR": str(directory / "state")}
    command = [sys.executable, "-m", "pytest", "-Werror", f"--kubehop-app-dir={ROOT / 'examples'}"]
    try:
        ran = subprocess.run(
            command,
            cwd=directory,
            env={**os.environ, **state},
            capture_output=True,
            text=True,
            timeout=RUN_SECONDS_MAX,
        )
    finally:
        shutil.rmtree(run_dir, ignore_errors=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def test_blocks_are_found_with_their_language_and_line(tmp_path: Path) -> None:
    guide = tmp_path / "guide.md"
    guide.write_text("# T\n\n```python\nx = 1\n```\n\n    indented\n\n  ~~~\n  ```\n  ~~~\n")
    assert list(fenced_blocks(guide)) == [Block("python", 4, "x = 1\n"), Block("", 10, "```\n")]
    guide.write_text("```sh\nls\n")
    with pytest.raises(ValueError, match=r"guide\.md:1: the block has no end"):
        list(fenced_blocks(guide))


# -- docs/pytest.md


def test_the_python_of_the_pytest_guide_runs(tmp_path: Path) -> None:
    blocks = list(python_tests(PYTEST_GUIDE))
    tests = sum(block.text.count("def test_") for block in blocks)
    assert tests >= 8
    assert f"{tests} passed" in run_as_tests(blocks, tmp_path)


def test_the_pytest_guide_names_every_option_with_its_default(pytestconfig: pytest.Config) -> None:
    text = PYTEST_GUIDE.read_text()
    rows = {
        option: (ini, marker, default)
        for option, ini, marker, default in re.findall(
            r"\| `--kubehop-([a-z-]+)=[^|]*\| `kubehop_(\w+)`[^|]*\| `(\w+)=[^|]*\| ?([^|]*) ?\|",
            text,
        )
    }
    assert set(rows) == {"nodes", "image", "app-dir", "time-scale", "settled-seconds"}
    for option, (ini, marker, default) in rows.items():
        assert pytestconfig.getoption(f"--kubehop-{option}", "absent") != "absent"
        pytestconfig.getini(f"kubehop_{ini}")  # ValueError where there is none
        assert marker == ini and marker in WISHED
        if default.strip() not in ("", "rootdir"):
            assert float(default) == getattr(Wishes(), marker)
    assert set(re.findall(r"`?(\w+)=(?:\[\.\.\.\]|True|False|`)", text)) >= WISHED


def test_the_pytest_guide_names_calls_as_they_are() -> None:
    rows = re.findall(r"^\| `await cluster\.(\w+)\((.*?)\)`", PYTEST_GUIDE.read_text(), re.M)
    assert len(rows) >= 11
    for name, arguments in rows:
        known: dict[str, Any] = dict(inspect.signature(getattr(ClusterUnderTest, name)).parameters)
        given = [each.strip() for each in arguments.split(",") if each.strip()]
        named = {each.removesuffix("=") for each in given if not each.startswith('"')}
        assert named <= set(known), f"{name}({arguments})"
    public = {name for name in vars(ClusterUnderTest) if not name.startswith("_")}
    assert public - {name for name, _ in rows} == {"start_node", "report"}
