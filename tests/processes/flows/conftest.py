"""A cluster for each way that connections go: the tests must hold for both.

Tests that leave a cluster as it was share one of the session; others bring one up for their module.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cluster.testing.guard import Guard
from cluster.testing.names import cluster_name
from cluster.testing.start import apart, start, stop
from cluster.testing.wishes import Wishes
from tests.processes.flows.ground import PATHS, Ground, until
from tests.processes.flows.objects import all_objects

HERE = Path(__file__).parent
NAMES = ("one.example", "two.example")  # of the certificates


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with an authority, and a certificate with its key for each name."""
    from tests.processes.flows.certificates import issue

    directory = tmp_path_factory.mktemp("certificates")
    issue(directory, NAMES)
    return directory


@contextmanager
def brought_up(path: str, certificates: Path, name: str) -> Iterator[Ground]:
    guard = Guard()
    made = None
    try:
        wishes = Wishes(app_dir=HERE / "programs", hand_over=path == "hand-over")
        made = start(cluster_name(name, os.getpid(), PATHS.index(path)), wishes, guard)
        apart(made.apply(all_objects(str(certificates))))
        yield Ground(made, path, certificates)
    finally:
        if made is not None:
            stop(made)
        guard.close()


@pytest.fixture(scope="session", params=PATHS)
def ground(request: pytest.FixtureRequest, certificates: Path) -> Iterator[Ground]:
    """One that is shared; in the end its processes have no more open than in the beginning."""
    with brought_up(request.param, certificates, "flows") as made:
        before = apart(made.sockets())
        yield made
        apart(until(lambda: made.opened_since(before), lambda more: not more))


@pytest.fixture(scope="module", params=PATHS)
def own_ground(request: pytest.FixtureRequest, certificates: Path) -> Iterator[Ground]:
    """One of a module that breaks things."""
    with brought_up(request.param, certificates, "broken") as made:
        yield made
