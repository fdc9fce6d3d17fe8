"""The plugin as pytest runs it; what starts clusters is the test's own."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import cluster.testing.start  # here, since pytester forgets what is imported in its tests
from cluster.errors import ClusterError
from cluster.testing.wishes import Wishes

pytest_plugins = ["pytester"]

# Others' plugins stay out: they have opinions on every test run.
OTHERS = ("anyio", "asyncio", "hypothesispytest", "randomly", "xdist")
ALONE = tuple(word for name in OTHERS for word in ("-p", f"no:{name}"))


class Made:
    """A cluster that is none."""

    def __init__(self, name: str, wishes: Wishes) -> None:
        self.name = name
        self.wishes = wishes
        self.reported: list[float] = []
        self.says: str | Exception = ""

    async def report(self, since: float) -> str:
        self.reported.append(since)
        if isinstance(self.says, Exception):
            raise self.says
        return self.says


class Starts:
    """What stands for the start of clusters."""

    def __init__(self) -> None:
        self.made: list[Made] = []
        self.stopped: list[str] = []
        self.error: ClusterError | None = None

    def start(self, name: str, wishes: Wishes, guard: Any) -> Made:
        if self.error is not None:
            raise self.error
        self.made.append(Made(name, wishes))
        return self.made[-1]

    def stop(self, made: Made) -> None:
        self.stopped.append(made.name)


@pytest.fixture
def starts(monkeypatch: pytest.MonkeyPatch) -> Starts:
    made = Starts()
    monkeypatch.setattr(cluster.testing.start, "start", made.start)
    monkeypatch.setattr(cluster.testing.start, "stop", made.stop)
    return made


@pytest.fixture
def run(pytester: pytest.Pytester) -> Iterator[Any]:
    """Run pytest in this process; its outcome."""

    def run(*arguments: str) -> pytest.RunResult:
        given = (*ALONE, "--strict-markers", "-Werror", *arguments)
        return pytester.runpytest_inprocess(*given, no_reraise_ctrlc=True)

    yield run


# -- what it costs who does not use it


def test_nothing_of_kubehop_is_imported_where_no_test_asks_for_a_cluster(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile(
        """
        import sys

        def test_modules():
            packages = ("cluster", "control", "node_agent")
            ours = {each for each in sys.modules if each.partition(".")[0] in packages}
            assert ours == {"cluster", "cluster.testing", "cluster.testing.plugin"}
            assert not {"aiohttp", "uvloop", "msgpack", "yaml", "asyncio"} & set(sys.modules)

        def test_what_tests_import_is_there_on_first_use():
            import cluster.testing

            assert cluster.testing.Unreached.__name__ == "Unreached"
            for name in cluster.testing.__all__:
                assert getattr(cluster.testing, name).__name__ == name
        """
    )
    pytester.runpytest_subprocess(*ALONE).assert_outcomes(passed=2)


def test_options_markers_and_fixtures_are_described(run: Any) -> None:
    run("--help").stdout.fnmatch_lines(
        [
            "clusters of kubehop:",
            "*--kubehop-nodes=N*nodes of a test's cluster (default 3)",
            "*--kubehop-image=PATTERN=WORKLOAD*",
            "*kubehop_settled_seconds*",
        ]
    )
    marker = "@pytest.mark.kubehop(nodes=, images=, *durable=, audit=, hand_over=): *"
    run("--markers").stdout.fnmatch_lines([marker])
    run("--fixtures").stdout.fnmatch_lines(["cluster -- *", "*A fresh cluster of this test alone*"])


# -- fixtures


def test_each_test_has_a_cluster_of_its_own_and_all_share_one(
    run: Any, starts: Starts, pytester: pytest.Pytester
) -> None:
    pytester.makepyfile(
        """
        def test_1(cluster, shared_cluster): pass
        def test_2(cluster, shared_cluster): pass
        """
    )
    run().assert_outcomes(passed=2)
    assert len({made.name for made in starts.made}) == 3
    shared, first, second = (made.name for made in starts.made)
    assert starts.stopped == [first, second, shared]


def test_a_cluster_is_stopped_whatever_becomes_of_its_test(
    run: Any, starts: Starts, pytester: pytest.Pytester
) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.fixture
        def broken(cluster):
            raise OSError("no")

        def test_1(cluster): assert False
        def test_2(cluster): pytest.skip("not here")
        def test_3(broken): pass
        def test_4(cluster): raise KeyboardInterrupt
        """
    )
    run()
    assert len(starts.made) == 4 and starts.stopped == [made.name for made in starts.made]


