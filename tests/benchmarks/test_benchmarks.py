"""That the benchmarks run; what they measure is for people to read."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def test_each_benchmark_runs_and_the_document_is_written(tmp_path: Path) -> None:
    document = tmp_path / "benchmarks.md"
    ran = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks", "--smoke", "-o", str(document)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    text = document.read_text()
    for row in (
        "first 200",
        "control",
        "a node, mean of 1",
        "gateway -> node (-> node) -> pod",
        "list of 20 pods",
    ):
        assert f"| {row} |" in text, row
    tables = [line for line in text.splitlines() if line.startswith("### ")]
    assert len(tables) == 8
