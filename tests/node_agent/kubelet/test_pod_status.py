"""The status document of a pod."""

from dataclasses import replace

from node_agent.kubelet.pod_state import ContainerRecord, PodContainers
from node_agent.kubelet.pod_status import PodFacts, patch_of, phase_of, status_of

NOW = 1_800_000_000.0
FACTS = PodFacts(now=NOW, host_ip="172.30.0.1", ip="10.244.1.5", initialized=True)


def pod(**spec):
    return {
        "metadata": {"name": "web", "namespace": "shop", "uid": "u1"},
        "spec": {"containers": [{"name": "app", "image": "echo"}], **spec},
    }


RUNNING = ContainerRecord().begin(NOW)
READY = replace(RUNNING, started=True, ready=True)


def conditions(status):
    return {each["type"]: each for each in status["conditions"]}


def test_a_running_and_ready_pod():
    """P-38, P-39."""
    status = status_of(pod(), {"app": READY}, FACTS, {})
    assert status["phase"] == "Running"
    held = {kind: each["status"] for kind, each in conditions(status).items()}
    assert held == dict.fromkeys(
        (
            "PodReadyToStartContainers",
            "Initialized",
            "Ready",
            "ContainersReady",
            "PodScheduled",
        ),
        "True",
    )
    assert status["containerStatuses"][0]["state"]["running"]["startedAt"].endswith("Z")


def test_pod_ip_equals_the_first_of_pod_ips_and_host_ip_is_the_nodes():
    """P-12, P-13."""
    status = status_of(pod(), {"app": READY}, FACTS, {})
    assert status["podIP"] == status["podIPs"][0]["ip"] == "10.244.1.5"
    assert status["hostIP"] == status["hostIPs"][0]["ip"] == "172.30.0.1"


def test_no_pod_ip_before_the_network_stands():
    """P-15."""
    status = status_of(pod(), {"app": ContainerRecord()}, replace(FACTS, ip=None), {})
    assert "podIP" not in status
    assert conditions(status)["PodReadyToStartContainers"]["status"] == "False"
    assert status["phase"] == "Pending"
    assert status["containerStatuses"][0]["state"]["waiting"]["reason"] == "ContainerCreating"


def test_an_unready_container_is_named():
    """P-39."""
    status = status_of(pod(), {"app": RUNNING}, FACTS, {})
    for kind in ("ContainersReady", "Ready"):
        condition = conditions(status)[kind]
        assert condition["status"] == "False"
        assert condition["message"] == "containers with unready status: [app]"
    assert status["phase"] == "Running"


def test_a_missing_readiness_gate_counts_as_false():
    """P-39, P-40."""
    document = pod(readinessGates=[{"conditionType": "example.com/lb"}])
    status = status_of(document, {"app": READY}, FACTS, {})
    assert conditions(status)["ContainersReady"]["status"] == "True"
    ready = conditions(status)["Ready"]
    assert (ready["status"], ready["reason"]) == ("False", "ReadinessGatesNotReady")
    assert "example.com/lb" in ready["message"]


def test_a_true_readiness_gate_makes_the_pod_ready():
    """P-39."""
    document = pod(readinessGates=[{"conditionType": "example.com/lb"}])
    gate = {"type": "example.com/lb", "status": "True"}
    document["status"] = {"conditions": [gate]}
    status = status_of(document, {"app": READY}, FACTS, {})
    assert conditions(status)["Ready"]["status"] == "True"


def test_a_pod_in_init_is_pending_and_names_what_is_incomplete():
    """P-38, P-41, P-44."""
    document = pod(initContainers=[{"name": "migrate"}])
    records = {"migrate": RUNNING, "app": ContainerRecord()}
    status = status_of(document, records, replace(FACTS, initialized=False), {})
    assert status["phase"] == "Pending"
    condition = conditions(status)["Initialized"]
    assert condition["message"] == "containers with incomplete status: [migrate]"
    waiting = status["containerStatuses"][0]["state"]["waiting"]
    assert waiting["reason"] == "PodInitializing"


