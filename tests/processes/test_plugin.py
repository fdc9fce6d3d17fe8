"""The pytest plugin on real clusters: pytest as its users run it, on small test files."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
RUN_SECONDS_MAX = 90.0
STRICT_ABOUT_WARNINGS = """
[pytest]
filterwarnings = error
asyncio_default_fixture_loop_scope = function
"""
HANGS = """
def test_hangs(cluster):
    print("\\nup", cluster.name, flush=True)
    import signal
    signal.pause()
"""


class Project:
    """A user's project: test files, an ini file, and how its pytest ends."""

    def __init__(self, directory: Path, run_dir: Path, state_dir: Path) -> None:
        self.directory = directory
        self.run_dir = run_dir
        self.begun: list[subprocess.Popen[str]] = []
        self.environment = {
            **{name: os.environ[name] for name in os.environ if not name.startswith("PYTEST_")},
            "KUBEHOP_RUN_DIR": str(run_dir),
            "KUBEHOP_STATE_DIR": str(state_dir),
            "PYTHONUNBUFFERED": "1",
        }
        self.write("pytest.ini", STRICT_ABOUT_WARNINGS)

    def write(self, name: str, text: str) -> None:
        """A file of the project."""
        (self.directory / name).write_text(dedent(text))

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        """Start pytest, in a session of its own as a terminal's would be."""
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--color=no"]
        process = subprocess.Popen(
            [*command, f"--kubehop-app-dir={EXAMPLES}", *arguments],
            cwd=self.directory,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            text=True,
        )
        self.begun.append(process)
        return process

    def run(self, *arguments: str, status: int = 0) -> str:
        """Run pytest to its end; what it printed."""
        process = self.begin(*arguments)
        said, _ = process.communicate(timeout=RUN_SECONDS_MAX)
        assert process.returncode == status, said
        return said

    def processes(self) -> list[str]:
        """The processes of this project's test runs that there still are, by their directory."""
        return [name for name, directory in _directories() if directory == self.directory]

    def assert_nothing_is_left(self) -> None:
        """No process, socket, file or state of a cluster."""
        assert self.processes() == []
        assert not self.run_dir.exists() or not list(self.run_dir.iterdir())
        state = Path(self.environment["KUBEHOP_STATE_DIR"])
        assert {each.name for each in state.iterdir()} <= {"pki"}


def _directories() -> Iterator[tuple[str, Path]]:
    """Every process's title and working directory; titles take the place of environments."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            title = (process / "cmdline").read_bytes().replace(b"\0", b" ")
            yield title.decode(errors="replace"), (process / "cwd").readlink()
        except OSError:  # another user's, or gone by now
            continue


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    run_dir = Path(tempfile.mkdtemp(prefix="kh-", dir="/tmp"))  # short: it holds sockets
    state_dir = tmp_path / "state"
    state_dir.mkdir()
    directory = tmp_path / "project"
    directory.mkdir()
    made = Project(directory, run_dir, state_dir)
    yield made
    for process in made.begun:  # those of a test that failed
        process.kill()
        process.communicate(timeout=RUN_SECONDS_MAX)
    shutil.rmtree(run_dir, ignore_errors=True)


def said_up(process: subprocess.Popen[str], word: str = "up") -> str:
    """Read what pytest prints until a test says that it is there; the rest of that line."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.split()[:1] == [word]:
            return line.partition(word)[2].strip()
    raise AssertionError("pytest ended before the test ran")


# -- what the guide shows


