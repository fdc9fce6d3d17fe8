"""The transition table of a pod: what is started when."""

from dataclasses import replace

import pytest

from node_agent.kubelet.pod_state import (
    LOST,
    ContainerRecord,
    Plan,
    PodContainers,
    RestartPolicy,
    Terminated,
    Waiting,
    plan,
    restore,
)
from node_agent.kubelet.timestamps import seconds_text

NOW = 1000.0


def pod(init=(), main=("app",), policy="Always", status=None):
    return {
        "metadata": {"name": "web", "namespace": "shop", "uid": "u1"},
        "spec": {
            "restartPolicy": policy,
            "initContainers": [each if isinstance(each, dict) else {"name": each} for each in init],
            "containers": [each if isinstance(each, dict) else {"name": each} for each in main],
        },
        "status": status or {},
    }


SIDECAR = {"name": "proxy", "restartPolicy": "Always"}


class Life:
    """A pod's records, moved by hand."""

    def __init__(self, document):
        self.containers = PodContainers.of(document)
        self.records = {each["name"]: ContainerRecord() for each in self.containers.all}

    def start(self, *names, started=True):
        for name in names:
            begun = self.records[name].begin(NOW)
            self.records[name] = replace(begun, started=started, ready=started)

    def end(self, name, code=0, now=NOW):
        self.records[name] = self.records[name].end(code, now, scale=1.0)

    def plan(self, now=NOW) -> Plan:
        return plan(self.containers, self.records, now)


def test_init_containers_run_in_order_each_to_success_before_the_main_ones():
    """P-41."""
    life = Life(pod(init=["one", "two"], main=["app", "log"]))
    assert life.plan().start == ("one",)
    life.start("one")
    assert life.plan().start == ()
    life.end("one")
    assert life.plan().start == ("two",)
    assert not life.plan().initialized
    life.start("two")
    life.end("two")
    assert life.plan().start == ("app", "log")
    assert life.plan().initialized


def test_a_failed_init_container_is_tried_again_with_back_off():
    """P-41, P-42."""
    life = Life(pod(init=["one"]))
    for _ in range(2):
        life.start("one")
        life.end("one", code=1)
    waiting = life.plan()
    assert (waiting.start, waiting.back_off, waiting.wake_at) == ((), ("one",), NOW + 10)
    assert life.plan(now=NOW + 10).start == ("one",)


def test_a_failed_init_container_fails_a_pod_that_never_restarts():
    """P-38, P-42."""
    life = Life(pod(init=["one"], policy="Never"))
    life.start("one")
    life.end("one", code=1)
    assert (life.plan().finished, life.plan().failed) == (True, True)


def test_a_sidecar_runs_on_and_the_next_starts_when_it_has_started():
    """P-41."""
    life = Life(pod(init=[SIDECAR, "migrate"]))
    assert life.plan().start == ("proxy",)
    life.start("proxy", started=False)
    assert life.plan().start == ()
    life.start("proxy")
    assert life.plan().start == ("migrate",)


def test_a_sidecar_that_ends_is_started_again_beside_running_containers():
    """P-41."""
    life = Life(pod(init=[SIDECAR]))
    life.start("proxy")
    life.start("app")
    life.end("proxy")
    assert life.plan().start == ("proxy",)
    assert life.plan().initialized


@pytest.mark.parametrize(
    ("policy", "code", "again"),
    [
        ("Always", 0, True),
        ("Always", 1, True),
        ("OnFailure", 0, False),
        ("OnFailure", 1, True),
        ("Never", 0, False),
        ("Never", 1, False),
    ],
)
def test_the_restart_policy_decides_who_runs_again(policy, code, again):
    """P-42."""
    life = Life(pod(policy=policy))
    life.start("app")
    life.end("app", code=code)
    assert (life.plan().start == ("app",)) is again
    assert life.plan().finished is not again
    assert life.plan().failed is (not again and code != 0)


def test_a_pod_is_finished_only_when_all_its_containers_are():
    """P-38."""
    life = Life(pod(main=["app", "log"], policy="Never"))
    life.start("app", "log")
    life.end("app")
    assert not life.plan().finished
    life.end("log", code=3)
    assert (life.plan().finished, life.plan().failed) == (True, True)


