"""That the soak runs and counts rightly; how much it reaches is for people to read."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks.soak.result import Result
from tests.benchmarks.soak.samples import Sample, edges, slope
from tests.benchmarks.soak.tally import AFTER_SECONDS, Deaths, Tally

ROOT = Path(__file__).resolve().parent.parent.parent
KINDS = (
    "keep-alive requests",
    "new connections",
    "calls from pod to Service",
    "datagrams",
    "DNS queries",
)


def test_nothing_is_lost_or_astray_in_ten_seconds_of_it(tmp_path: Path) -> None:
    section = tmp_path / "soak.md"
    ran = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.soak", "--minutes", "0.17", "-o", str(section)],
        cwd=ROOT,
        env={**os.environ, "KUBEHOP_STATE_DIR": str(tmp_path / "state")},
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    text = section.read_text()
    assert text.startswith("## Soak\n")
    rows = {line.split(" | ")[0].strip("| "): line for line in text.splitlines() if "|" in line}
    for kind in KINDS:
        _, requests, _, lost, misdelivered, _ = rows[kind].strip("| ").split(" | ")
        assert int(requests.replace(",", "")) > 0
        assert (lost, misdelivered) == ("0", "0")
    assert {"control", "gateway", "dns", "node-1"} <= set(rows)


def test_a_loss_is_announced_by_the_death_of_its_own_pod_or_node_alone() -> None:
    deaths = Deaths()
    deaths.pod_ends("a", 10)
    deaths.node_goes("node-2", 20)
    assert deaths.explain(5, 11, "a", ("node-1",))
    assert not deaths.explain(5, 11, "b", ("node-1",))
    assert deaths.explain(15, 21, "b", ("node-1", "node-2"))
    assert deaths.explain(15, 21), "whose way is not known"
    assert not deaths.explain(15, 19.5)
    deaths.node_is_back("node-2", 30)
    assert deaths.explain(30, 40)
    assert not deaths.explain(31 + AFTER_SECONDS, 60, "b", ("node-2",))


@pytest.mark.parametrize(("lost", "misdelivered"), [(1, 0), (0, 1)])
def test_a_run_fails_by_what_is_lost_or_misdelivered(lost: int, misdelivered: int) -> None:
    tally = Tally("requests", answered=9, announced=3, seconds=2)
    sample = Sample(0.0, 2048, 4096, 7)
    result = Result(
        seconds=60,
        nodes=4,
        facts={"processor": "one"},
        changes={"rolling restarts": 2},
        tallies=(tally,),
        samples={"gateway": [sample]},
    )
    assert result.failed == 0
    assert "| requests | 12 | 6 | 0 | 0 | 3 |" in result.markdown()
    assert "| gateway | 2.0 | 2.0 | 2.0 | 0.0 | 7 | 7 |" in result.markdown()
    tally.lost, tally.misdelivered = lost, misdelivered
    assert result.failed == 1


def test_growth_is_that_of_the_line_through_the_samples() -> None:
    assert slope([(0, 1), (1, 3), (2, 5)]) == 2
    assert slope([(3, 7)]) == 0
    assert edges([1, 1, 1, 1, 1, 9, 9, 9, 9, 9]) == (1, 9)