def test_a_sidecars_readiness_counts():
    """P-41."""
    document = pod(initContainers=[{"name": "proxy", "restartPolicy": "Always"}])
    records = {"proxy": RUNNING, "app": READY}
    status = status_of(document, records, FACTS, {})
    message = conditions(status)["ContainersReady"]["message"]
    assert message == "containers with unready status: [proxy]"


def test_phases_of_a_pod_whose_work_is_over():
    """P-38."""
    containers = PodContainers.of(pod())
    over = replace(FACTS, over=True)
    assert phase_of(containers, {"app": RUNNING}, over) == "Succeeded"
    assert phase_of(containers, {"app": RUNNING}, replace(over, failed=True)) == "Failed"


def test_a_finished_pod_keeps_its_stale_address():
    """P-16, P-157: the address may be another pod's by now."""
    ended = RUNNING.end(0, NOW, scale=1.0)
    facts = replace(FACTS, over=True)
    status = status_of(pod(), {"app": ended}, facts, {})
    assert (status["phase"], status["podIP"]) == ("Succeeded", "10.244.1.5")
    assert conditions(status)["Ready"]["reason"] == "PodCompleted"


def test_a_container_between_two_runs_keeps_the_pod_running():
    """P-38, P-43."""
    record = RUNNING.end(1, NOW, scale=1.0).wait("CrashLoopBackOff", "back-off")
    status = status_of(pod(), {"app": record}, FACTS, {})
    assert status["phase"] == "Running"
    container = status["containerStatuses"][0]
    assert container["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    assert container["lastState"]["terminated"]["exitCode"] == 1
    assert container["lastState"]["terminated"]["reason"] == "Error"
    assert container["ready"] is False


def test_a_container_that_waits_for_its_next_run_tells_of_the_last_one_by_its_identity():
    record = RUNNING.end(1, NOW, scale=1.0).wait("CrashLoopBackOff", "back-off")
    [told] = status_of(pod(), {"app": record}, FACTS, {})["containerStatuses"]
    assert told["lastState"]["terminated"]["containerID"] == told["containerID"]


def test_nothing_waits_for_its_next_run_in_a_pod_that_is_over():
    """As `kubectl get -w` shows a crashing pod that is deleted: Error, not CrashLoopBackOff."""
    record = RUNNING.end(1, NOW, scale=1.0).wait("CrashLoopBackOff", "back-off")
    facts = replace(FACTS, over=True, failed=True)
    [told] = status_of(pod(), {"app": record}, facts, {})["containerStatuses"]
    assert told["state"]["terminated"]["reason"] == "Error"
    assert told["state"]["terminated"]["containerID"] == told["containerID"]
    assert told["lastState"] == {}


def test_transition_times_move_only_when_a_condition_does():
    before = status_of(pod(), {"app": RUNNING}, FACTS, {})
    later = replace(FACTS, now=NOW + 60)
    after = conditions(status_of(pod(), {"app": READY}, later, before))
    assert after["Ready"]["lastTransitionTime"] == "2027-01-15T08:01:00Z"
    assert after["Initialized"]["lastTransitionTime"] == "2027-01-15T08:00:00Z"


def test_a_patch_holds_what_changed_and_nulls_what_a_condition_no_longer_says():
    before = status_of(pod(), {"app": RUNNING}, FACTS, {})
    after = status_of(pod(), {"app": READY}, FACTS, before)
    patch = patch_of(after, before)
    assert set(patch) == {"conditions", "containerStatuses"}
    changed = conditions(patch)
    assert set(changed) == {"Ready", "ContainersReady"}
    assert changed["Ready"]["message"] is None
    assert patch_of(after, after) == {}


def test_a_new_address_replaces_the_old_one_in_a_patch():
    patch = patch_of({"podIPs": [{"ip": "10.244.1.6"}]}, {"podIPs": [{"ip": "10.244.1.5"}]})
    assert patch["podIPs"] == [{"ip": "10.244.1.6"}, {"$patch": "replace"}]
