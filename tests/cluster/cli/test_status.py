"""`kubehop status`: asks the launcher, the API and every process."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from cluster.cli import status as module
from cluster.cli.exits import FAILED, OK
from cluster.cli.status import process_rows, programmed, report_of, unserved
from cluster.errors import ApiError

PROCESS = {"name": "node-1", "state": "ready", "pid": 7, "restarts": 1, "seconds": 2.5}
NODE = {
    "metadata": {"name": "node-1"},
    "spec": {},
    "status": {"conditions": [{"type": "Ready", "status": "True"}]},
}


class Access:
    """Processes that answer `/programmed` as the test says."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.asked: list[tuple[str, str, dict[str, str]]] = []

    async def endpoints(self) -> dict[str, str]:
        return {name.replace("_", "-"): name for name in self.answers}

    async def ask(self, where: str, path: str, parameters: dict[str, str]) -> tuple[int, bytes]:
        self.asked.append((where, path, parameters))
        answer = self.answers[where]
        if isinstance(answer, Exception):
            raise answer
        return answer


class Api:
    """One node and nothing else; or nobody."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error

    async def list(self, resource: Any) -> SimpleNamespace:
        if self.error:
            raise self.error
        return SimpleNamespace(items=[NODE] if resource.plural == "nodes" else [])

    async def call(self, method: str, path: str) -> dict[str, str]:
        return {"services": "5", "pods": "7", "secrets": "9"}


class Running:
    """A launcher with one process."""

    kubeconfig = "/state/demo/kubeconfig"
    run_dir = "/run/demo"

    def __init__(self, *processes: dict[str, Any]) -> None:
        self.processes = processes or (PROCESS,)

    async def call(self, verb: str) -> dict[str, Any]:
        assert verb == "status"
        return {
            "name": "demo",
            "api": "https://127.64.0.254:6443",
            "processes": list(self.processes),
        }


def cluster(api: Api | None = None, access: Access | None = None) -> Any:
    found = access or Access(node_1=(200, b""))
    return SimpleNamespace(running=Running(), api=api or Api(), access=found)


async def test_a_report_is_of_launcher_api_and_processes():
    report = await report_of(cluster())
    assert (report.name, report.api_url) == ("demo", "https://127.64.0.254:6443")
    assert [each.name for each in report.nodes] == ["node-1"]
    assert report.programmed == {"node-1": ""}
    assert report.healthy


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (ConnectionError("Connection refused"), "Connection refused"),
        (ApiError({"message": "the store is locked"}), "the store is locked"),
        (TimeoutError(), "nothing within 5 s"),
    ],
)
async def test_a_silent_api_is_a_problem_and_no_failure(error, problem):
    report = await report_of(cluster(Api(error)))
    assert report.problem == problem
    assert [each.name for each in report.processes] == ["node-1"]
    assert not report.healthy


async def test_every_process_is_asked_for_the_versions_that_decisions_read():
    access = Access(node_1=(200, b""), gateway=(200, b"[]"))
    await report_of(cluster(access=access))
    asked = [each for each in access.asked if each[1] == "/programmed"]
    assert [where for where, _, _ in asked] == ["node_1", "gateway"]
    assert asked[0][2].items() >= {"services": "5", "pods": "7"}.items()
    assert "secrets" not in asked[0][2]


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (
            (200, b'[{"service": "shop/web", "port": "80/TCP", "problem": "in use"}]'),
            ("shop/web 80/TCP is not served: in use",),
        ),
        ((200, b"[]"), ()),
        ((500, b""), ()),
        (ConnectionRefusedError("refused"), ()),
    ],
)
async def test_the_gateway_is_asked_what_it_could_not_bind(answer, told):
    access = Access(gateway=answer)
    assert await unserved(access) == told
    assert access.asked == [("gateway", "/fronts", {})]


async def test_without_a_gateway_nothing_is_unserved():
    assert await unserved(Access(node_1=(200, b""))) == ()


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ((200, b"ok"), ""),
        ((504, b"services 4 of 5\n"), "services 4 of 5"),
        ((504, b""), "status 504"),
        (ConnectionRefusedError("refused"), "does not answer (refused)"),
        (TimeoutError(), "does not answer (TimeoutError)"),
    ],
)
async def test_who_is_not_up_to_date_says_why(answer, why):
    assert await programmed(Access(dns=answer), {"services": "5"}) == {"dns": why}


async def test_processes_can_be_left_out():
    access = Access(node_1=(200, b""), dns=(200, b""))
    assert await programmed(access, {}, but=["dns"]) == {"node-1": ""}


def test_a_process_that_does_not_run_has_neither_pid_nor_age():
    (row,) = process_rows([{**PROCESS, "pid": None, "seconds": None, "state": "stopped"}])
    assert (row.pid, row.seconds, row.state) == (0, 0.0, "stopped")


@pytest.mark.parametrize(("state", "status"), [("ready", OK), ("waiting", FAILED)])
@pytest.mark.parametrize("output", ["text", "json"])
def test_it_is_shown_and_its_status_says_whether_all_is_well(
    options_of, terminal, monkeypatch, state, status, output
):
    async def found(name: str) -> Any:
        made = cluster()
        made.running = Running({**PROCESS, "state": state})
        return await report_of(made)

    monkeypatch.setattr(module, "_report", found)
    assert module.run(options_of("status", "-o", output), terminal) == status
    if output == "json":
        assert json.loads(terminal.out.text)["healthy"] is (status == OK)
    else:
        assert terminal.out.text.startswith("cluster demo: 1 node, programmed on 1/1 nodes\n")
    assert terminal.err.text == ""