def test_the_marker_counts_more_than_the_command_line_and_that_more_than_the_ini_file(
    run: Any, starts: Starts, pytester: pytest.Pytester
) -> None:
    pytester.makeini(
        """
        [pytest]
        kubehop_nodes = 4
        kubehop_time_scale = 0.5
        kubehop_images =
            a=echo
            b=http
        kubehop_app_dir = apps
        """
    )
    pytester.makepyfile(
        """
        import pytest

        pytestmark = pytest.mark.kubehop(nodes=7, zones=["west"])

        def test_1(cluster): pass

        @pytest.mark.kubehop(nodes=1, images="c=tcp")
        def test_2(cluster): pass

        def test_3(shared_cluster): pass
        """
    )
    run().assert_outcomes(passed=3)
    module, function, shared = (made.wishes for made in starts.made)
    root = pytester.path
    assert module == Wishes(
        nodes=7, zones=("west",), time_scale=0.5, images=("a=echo", "b=http"), app_dir=root / "apps"
    )
    assert function.nodes == 1 and function.zones == ("west",) and function.images == ("c=tcp",)
    assert shared.nodes == 4 and shared.zones == ()
    given = ("--kubehop-nodes=2", "--kubehop-image", "d=udp", "--kubehop-settled-seconds=5.5")
    run(*given).assert_outcomes(passed=3)
    module, function, shared = (made.wishes for made in starts.made[3:])
    assert (module.nodes, function.nodes, shared.nodes) == (7, 1, 2)
    assert (module.images, function.images, shared.images) == (("d=udp",), ("c=tcp",), ("d=udp",))
    assert shared.settled_seconds == 5.5 and shared.time_scale == 0.5


