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
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from cluster.testing.guard import Guard
    from cluster.testing.under_test import ClusterUnderTest
    from cluster.testing.wishes import Wishes

MARKER = "kubehop"
OWN, SHARED = "cluster", "shared_cluster"
SECTION = "connections that failed"
_STARTED = pytest.StashKey[float]()
_RUNNING = pytest.StashKey[dict[str, "ClusterUnderTest"]]()  # by the fixture's name
_numbers = itertools.count(1)

_OPTIONS: tuple[tuple[str, type, str, str], ...] = (
    ("nodes", int, "N", "nodes of a test's cluster (default 3)"),
    ("app-dir", str, "DIR", "where python:// workloads and manifests are found (default: rootdir)"),
    ("time-scale", float, "X", "multiply Kubernetes' own periods by this (default 0.1)"),
    ("settled-seconds", float, "S", "how long a cluster may take to settle (default 30)"),
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """--kubehop-... and the ini options of the same names."""
    group = parser.getgroup("kubehop", "clusters of kubehop")
    for name, kind, metavar, text in _OPTIONS:
        group.addoption(f"--kubehop-{name}", type=kind, metavar=metavar, help=text)
        parser.addini(_ini(name), text)
    text = "image that stands for a workload, repeatable"
    group.addoption("--kubehop-image", action="append", metavar="PATTERN=WORKLOAD", help=text)
    parser.addini("kubehop_images", text, type="linelist")


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.stash[_RUNNING] = {}
    config.addinivalue_line(
        "markers",
        f"{MARKER}(nodes=, images=, app_dir=, manifests=, time_scale=, zones=, settled_seconds=, "
        "durable=, audit=, hand_over=): what the cluster of this test is to be",
    )


@pytest.fixture(scope="session")
def _kubehop_guard() -> Iterator["Guard"]:
    """The process that starts this worker's clusters, and ends them should pytest die."""
    from cluster.testing.guard import Guard

    guard = Guard()
    yield guard
    guard.close()


@pytest.fixture
def cluster(
    request: pytest.FixtureRequest, _kubehop_guard: "Guard"
) -> Iterator["ClusterUnderTest"]:
    """A fresh cluster of this test alone, up and settled."""
    markers = reversed(list(request.node.iter_markers(MARKER)))
    yield from _cluster(request, _kubehop_guard, list(markers))


@pytest.fixture(scope="session")
def shared_cluster(
    request: pytest.FixtureRequest, _kubehop_guard: "Guard"
) -> Iterator["ClusterUnderTest"]:
    """One cluster for all tests of this worker that ask for it; options apply, markers do not."""
    yield from _cluster(request, _kubehop_guard, [])


def _cluster(
    request: pytest.FixtureRequest, guard: "Guard", markers: list[pytest.Mark]
) -> Iterator["ClusterUnderTest"]:
    """What a fixture yields; what is wrong with its cluster is said without a traceback."""
    from cluster.errors import ClusterError
    from cluster.testing.names import cluster_name
    from cluster.testing.start import start, stop

    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    name = cluster_name(worker, os.getpid(), next(_numbers))
    made: ClusterUnderTest | None = None
    why = ""
    try:
        made = start(name, _wishes(request.config, markers), guard)
    except ClusterError as error:
        why = str(error)
    if made is None:
        pytest.fail(f"no cluster for this test: {why}", pytrace=False)
    running = request.config.stash[_RUNNING]
    running[str(request.fixturename)] = made
    yield made
    del running[str(request.fixturename)]
    stop(made)


def _wishes(config: pytest.Config, markers: list[pytest.Mark]) -> "Wishes":
    """The ini file's, then the command line's, then the markers' from the outermost."""
    from cluster.testing.wishes import parse_wishes

    texts = {_ini(name): str(config.getini(_ini(name))) for name, *_ in _OPTIONS}
    options = {
        name.replace("-", "_"): config.getoption(f"--kubehop-{name}") for name, *_ in _OPTIONS
    }
    options["images"] = config.getoption("--kubehop-image")
    if options["app_dir"]:
        options["app_dir"] = config.invocation_params.dir / options["app_dir"]
    images = tuple(config.getini("kubehop_images"))
    wishes = parse_wishes(texts, images, Path(config.rootpath))
    wishes = wishes.on_top({name: value for name, value in options.items() if value is not None})
    for marker in markers:
        wishes = wishes.with_marker(marker.args, marker.kwargs)
    return wishes


def _ini(option: str) -> str:
    return f"kubehop_{option.replace('-', '_')}"


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """A marker that would have no effect is an error, where it is a test's own."""
    names = getattr(item, "fixturenames", ())
    marked = any(marker.name == MARKER for marker in item.own_markers)
    if marked and SHARED in names and OWN not in names:
        pytest.fail(
            f"marker {MARKER}: it is for the fixture {OWN}; {SHARED} has the options only",
            pytrace=False,
        )


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


def _clusters_of(item: pytest.Item) -> Iterator["ClusterUnderTest"]:
    """The test's own cluster, and the shared one if it is the test's."""
    for fixture, made in item.config.stash[_RUNNING].items():
        if fixture == OWN or fixture in getattr(item, "fixturenames", ()):
            yield made


def _report(made: "ClusterUnderTest", since: float) -> str:
    from cluster.testing.start import apart

    try:
        return apart(made.report(since))
    except Exception as error:  # a report must not hide the failure that it is about
        return f"the cluster's processes could not be asked: {error!r}\n"