def test_a_containers_own_restart_policy_wins_over_the_pods():
    containers = PodContainers.of(pod(main=[{"name": "app", "restartPolicy": "Never"}]))
    assert containers.policy_of(containers.main[0]) is RestartPolicy.NEVER


def test_a_restart_counts_and_keeps_how_the_run_before_ended():
    """P-42."""
    record = ContainerRecord().begin(NOW).end(3, NOW + 5, scale=1.0)
    again = record.begin(NOW + 6)
    assert again.restarts == 1
    assert again.last == Terminated(3, NOW, NOW + 5)
    assert not again.ready and not again.started


def test_waiting_between_two_runs_keeps_how_the_last_one_ended():
    record = ContainerRecord().begin(NOW).end(3, NOW, scale=1.0).wait("CrashLoopBackOff", "soon")
    assert record.state == Waiting("CrashLoopBackOff", "soon")
    assert record.ended is not None and record.ended.exit_code == 3
    assert record.begin(NOW + 1).restarts == 1


def status_of(state, restarts=0, name="app", field="containerStatuses"):
    return {field: [{"name": name, "state": state, "restartCount": restarts}]}


def test_containers_of_an_agent_that_died_count_as_restarted():
    """P-8: the pod goes on, its containers are new."""
    document = pod(status=status_of({"running": {}}, restarts=2))
    records = restore(document, NOW)
    assert records["app"].ended is not None and records["app"].ended.exit_code == LOST
    assert plan(PodContainers.of(document), records, NOW).start == ("app",)
    assert records["app"].begin(NOW).restarts == 3


def test_a_pod_that_never_restarts_fails_when_its_agent_died():
    document = pod(policy="Never", status=status_of({"running": {}}))
    step = plan(PodContainers.of(document), restore(document, NOW), NOW)
    assert (step.finished, step.failed) == (True, True)


def test_init_containers_run_again_in_the_new_sandbox():
    done = {"terminated": {"exitCode": 0}}
    document = pod(
        init=["one"],
        status={
            **status_of(done, name="one", field="initContainerStatuses"),
            **status_of({"running": {}}),
        },
    )
    assert plan(PodContainers.of(document), restore(document, NOW), NOW).start == ("one",)


def test_a_pod_without_a_status_has_done_nothing_yet():
    assert restore(pod(), NOW) == {"app": ContainerRecord()}


def test_a_run_that_nobody_saw_end_keeps_its_beginning():
    began = "2026-01-01T00:00:00Z"
    records = restore(pod(status=status_of({"running": {"startedAt": began}})), NOW)
    assert records["app"].ended is not None
    assert seconds_text(records["app"].ended.started_at) == began


def test_a_container_that_waited_to_restart_counts_one_more():
    """P-42: killed between two runs, it had ended already."""
    waiting = {"waiting": {"reason": "CrashLoopBackOff"}}
    status = status_of(waiting, restarts=3)
    status["containerStatuses"][0]["lastState"] = {"terminated": {"exitCode": 1}}
    record = restore(pod(status=status), NOW)["app"]
    assert record.begin(NOW).restarts == 4


def with_ephemeral(document, *names):
    held = [{"name": each} for each in names]
    return {**document, "spec": {**document["spec"], "ephemeralContainers": held}}


def test_an_ephemeral_container_runs_once_and_whatever_the_others_do():
    life = Life(with_ephemeral(pod(init=["one"]), "debug"))
    assert life.plan().start == ("debug", "one")
    life.start("debug", "one")
    life.end("debug", 1)
    life.end("one")
    assert life.plan().start == ("app",)
    life.start("app")
    assert life.plan() == Plan(initialized=True)


def test_a_pod_is_finished_whether_an_ephemeral_container_runs_or_not():
    life = Life(with_ephemeral(pod(policy="Never"), "debug", "late"))
    life.start("debug", "app")
    life.end("app")
    assert life.plan() == Plan(initialized=True, finished=True)


def test_an_ephemeral_container_that_died_with_its_agent_is_not_started_again():
    running = status_of({"running": {}}, name="debug", field="ephemeralContainerStatuses")
    document = with_ephemeral(pod(status=running), "debug")
    records = restore(document, NOW)
    assert records["debug"].ended is not None and records["debug"].ended.exit_code == LOST
    assert plan(PodContainers.of(document), records, NOW).start == ("app",)
