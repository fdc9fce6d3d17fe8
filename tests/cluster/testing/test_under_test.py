"""The cluster in the hands of a test; sockets of this machine stand for it."""

import signal
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from cluster.errors import ConfigError
from cluster.testing import NoTrace, Query, Unreached
from cluster.testing.under_test import ClusterUnderTest
from cluster.testing.wishes import Wishes
from cluster.wire.addresses import SocketAddress


@pytest.fixture
def under_test(launched: Any, machine: Any, tmp_path: Path) -> ClusterUnderTest:
    return ClusterUnderTest(launched, Wishes(nodes=2, app_dir=tmp_path, settled_seconds=12.0))


def closed_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


async def test_it_says_which_it_is(under_test: ClusterUnderTest, run_dir: Path) -> None:
    assert repr(under_test) == f"<cluster t-1-1, 2 nodes, {run_dir}>"
    assert under_test.kubeconfig == run_dir / "kubeconfig"


async def test_an_answer_has_the_trace_of_its_connection(
    under_test: ClusterUnderTest, machine: Any, make_segment: Any
) -> None:
    port = await machine.web("hello")
    gateway = await machine.process("gateway")
    stream = await under_test.connect("127.0.0.1", port)
    ip, source = stream.writer.get_extra_info("sockname")[:2]
    await stream.close()
    assert ip == "127.0.0.1"
    gateway.record(make_segment("abcd", "delivered", source=f"203.0.113.1:{source}"))
    found = await under_test.trace(Query(source=SocketAddress("203.0.113.1", source)))
    assert found.flow_id == "abcd"
    answer = await under_test.curl(f"http://127.0.0.1:{port}/")
    assert (answer.status, answer.text) == (200, "hello")


async def test_headers_and_bodies_come_in_the_forms_that_tests_have(
    under_test: ClusterUnderTest, machine: Any
) -> None:
    url = f"http://127.0.0.1:{await machine.web('')}/"
    for headers in ({"Say": "a"}, [("Say", "a")]):
        for body in ("ü", "ü".encode()):
            answer = await under_test.curl(url, method="POST", headers=headers, body=body)
            assert answer.text == "aü"


async def test_an_answer_of_what_nobody_recorded_has_no_trace(
    under_test: ClusterUnderTest, machine: Any
) -> None:
    answer = await under_test.curl(f"http://127.0.0.1:{await machine.web('hello')}/")
    with pytest.raises(NoTrace, match="no process of the cluster has recorded"):
        _ = answer.trace


async def test_what_gets_no_answer_is_raised_and_reported(
    under_test: ClusterUnderTest, machine: Any, make_segment: Any
) -> None:
    node = await machine.process("node-1")
    began, port = time.time(), closed_port()
    with pytest.raises(Unreached) as caught:
        await under_test.curl(f"http://127.0.0.1:{port}/", timeout_seconds=5)
    assert caught.value.kind == "refused"
    with pytest.raises(Unreached):
        await under_test.connect("127.0.0.1", port)
    node.record(make_segment("beef", "refused"))
    text = await under_test.report(began)
    assert text.count(f"refused: 127.0.0.1:{port} from internet") == 2
    assert "flow beef" in text
    assert await under_test.report(time.time() + 1) == ""


async def test_a_place_that_there_is_not_is_said(under_test: ClusterUnderTest) -> None:
    with pytest.raises(ConfigError, match="'moon' is no place to send from"):
        await under_test.curl("http://frontend/", source="moon")


async def test_objects_are_applied_and_waited_for(
    under_test: ClusterUnderTest, machine: Any, launched: Any, tmp_path: Path
) -> None:
    machine.api.answers["/api/v1"] = {
        "resources": [{"name": "pods", "kind": "Pod", "namespaced": True}]
    }
    text = "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\n"
    (tmp_path / "web.yaml").write_text(text)
    machine.api.answers["/api/v1/namespaces/default/pods"] = {
        "items": [],
        "metadata": {"resourceVersion": "7"},
    }
    assert await under_test.apply("web.yaml") == ["Pod default/web created"]
    assert launched.orders == [{"verb": "settled", "seconds": 12.0}]
    await under_test.apply(text, settle=False)
    await under_test.delete(text)
    assert ("DELETE", "/api/v1/namespaces/default/pods/web") in [
        (method, path.partition("?")[0]) for method, path, _ in machine.api.asked
    ]
    assert launched.orders[1:] == [{"verb": "settled", "seconds": 12.0}]
    await under_test.settled(3.0)
    assert launched.orders[-1] == {"verb": "settled", "seconds": 3.0}


async def test_processes_and_nodes_are_the_launchers(
    under_test: ClusterUnderTest, launched: Any
) -> None:
    await under_test.stop_node("node-2", how="power-off")
    await under_test.start_node("node-2")
    await under_test.kill("gateway")
    await under_test.kill("dns", signal.SIGSTOP)
    launched.answer = {"processes": [{"name": "dns", "pid": 7}]}
    assert (await under_test.processes())["dns"]["pid"] == 7
    assert launched.orders == [
        {"verb": "stop_node", "name": "node-2", "how": "power-off"},
        {"verb": "start_node", "name": "node-2"},
        {"verb": "kill", "name": "gateway", "signal": 9},
        {"verb": "kill", "name": "dns", "signal": int(signal.SIGSTOP)},
        {"verb": "status"},
    ]


async def test_kubectl_speaks_to_this_cluster(
    under_test: ClusterUnderTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kubectl = tmp_path / "kubectl"
    kubectl.write_text('#!/bin/sh\necho "$KUBECONFIG" "$@"\n')
    kubectl.chmod(0o755)
    monkeypatch.setenv("KUBEHOP_KUBECTL", str(kubectl))
    ran = await under_test.kubectl("get", "pods")
    kubeconfig, cache, *rest = str(ran).split()
    assert kubeconfig == str(under_test.kubeconfig) and rest == ["get", "pods"]
    assert cache.startswith("--cache-dir=")
