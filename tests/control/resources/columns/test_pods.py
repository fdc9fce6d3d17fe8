"""The status of a pod in one word, as `kubectl get pods` shows it."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from control.resources.columns.pods import PODS, summary

READY = {"type": "Ready", "status": "True"}
RUNNING = {"running": {"startedAt": "2026-01-01T11:55:00Z"}}
DELETED = {"deletionTimestamp": "2026-01-01T12:00:00Z"}


def container(name: str, state: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"name": name, "state": state, "restartCount": 0, "ready": False, **fields}


def running(name: str = "web", **fields: Any) -> dict[str, Any]:
    return container(name, RUNNING, ready=True, **fields)


def waiting(reason: str, name: str = "web", **fields: Any) -> dict[str, Any]:
    return container(name, {"waiting": {"reason": reason}}, **fields)


def ended(code: int, reason: str = "", name: str = "web", **fields: Any) -> dict[str, Any]:
    terminated = {"exitCode": code, **({"reason": reason} if reason else {})}
    return container(name, {"terminated": terminated}, **fields)


def pod(
    *containers: dict[str, Any],
    phase: str = "Running",
    inits: tuple[dict[str, Any], ...] = (),
    sidecars: tuple[str, ...] = (),
    conditions: tuple[dict[str, Any], ...] = (),
    metadata: dict[str, Any] | None = None,
    **status: Any,
) -> dict[str, Any]:
    init_specs = [
        {"name": each["name"], **({"restartPolicy": "Always"} if each["name"] in sidecars else {})}
        for each in inits
    ]
    return {
        "metadata": {"name": "cart-0", **(metadata or {})},
        "spec": {
            "containers": [{"name": each["name"]} for each in containers] or [{"name": "web"}],
            "initContainers": init_specs,
        },
        "status": {
            "phase": phase,
            "containerStatuses": list(containers),
            "initContainerStatuses": list(inits),
            "conditions": list(conditions),
            **status,
        },
    }


def reason(document: dict[str, Any]) -> str:
    return summary(document).reason


def ready(document: dict[str, Any]) -> str:
    told = summary(document)
    return f"{told.ready}/{told.total}"


def test_a_pod_without_container_statuses_shows_its_phase() -> None:
    assert reason(pod(phase="Pending")) == "Pending"
    assert ready(pod(phase="Pending")) == "0/1"


def test_a_running_pod_counts_its_ready_containers() -> None:
    document = pod(running(), container("log", RUNNING))
    assert (reason(document), ready(document)) == ("Running", "1/2")


@pytest.mark.parametrize(
    "word", ["ContainerCreating", "CrashLoopBackOff", "ImagePullBackOff", "ErrImagePull"]
)
def test_what_a_container_waits_for_is_the_status(word: str) -> None:
    """P-44."""
    assert reason(pod(waiting(word), phase="Pending")) == word


def test_the_first_container_that_says_something_wins() -> None:
    assert reason(pod(running(), waiting("CrashLoopBackOff", "b"), waiting("Other", "c"))) == (
        "CrashLoopBackOff"
    )


def test_a_container_that_ended_tells_how() -> None:
    """P-44."""
    assert reason(pod(ended(0, "Completed"), phase="Succeeded")) == "Completed"
    assert reason(pod(ended(1, "Error"), phase="Failed")) == "Error"
    assert reason(pod(ended(3))) == "ExitCode:3"
    signalled = container("web", {"terminated": {"exitCode": 137, "signal": 9}})
    assert reason(pod(signalled)) == "Signal:9"


def test_a_pod_whose_other_container_still_runs_is_not_completed() -> None:
    both = ended(0, "Completed"), running("log")
    assert reason(pod(*both, conditions=(READY,))) == "Running"
    assert reason(pod(*both)) == "NotReady"


def test_a_pods_own_reason_stands_before_its_phase() -> None:
    assert reason(pod(phase="Failed", reason="Evicted")) == "Evicted"


def test_init_containers_count_up_until_all_are_through() -> None:
    """P-44."""
    first, second = ended(0, "Completed", "a"), container("b", RUNNING)
    document = pod(waiting("PodInitializing"), phase="Pending", inits=(first, second))
    assert (reason(document), ready(document)) == ("Init:1/2", "0/1")


def test_an_init_container_that_fails_is_named() -> None:
    def init(status: dict[str, Any]) -> str:
        return reason(pod(waiting("PodInitializing"), phase="Pending", inits=(status,)))

    assert init(ended(1, "Error", "a")) == "Init:Error"
    assert init(ended(2, "", "a")) == "Init:ExitCode:2"
    assert init(waiting("CrashLoopBackOff", "a")) == "Init:CrashLoopBackOff"
    assert init(waiting("PodInitializing", "a")) == "Init:0/1"
    signalled = container("a", {"terminated": {"exitCode": 137, "signal": 9}})
    assert init(signalled) == "Init:Signal:9"


def test_a_sidecar_counts_as_a_container_and_does_not_hold_the_pod_up() -> None:
    sidecar = running("proxy", started=True)
    document = pod(running(), inits=(sidecar,), sidecars=("proxy",))
    assert (reason(document), ready(document)) == ("Running", "2/2")
    starting = pod(
        waiting("PodInitializing"), inits=({**sidecar, "started": False},), sidecars=("proxy",)
    )
    assert (reason(starting), ready(starting)) == ("Init:0/1", "0/2")


def test_an_initialized_pod_whose_init_container_restarts_shows_its_containers() -> None:
    broken = ended(1, "Error", "a")
    initialized = {"type": "Initialized", "status": "True"}
    assert reason(pod(running(), inits=(broken,), conditions=(initialized,))) == "Init:Error"
    document = pod(waiting("CrashLoopBackOff"), inits=(broken,), conditions=(initialized,))
    assert reason(document) == "CrashLoopBackOff"


def test_scheduling_gates_hold_a_pod() -> None:
    gated = {"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}
    assert reason(pod(phase="Pending", conditions=(gated,))) == "SchedulingGated"


def test_a_deleted_pod_is_terminating_until_it_is_over() -> None:
    """P-44."""
    assert reason(pod(running(), metadata=DELETED)) == "Terminating"
    over = pod(ended(0, "Completed"), phase="Succeeded", metadata=DELETED)
    assert reason(over) == "Completed"


def test_a_deleted_pod_of_a_node_that_is_lost_is_unknown() -> None:
    assert reason(pod(running(), reason="NodeLost", metadata=DELETED)) == "Unknown"
    assert reason(pod(reason="NodeLost")) == "NodeLost"


def test_restarts_are_added_up_with_the_time_of_the_last(
    now: datetime, before: Callable[[float], str]
) -> None:
    def restarted(name: str, count: int, seconds: float) -> dict[str, Any]:
        last = {"terminated": {"exitCode": 1, "finishedAt": before(seconds)}}
        return running(name, restartCount=count, lastState=last)

    both = pod(restarted("a", 1, 600), restarted("b", 2, 120))
    assert summary(both).restarts_text(now) == "3 (2m ago)"
    assert summary(pod(running())).restarts_text(now) == "0"
    assert summary(pod(running(restartCount=4))).restarts_text(now) == "4"


def test_restarts_of_init_containers_count_only_while_the_pod_initializes() -> None:
    init = {**waiting("CrashLoopBackOff", "a"), "restartCount": 5}
    assert summary(pod(waiting("PodInitializing"), inits=(init,))).restarts == 5
    done = {**ended(0, "Completed", "a"), "restartCount": 5}
    assert summary(pod(running(restartCount=1), inits=(done,))).restarts == 1
    sidecar = running("a", started=True, restartCount=2)
    both = pod(running(restartCount=1), inits=(sidecar,), sidecars=("a",))
    assert summary(both).restarts == 3


def test_the_row_of_a_pod(now: datetime, document: Callable[..., dict[str, Any]]) -> None:
    made = pod(running(), podIP="10.244.1.2", podIPs=[{"ip": "10.244.1.2"}])
    made["spec"] |= {
        "nodeName": "node-1",
        "readinessGates": [{"conditionType": "open"}, {"conditionType": "shut"}],
    }
    made["status"]["conditions"] = [{"type": "open", "status": "True"}]
    cells = PODS.row(document("cart-0", spec=made["spec"], status=made["status"]), now)
    told = ["cart-0", "1/1", "Running", "0", "5m", "10.244.1.2", "node-1", "<none>", "1/2"]
    assert cells == told


def test_a_pod_that_was_just_made_shows_none_in_wide_columns(now: datetime) -> None:
    assert PODS.row(pod(phase="Pending"), now)[4:] == ["<unknown>", *["<none>"] * 4]


def test_rows_of_pods_that_are_over_say_so() -> None:
    [condition] = PODS.conditions(pod(phase="Succeeded"))
    assert condition["type"] == "Completed"
    assert condition["reason"] == "Succeeded"
    assert PODS.conditions(pod(phase="Failed"))[0]["reason"] == "Failed"
    assert PODS.conditions(pod()) == []