def test_a_directory_of_the_command_line_is_seen_from_where_it_is_typed(
    run: Any, starts: Starts, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makeini("[pytest]\nkubehop_app_dir = apps\n")
    pytester.makepyfile("def test_1(cluster): pass")
    below = pytester.mkdir("below")
    monkeypatch.chdir(below)
    run("..").assert_outcomes(passed=1)
    run("..", "--kubehop-app-dir=mine").assert_outcomes(passed=1)
    first, second = (made.wishes.app_dir for made in starts.made)
    assert first == pytester.path / "apps" and second == below / "mine"


# -- what is wrong


@pytest.mark.parametrize(
    ("marker", "words"),
    [
        ("nodez=2", "*marker kubehop: nodez= is unknown; it takes app_dir=, *nodes=*"),
        ("2", "*marker kubehop: 2 has no name; it takes *nodes=*"),
        ("nodes='two'", "*marker kubehop: nodes='two': it must be a number"),
        ("nodes=0", "*nodes=0: a cluster has 1 to 500 nodes"),
    ],
)
def test_a_wrong_marker_is_an_error_in_one_line(
    run: Any, starts: Starts, pytester: pytest.Pytester, marker: str, words: str
) -> None:
    pytester.makepyfile(
        f"""
        import pytest

        @pytest.mark.kubehop({marker})
        def test_1(cluster): pass
        """
    )
    ran = run()
    ran.assert_outcomes(errors=1)
    ran.stdout.fnmatch_lines(["*ERROR at setup of test_1*", words])
    ran.stdout.no_fnmatch_line("*plugin.py*")
    assert starts.made == []


def test_a_marker_that_would_have_no_effect_is_an_error(
    run: Any, starts: Starts, pytester: pytest.Pytester
) -> None:
    pytester.makepyfile(
        """
        import pytest

        pytestmark = pytest.mark.kubehop(nodes=2)  # some of these tests have their own cluster

        @pytest.mark.kubehop(nodes=1)
        def test_1(shared_cluster): pass

        @pytest.mark.kubehop(nodes=1)
        def test_2(shared_cluster, cluster): pass

        def test_3(shared_cluster): pass
        """
    )
    ran = run()
    ran.assert_outcomes(errors=1, passed=2)
    ran.stdout.fnmatch_lines(
        ["marker kubehop: it is for the fixture cluster; shared_cluster has the options only"]
    )


def test_a_wrong_option_ends_the_run_before_it_begins(run: Any) -> None:
    ran = run("--kubehop-nodes", "many")
    assert ran.ret == pytest.ExitCode.USAGE_ERROR
    ran.stderr.fnmatch_lines(["*--kubehop-nodes: invalid int value: 'many'"])


def test_a_wrong_ini_option_is_an_error_with_its_name(
    run: Any, starts: Starts, pytester: pytest.Pytester
) -> None:
    pytester.makeini("[pytest]\nkubehop_nodes = many\n")
    pytester.makepyfile("def test_1(cluster): pass")
    ran = run()
    ran.assert_outcomes(errors=1)
    ran.stdout.fnmatch_lines(["*kubehop_nodes = many: it must be a number"])


def test_a_cluster_that_cannot_start_says_why_and_shows_no_traceback(
    run: Any, starts: Starts, pytester: pytest.Pytester
) -> None:
    starts.error = ClusterError("control did not start; the end of control.log:\n  no space left")
    pytester.makepyfile("def test_1(cluster): pass\ndef test_2(shared_cluster): pass")
    ran = run()
    ran.assert_outcomes(errors=2)
    ran.stdout.fnmatch_lines(
        ["*no cluster for this test: control did not start*control.log:", "  no space left"]
    )
    ran.stdout.no_fnmatch_line("*Traceback*")
    ran.stdout.no_fnmatch_line("*plugin.py*")
    ran.stdout.no_fnmatch_line("*another exception*")
    assert starts.stopped == []


# -- the report of a test that failed


def test_a_failed_test_shows_its_connections_that_failed(
    run: Any, starts: Starts, pytester: pytest.Pytester
) -> None:
    pytester.makepyfile(
        """
        def test_1(cluster):
            cluster.says = "timeout: cart\\n"
            assert False

        def test_2(cluster):
            cluster.says = "not of a test that passed\\n"

        def test_3(cluster):
            assert False
        """
    )
    began = time.time()
    ran = run()
    ran.assert_outcomes(failed=2, passed=1)
    name = starts.made[0].name
    ran.stdout.fnmatch_lines([f"*- connections that failed ({name}) -*", "timeout: cart"])
    ran.stdout.no_fnmatch_line("*of a test that passed*")
    assert ran.stdout.str().count("connections that failed") == 1  # none failed: nothing to show
    assert began <= starts.made[0].reported[0] <= time.time()


def test_a_failure_on_the_way_to_the_test_shows_them_too(
    run: Any, starts: Starts, pytester: pytest.Pytester
) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.fixture
        def shop(cluster):
            cluster.says = "refused: cart\\n"
            raise OSError("no shop")

        def test_1(shop): pass
        """
    )
    run().stdout.fnmatch_lines(["*connections that failed*", "refused: cart"])


def test_a_shared_cluster_is_asked_for_the_tests_that_use_it_since_they_began(
    run: Any, starts: Starts, pytester: pytest.Pytester
) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.fixture
        def shop(shared_cluster): return shared_cluster

        def test_1(shop): assert False
        def test_2(): assert False
        def test_3(shared_cluster):
            shared_cluster.says = "timeout: cart\\n"
            assert False
        """
    )
    ran = run()
    ran.assert_outcomes(failed=3)
    (shared,) = starts.made
    first, third = shared.reported
    assert first < third
    assert ran.stdout.str().count("connections that failed") == 1


def test_a_cluster_that_does_not_answer_does_not_hide_the_failure(
    run: Any, starts: Starts, pytester: pytest.Pytester
) -> None:
    pytester.makepyfile(
        """
        def test_1(cluster):
            cluster.says = ConnectionError("gone")
            assert 1 == 2
        """
    )
    ran = run()
    ran.assert_outcomes(failed=1)
    ran.stdout.fnmatch_lines(
        ["*assert 1 == 2*", "the cluster's processes could not be asked: ConnectionError('gone')"]
    )


def test_a_test_that_is_no_function_fails_as_ever(
    run: Any, starts: Starts, pytester: pytest.Pytester
) -> None:
    """A doctest has no fixtures of its own."""
    pytester.makepyfile(module='"""\n>>> 1\n2\n"""\n')
    pytester.makepyfile("def test_1(shared_cluster): pass")
    ran = run("--doctest-modules")
    ran.assert_outcomes(failed=1, passed=1)
    ran.stdout.no_fnmatch_line("*INTERNALERROR*")


def test_the_plugin_is_found_by_its_entry_point() -> None:
    from importlib.metadata import entry_points

    (found,) = entry_points(group="pytest11", name="kubehop")
    assert found.load() is sys.modules["cluster.testing.plugin"]
    assert Path(str(found.load().__file__)).name == "plugin.py"
