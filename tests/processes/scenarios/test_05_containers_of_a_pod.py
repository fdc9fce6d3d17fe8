"""Scenario 5: container -> container in one pod over localhost; one port belongs to one of them."""

from typing import Any

import pytest

from cluster.objects.resources import PODS

CRASHING = "CrashLoopBackOff"
TEXTS = {90: "the front of the twin\n", 95: "the back of the twin\n"}


@pytest.mark.parametrize("port", TEXTS)
async def test_localhost_is_the_same_for_both(shop: Any, read: Any, port: int) -> None:
    """P-5, P-119."""
    answer = await shop.curl(f"http://localhost:{port}/", "pod/twin")
    assert answer.text == TEXTS[port]
    (hop,) = answer.trace.hops
    assert hop.step.reason == f"localhost: a container of the pod listens on {port}"
    (twin,) = await shop.pods("twin")
    assert read.processes(answer.trace) == [twin.node]


@pytest.mark.parametrize("port", TEXTS)
@pytest.mark.parametrize("same_node", [True, False])
async def test_from_outside_both_stand_behind_the_pods_address(
    shop: Any, port: int, same_node: bool
) -> None:
    """P-5, P-2."""
    visitor, twin = await shop.pair("twin", same_node=same_node)
    answer = await shop.curl(f"http://{twin.ip}:{port}/", f"pod/{visitor.name}")
    assert answer.text == TEXTS[port]
    assert answer.trace.endpoint.port == port


async def test_no_other_port_of_localhost_answers(shop: Any) -> None:
    """P-9: refused at once, and the trace says that nobody listens."""
    failure = await shop.failure("http://localhost:91/", "pod/twin")
    assert failure.kind == "refused" and failure.trace.code == "PORT_CLOSED"


async def test_localhost_of_another_pod_is_another(shop: Any) -> None:
    """P-7: what listens in the twin does not listen in the frontend."""
    frontend = await shop.pod("frontend")
    failure = await shop.failure("http://localhost:90/", f"pod/{frontend.name}")
    assert failure.kind == "refused"


async def test_the_second_bind_of_a_port_fails(shop: Any) -> None:
    """P-6, P-42: EADDRINUSE for the second container, which crashes; the first one serves."""
    await shop.cluster.apply("shop/clash.yaml", settle=False)
    try:
        found = await shop.until(PODS, lambda pods: any(map(_backing_off, pods)))
        (clash,) = (each for each in found if each["metadata"]["name"] == "clash")
        first, second = _statuses(clash)
        assert first["ready"] and "running" in first["state"] and first["restartCount"] == 0
        assert not second["ready"] and second["restartCount"] >= 1
        ended = second["lastState"]["terminated"]
        assert (ended["exitCode"], ended["reason"]) == (1, "Error")
        (ready,) = (each for each in clash["status"]["conditions"] if each["type"] == "Ready")
        assert (ready["status"], ready["reason"]) == ("False", "ContainersNotReady")
        log = await shop.cluster.kubectl("logs", "clash", "-c", "second", "-n", "shop", "-p")
        assert "[Errno 98] Address already in use" in log.stdout
        answer = await shop.curl(f"http://{clash['status']['podIP']}:90/", "pod/twin")
        assert answer.status == 200
    finally:
        await shop.cluster.delete("shop/clash.yaml")


def _statuses(pod: dict[str, Any]) -> list[dict[str, Any]]:
    return sorted(pod["status"].get("containerStatuses") or (), key=lambda each: each["name"])


def _backing_off(pod: dict[str, Any]) -> bool:
    """Its second container has been started again, and waits to be once more."""
    return pod["metadata"]["name"] == "clash" and any(
        each["restartCount"] and each["state"].get("waiting", {}).get("reason") == CRASHING
        for each in _statuses(pod)
    )
