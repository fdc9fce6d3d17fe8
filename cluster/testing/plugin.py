"""The pytest plugin: fixtures `cluster` and `shared_cluster` (entry point pytest11).

    async def test_frontend_reaches_cart(cluster):
        await cluster.apply("shop.yaml")
        response = await cluster.curl("http://frontend/cart", source="internet")
        assert response.trace.endpoint.node == "node-2"

The fixtures are ordinary functions: they work with any plugin for async tests, whatever its mode,
and on any event loop. Nothing of kubehop is imported before a test asks for one.
"""

import itertools
import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from cluster.testing.guard import Guard
    from cluster.testing.under_test import ClusterUnderTest
    from cluster.testing.wishes import Wishes

FIXTURES = ("cluster", "shared_cluster")
SECTION = "connections that failed"
_STARTED = pytest.StashKey[float]()
_numbers = itertools.count(1)

_OPTIONS = (
    ("nodes", "N", "nodes of a test's cluster (default 3)"),
    ("app-dir", "DIR", "where python:// workloads and manifests are found (default: rootdir)"),
    ("time-scale", "X", "multiply Kubernetes' own periods by this (default 0.1)"),
    ("settled-seconds", "S", "how long a cluster may take to settle (default 30)"),
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """--kubehop-... and the ini options of the same names."""
    group = parser.getgroup("kubehop", "clusters of kubehop")
    for name, metavar, text in _OPTIONS:
        group.addoption(f"--kubehop-{name}", metavar=metavar, help=text)
        parser.addini(f"kubehop_{name.replace('-', '_')}", text)
    text = "image that stands for a workload, repeatable"
    group.addoption("--kubehop-image", action="append", metavar="PATTERN=WORKLOAD", help=text)
    parser.addini("kubehop_images", text, type="linelist")


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line(
        "markers",
        "kubehop(nodes=, images=, app_dir=, time_scale=, zones=, settled_seconds=): "
        "the cluster that this test wants",
    )


@pytest.fixture(scope="session")
def _kubehop_guard() -> Iterator["Guard"]:
    """The process that ends this worker's clusters should pytest die."""
    from cluster.testing.guard import Guard

    guard = Guard()
    yield guard
    guard.close()


@pytest.fixture
def cluster(
    request: pytest.FixtureRequest, _kubehop_guard: "Guard"
) -> Iterator["ClusterUnderTest"]:
    """A fresh cluster of this test alone, up and settled."""
    wishes = _wishes(request.config)
    for marker in reversed(list(request.node.iter_markers("kubehop"))):
        wishes = wishes.with_marker(marker.kwargs)
    yield from _running(_kubehop_guard, wishes)


@pytest.fixture(scope="session")
def shared_cluster(
    request: pytest.FixtureRequest, _kubehop_guard: "Guard"
) -> Iterator["ClusterUnderTest"]:
    """One cluster for all tests of this worker that ask for it; options apply, markers do not."""
    yield from _running(_kubehop_guard, _wishes(request.config))


def _running(guard: "Guard", wishes: "Wishes") -> Iterator["ClusterUnderTest"]:
    from cluster.testing.names import cluster_name
    from cluster.testing.start import start, stop

    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    made = start(cluster_name(worker, os.getpid(), next(_numbers)), wishes, guard)
    yield made
    stop(made, guard)


def _wishes(config: pytest.Config) -> "Wishes":
    from cluster.testing.wishes import parse_wishes

    def given(name: str) -> Any:
        return config.getoption(f"--kubehop-{name}") or config.getini(
            f"kubehop_{name.replace('-', '_')}"
        )

    texts = {name.replace("-", "_"): str(given(name) or "") for name, *_ in _OPTIONS}
    images = config.getoption("--kubehop-image") or config.getini("kubehop_images")
    return parse_wishes(texts, tuple(images), Path(config.rootpath))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the failed connections of a test that failed."""
    report = yield
    if call.when == "setup":
        item.stash[_STARTED] = call.start
    if report.failed and call.when != "teardown":
        for made in _clusters_of(item):
            text = _report(made, item.stash.get(_STARTED, call.start))
            if text:
                report.sections.append((f"{SECTION} ({made.name})", text))
    return report


def _report(made: "ClusterUnderTest", since: float) -> str:
    from cluster.testing.start import apart

    try:
        return apart(made.report(since))
    except Exception as error:  # a report must not hide the failure that it is about
        return f"the cluster's processes could not be asked: {error!r}\n"


def _clusters_of(item: pytest.Item) -> Iterator["ClusterUnderTest"]:
    arguments = getattr(item, "funcargs", None) or {}
    for name in FIXTURES:
        if name in arguments and hasattr(arguments[name], "report"):
            yield arguments[name]
