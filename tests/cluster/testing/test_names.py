"""Names of clusters that tests run."""

import re

from cluster.launcher.spec import NAME_LENGTH_MAX
from cluster.testing.names import NAME_MAX, cluster_name


def test_workers_runs_and_tests_share_no_name() -> None:
    names = {
        cluster_name(worker, pid, number)
        for worker in ("", "gw0", "gw1")
        for pid in (1, 4711)
        for number in (1, 2)
    }
    assert len(names) == 12
    assert cluster_name("gw0", 4711, 3) == "t-gw0-4711-3"


def test_a_name_is_a_short_dns_label_whatever_the_worker_is_called() -> None:
    for worker in ("", "GW_0", "machine.example:popen//python" * 3, "-"):
        name = cluster_name(worker, 4194304, 12345)
        assert re.fullmatch(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", name)
        assert len(name) <= NAME_MAX <= NAME_LENGTH_MAX
        assert name.endswith("4194304-12345")
