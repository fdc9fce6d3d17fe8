"""Names of clusters that tests run: no two workers, runs or tests share one.

Pure: no I/O. A name is short, since it is part of a socket's path, which holds 104 bytes; and it is
a DNS label, as every cluster's name.
"""

import re

NAME_MAX = 32


def cluster_name(worker: str, pid: int, number: int) -> str:
    """ "t-gw0-4711-3": the third cluster of pytest-xdist's worker gw0, process 4711."""
    label = re.sub(r"[^a-z0-9]+", "", worker.lower())
    name = "-".join(part for part in ("t", label, str(pid), str(number)) if part)
    return name[-NAME_MAX:].lstrip("-")