def test_tests_of_every_kind_run_on_real_clusters(project: Project) -> None:
    """The example of the guide; fresh and shared clusters; sync tests, loops of every scope."""
    project.write(
        "test_shop.py",
        """
        import asyncio
        import pytest
        from cluster.objects.resources import DEPLOYMENTS, NODES
        from cluster.testing import ClusterUnderTest, Unreached

        pytestmark = pytest.mark.kubehop(nodes=2)
        names = set()

        async def test_frontend_reaches_cart(cluster: ClusterUnderTest):
            await cluster.apply("shop/shop.yaml")
            response = await cluster.curl("http://frontend/cart", source="internet")
            assert response.status == 200
            trace = response.trace
            assert trace.complete and not trace.missing
            assert trace.endpoint.node in ("node-1", "node-2")
            assert trace.endpoint.pod.startswith("frontend-")
            assert trace.segments[0].process == "gateway"
            names.add(cluster.name)

            reply = await cluster.datagram("clock", 9999, b"what time is it?")
            assert reply.payload and reply.trace.endpoint.pod.startswith("clock-")
            async with await cluster.connect("cart", 80, source="deploy/frontend",
                                             namespace="shop") as stream:
                stream.writer.write(b"GET /healthz HTTP/1.0\\r\\n\\r\\n")
                assert b" 200 " in await stream.reader.readline()
            assert (await cluster.trace(stream.flow_id)).endpoint.pod.startswith("cart-")

            await cluster.stop_node(trace.endpoint.node, how="crash")
            again = await cluster.trace(trace.flow_id, wait_seconds=0.1)
            assert not again.complete
            assert any(trace.endpoint.node in line for line in again.missing), again.missing

        @pytest.mark.kubehop(nodes=1)
        def test_a_plain_function_has_a_fresh_cluster(cluster):
            assert cluster.name not in names
            async def look():
                nodes = await cluster.api.list(NODES)
                deployments = await cluster.api.list(DEPLOYMENTS, namespace="shop")
                return [each["metadata"]["name"] for each in nodes.items], deployments.items
            assert asyncio.run(look()) == (["node-1"], [])
            with pytest.raises(Unreached) as caught:
                asyncio.run(cluster.curl("http://frontend/"))
            assert caught.value.kind == "nxdomain"

        @pytest.fixture(scope="session")
        def pod(shared_cluster):
            name = "web"
            asyncio.run(shared_cluster.apply({
                "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
                "spec": {"containers": [{"name": "web", "image": "registry.example/web:3"}]},
            }))
            names.add(shared_cluster.name)
            return name

        async def answers(cluster, pod):
            assert {cluster.name} < names
            ip = (await cluster.api.call("GET", f"/api/v1/namespaces/default/pods/{pod}"))[
                "status"]["podIP"]
            answer = await cluster.curl(f"http://{ip}:8080/", source=f"pod/{pod}")
            assert answer.status == 200 and answer.trace.endpoint.pod == pod

        def test_shared_by_a_plain_function(shared_cluster, pod):
            asyncio.run(answers(shared_cluster, pod))

        @pytest.mark.parametrize("turn", [1, 2])
        async def test_shared_on_a_loop_of_its_own(shared_cluster, pod, turn):
            await answers(shared_cluster, pod)

        @pytest.mark.asyncio(loop_scope="module")
        async def test_shared_on_the_modules_loop(shared_cluster, pod):
            await answers(shared_cluster, pod)

        @pytest.mark.asyncio(loop_scope="session")
        async def test_shared_on_the_sessions_loop(shared_cluster, pod):
            await answers(shared_cluster, pod)
            assert len((await shared_cluster.api.list(NODES)).items) == 1
        """,
    )
    options = ("-o", "asyncio_mode=auto", "--kubehop-nodes=1")
    said = project.run(*options, "--kubehop-image=registry.example/web:*=http")
    assert "7 passed" in said
    project.assert_nothing_is_left()


def test_strict_mode_and_fixtures_that_are_coroutines(project: Project) -> None:
    project.write(
        "test_strict.py",
        """
        import pytest, pytest_asyncio

        @pytest_asyncio.fixture
        async def shop(cluster):
            await cluster.apply("shop/shop.yaml")
            yield cluster
            await cluster.delete("shop/shop.yaml")

        @pytest.mark.asyncio
        async def test_1(shop):
            assert (await shop.curl("http://frontend/")).text == "welcome to the shop\\n"
        """,
    )
    assert "1 passed" in project.run("-o", "asyncio_mode=strict", "--kubehop-nodes=1")
    project.assert_nothing_is_left()


def test_no_plugin_for_async_tests_is_needed(project: Project) -> None:
    project.write("pytest.ini", "[pytest]\nfilterwarnings = error\nkubehop_nodes = 1\n")
    project.write(
        "test_plain.py",
        """
        import asyncio

        def test_1(cluster):
            asyncio.run(cluster.apply("shop/shop.yaml"))
            assert asyncio.run(cluster.curl("http://frontend/cart")).status == 200
        """,
    )
    assert "1 passed" in project.run("-p", "no:asyncio")
    project.assert_nothing_is_left()


def test_workers_have_clusters_of_their_own(project: Project) -> None:
    project.write(
        "test_workers.py",
        """
        import os, pathlib, pytest

        @pytest.mark.parametrize("number", [1, 2])
        async def test_it(shared_cluster, number):
            await shared_cluster.apply("shop/shop.yaml")
            response = await shared_cluster.curl("http://frontend/cart")
            assert response.status == 200
            address = response.trace.original.destination.ip
            mine = pathlib.Path(f"mine-{number}")
            mine.with_suffix(".part").write_text(f"{shared_cluster.name} {address}")
            mine.with_suffix(".part").rename(mine)
            other = pathlib.Path(f"mine-{3 - number}")
            for _ in range(1200):  # both are up at the same time
                if other.exists():
                    return
                import asyncio
                await asyncio.sleep(0.05)
            raise AssertionError("the other worker's test did not run beside this one")
        """,
    )
    options = ("-o", "asyncio_mode=auto", "--kubehop-nodes=1", "-n2", "--dist=load")
    assert "2 passed" in project.run(*options)
    mine = [(project.directory / f"mine-{number}").read_text().split() for number in (1, 2)]
    assert {name.split("-")[1] for name, _ in mine} == {"gw0", "gw1"}
    assert mine[0][1] != mine[1][1]
    project.assert_nothing_is_left()


# -- what fails


def test_a_failed_test_shows_why_its_connections_and_its_pods_failed(project: Project) -> None:
    project.write(
        "test_fails.py",
        """
        import pytest
        from cluster.testing import Unreached

        async def test_cart(cluster):
            await cluster.apply("shop/shop.yaml")
            policy = {
                "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
                "metadata": {"name": "no-cart", "namespace": "shop"},
                "spec": {"podSelector": {"matchLabels": {"app": "cart"}},
                         "policyTypes": ["Ingress"]},
            }
            await cluster.apply(policy)
            with pytest.raises(Unreached) as caught:
                await cluster.curl("http://cart/", source="pod/twin", namespace="shop",
                                   timeout_seconds=0.5)
            assert caught.value.kind == "timeout" and caught.value.trace.code == "POLICY_DENIED"
            response = await cluster.curl("http://frontend/cart")
            assert response.status == 200

        def test_never(cluster): pass
        """,
    )
    options = ("-o", "asyncio_mode=auto", "--kubehop-nodes=2", "-x")
    said = project.run(*options, status=1)
    assert "assert 502 == 200" in said and "1 failed" in said and "stopping after 1" in said
    report = said.partition("connections that failed")[2]
    assert report.count("timeout: cart:80 from pod/shop/twin") == 1
    assert report.count("pod shop/twin → service shop/cart") == 1
    assert "pod shop/frontend-" in report  # the connection that no test made
    assert report.count("denied: shop/no-cart selects shop/cart-") == 2
    assert report.count("POLICY_DENIED") == 2
    project.assert_nothing_is_left()


def test_a_cluster_that_cannot_start_says_why_with_the_last_lines_of_the_log(
    project: Project,
) -> None:
    project.write("test_never.py", "def test_never(cluster): pass\n")
    said = project.run("--kubehop-nodes=1", "--kubehop-image=web=nothing", status=1)
    assert "no cluster for this test: node-1 did not start" in said
    assert "logs/node-1.log" in said and "there is no workload 'nothing'; there are " in said
    assert "Traceback" not in said and "plugin.py" not in said
    assert project.processes() == []


# -- what ends early


def test_a_killed_pytest_leaves_no_cluster(project: Project) -> None:
    """After `kill -9` nobody of pytest can clean up: the guard does, as its input ends."""
    project.write("test_hangs.py", HANGS)
    process = project.begin("--capture=no", "--kubehop-nodes=1")
    name = said_up(process)
    assert any(f"launcher ({name})" in each for each in project.processes())
    process.kill()
    process.communicate(timeout=RUN_SECONDS_MAX)  # its output ends with the guard
    project.assert_nothing_is_left()


def test_a_pytest_that_is_killed_while_a_cluster_starts_leaves_none(project: Project) -> None:
    project.write("test_hangs.py", HANGS)
    project.write(
        "conftest.py",
        """
        from cluster.testing.guard import Guard

        launch = Guard.launch

        def launch_and_tell(guard, spec):
            descriptor = launch(guard, spec)
            print("\\nlaunching", flush=True)
            return descriptor

        Guard.launch = launch_and_tell
        """,
    )
    process = project.begin("--capture=no", "--kubehop-nodes=1")
    said_up(process, "launching")
    process.kill()
    process.communicate(timeout=RUN_SECONDS_MAX)
    project.assert_nothing_is_left()


def test_ctrl_c_ends_the_cluster(project: Project) -> None:
    project.write("test_hangs.py", HANGS)
    process = project.begin("--capture=no", "--kubehop-nodes=1")
    said_up(process)
    os.killpg(process.pid, signal.SIGINT)
    said, _ = process.communicate(timeout=RUN_SECONDS_MAX)
    assert process.returncode == pytest.ExitCode.INTERRUPTED and "KeyboardInterrupt" in said
    project.assert_nothing_is_left()
