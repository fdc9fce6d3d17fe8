"""Pods from ADD to DEL, with real programs on a manual clock."""

import textwrap

import pytest

from cluster.errors import PoolExhausted
from cluster.objects.resources import CONFIG_MAPS, EVENTS, PODS, SECRETS

PATIENT = """
    async def main(ctx):
        print("started", ctx.env.get("GREETING", ""), file=ctx.stdout)
        await ctx.until_terminated()
        print("ended", file=ctx.stdout)
        return 0
"""
STUBBORN = """
    import asyncio, signal

    async def main(ctx):
        asyncio.get_running_loop()
        ctx.env  # a program that hears SIGTERM and stays
        await ctx.until_terminated()
        await asyncio.get_running_loop().create_future()
"""
CRASHING = """
    async def main(ctx):
        print("about to fail", file=ctx.stdout)
        raise RuntimeError("boom")
"""
DONE = """
    async def main(ctx):
        return int(ctx.args[0]) if ctx.args else 0
"""


@pytest.fixture(autouse=True)
def program_files(tmp_path):
    for name, text in {
        "patient": PATIENT,
        "stubborn": STUBBORN,
        "crashing": CRASHING,
        "done": DONE,
    }.items():
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(text))


def image(name):
    return f"python://{name}:main"


def container(name="app", program="patient", **more):
    return {"name": name, "image": image(program), **more}


@pytest.fixture
def world(kubelet, api, network, clock, field):
    return World(kubelet, api, network, clock, field)


class World:
    """One node and its pods, as tests speak of them."""

    def __init__(self, kubelet, api, network, clock, field):
        self.kubelet, self.api, self.network = kubelet, api, network
        self.clock, self.field = clock, field

    def bind(self, name="web", **spec):
        pod = self.api.put(PODS, self.field.pod(name, **spec))
        self.kubelet.pods.pod_changed(None, pod)
        return self.kubelet.pods.find("shop", name)

    def pod(self, name="web"):
        return self.api.find(PODS, name, "shop")

    def status(self, name="web"):
        return self.pod(name).get("status", {})

    def condition(self, kind, name="web"):
        found = [c for c in self.status(name).get("conditions", ()) if c["type"] == kind]
        return found[0]["status"] if found else None

    def container(self, name="app", pod="web", field="containerStatuses"):
        found = [c for c in self.status(pod).get(field, ()) if c["name"] == name]
        return found[0] if found else {"state": {}}

    def waiting(self):
        return self.container()["state"].get("waiting") or {}

    def delete(self, name="web", grace=30):
        before = self.pod(name)
        meta = {
            **before["metadata"],
            "deletionTimestamp": "2027-01-15T08:00:30Z",
            "deletionGracePeriodSeconds": grace,
        }
        after = self.api.put(PODS, {**before, "metadata": meta})
        self.kubelet.pods.pod_changed(before, after)

    def gone(self, name="web"):
        return ("pods", "shop", name) not in self.api.objects

    def events(self, reason=None):
        found = self.api.of(EVENTS)
        return [e["message"] for e in found if reason in (None, e["reason"])]

    async def until(self, claim):
        await self.field.until(claim)

    async def ready(self, name="web"):
        await self.until(lambda: self.condition("Ready", name) == "True")


async def test_a_pod_is_running_and_ready_without_any_time_passing(world):
    """P-15, P-38, P-50: one patch says so."""
    world.bind(containers=[container()])
    await world.ready()
    assert world.status()["phase"] == "Running"
    assert world.status()["podIP"] == "10.244.1.5"
    assert world.clock.now() == world.field.START
    assert len([p for p in world.api.patches if p[0] == "pods"]) == 1


async def test_what_a_program_prints_is_its_log(world):
    worker = world.bind(
        containers=[container(env=[{"name": "GREETING", "value": "hello"}])],
    )
    await world.ready()
    assert worker.runs.logs["app"].current.text() == "started hello\n"


async def test_a_crash_is_restarted_with_back_off_and_keeps_its_log(world):
    """P-42, P-43: same address, Ready false meanwhile."""
    worker = world.bind(containers=[container(program="crashing")])
    await world.until(lambda: world.container()["state"].get("waiting"))
    state = world.container()
    assert state["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    assert state["state"]["waiting"]["message"].startswith("back-off 10s restarting failed")
    assert (state["restartCount"], state["lastState"]["terminated"]["exitCode"]) == (1, 1)
    assert world.condition("Ready") == "False"
    assert "RuntimeError: boom" in worker.runs.logs["app"].previous.text()
    await world.clock.advance(10)
    await world.until(lambda: world.container()["restartCount"] == 2)
    assert world.status()["podIP"] == "10.244.1.5"
    assert world.network.deleted == []


async def test_a_run_that_ended_gives_back_what_it_opened(world):
    """P-43: the next run binds the same port again."""
    world.bind(containers=[container(program="crashing")])
    await world.until(lambda: world.container().get("restartCount") == 1)
    attachment = world.network.attached["uid-web"]
    assert len(attachment.released) == 2


async def test_a_pod_whose_containers_succeeded_gives_up_its_network(world):
    """P-16, P-38, P-157."""
    world.bind(containers=[container(program="done")], restartPolicy="Never")
    await world.until(lambda: world.status().get("phase") == "Succeeded")
    await world.until(lambda: world.network.deleted == ["uid-web"])
    assert world.status()["podIP"] == "10.244.1.5"
    assert world.condition("Ready") == "False"


async def test_a_pod_whose_container_failed_for_good(world):
    """P-38."""
    world.bind(containers=[container(program="done", args=["3"])], restartPolicy="Never")
    await world.until(lambda: world.status().get("phase") == "Failed")
    assert world.container()["state"]["terminated"]["exitCode"] == 3


async def test_init_containers_first_then_sidecars_then_the_rest(world):
    """P-41."""
    world.bind(
        initContainers=[
            container("migrate", "done"),
            container("proxy", restartPolicy="Always"),
        ],
        containers=[container()],
    )
    await world.ready()
    init = world.container("migrate", field="initContainerStatuses")
    assert init["state"]["terminated"]["reason"] == "Completed"
    proxy = world.container("proxy", field="initContainerStatuses")
    assert "running" in proxy["state"]


async def test_deletion_ends_the_program_in_order_then_the_network_then_the_object(world):
    """P-57, P-60: grace 0 and the pod's own uid, after the program had its say."""
    worker = world.bind(containers=[container()])
    await world.ready()
    log = worker.runs.logs["app"].current
    world.delete()
    await world.until(world.gone)
    assert log.text().endswith("ended\n")
    assert world.network.deleted == ["uid-web"]
    assert world.api.deleted == [("web", 0, "uid-web")]
    assert len(world.kubelet.pods) == 0
    assert world.clock.now() == world.field.START


async def test_the_phase_stays_running_while_a_pod_terminates(world):
    """P-63."""
    world.bind(containers=[container(program="stubborn")])
    await world.ready()
    world.delete(grace=30)
    await world.clock.advance(29)
    assert world.status()["phase"] == "Running"
    assert world.condition("Ready") == "True"
    assert not world.gone()


async def test_patience_ends_with_the_grace_period(world):
    """P-58: SIGKILL, exit code 137."""
    world.bind(containers=[container(program="stubborn")])
    await world.ready()
    world.delete(grace=30)
    await world.clock.advance(31)
    await world.until(world.gone)
    final = [p for kind, _, p in world.api.patches if kind == "pods"][-1]
    ended = final["status"]["containerStatuses"][0]["state"]["terminated"]
    assert ended["exitCode"] == 137
    assert final["status"]["phase"] == "Failed"


async def test_a_second_delete_with_less_grace_shortens_the_wait(world):
    world.bind(containers=[container(program="stubborn")])
    await world.ready()
    world.delete(grace=300)
    await world.clock.advance(1)
    world.delete(grace=2)
    await world.clock.advance(3)
    await world.until(world.gone)


async def test_a_pod_removed_by_force_ends_soon_and_writes_nothing_more(world):
    """P-61."""
    world.bind(containers=[container(program="stubborn")])
    await world.ready()
    writes = len(world.api.patches)
    world.kubelet.pods.pod_changed(world.pod(), None)
    await world.clock.advance(2)
    await world.until(lambda: world.network.deleted == ["uid-web"])
    assert len(world.api.patches) == writes
    assert world.api.deleted == []


async def test_pre_stop_sleep_counts_against_the_grace_period(world):
    """P-57, P-58."""
    hook = {"preStop": {"sleep": {"seconds": 5}}}
    worker = world.bind(containers=[container(lifecycle=hook)])
    await world.ready()
    log = worker.runs.logs["app"].current
    world.delete(grace=30)
    await world.clock.advance(4)
    assert not log.text().endswith("ended\n")
    await world.clock.advance(2)
    await world.until(world.gone)
    assert log.text().endswith("ended\n")


async def test_a_hook_that_overruns_leaves_two_seconds_for_the_program(world):
    """P-58."""
    hook = {"preStop": {"sleep": {"seconds": 60}}}
    world.bind(containers=[container(program="stubborn", lifecycle=hook)])
    await world.ready()
    world.delete(grace=10)
    await world.clock.advance(11.5)
    assert not world.gone()
    await world.clock.advance(1)
    await world.until(world.gone)
    await world.clock.advance(1)
    assert "PreStopHook failed: it outlasted the grace period" in world.events()


async def test_sidecars_end_after_the_main_containers_in_reverse_order(world, tmp_path):
    """P-59."""
    (tmp_path / "order.py").write_text(
        "async def main(ctx):\n"
        "    await ctx.until_terminated()\n"
        "    with open(ctx.env['FILE'], 'a') as file:\n"
        "        file.write(ctx.name + '\\n')\n"
        "    return 0\n"
    )
    env = [{"name": "FILE", "value": str(tmp_path / "order.txt")}]
    world.bind(
        initContainers=[
            container(name, "order", restartPolicy="Always", env=env) for name in ("one", "two")
        ],
        containers=[container("app", "order", env=env)],
    )
    await world.ready()
    world.delete()
    await world.until(world.gone)
    assert (tmp_path / "order.txt").read_text().split() == ["app", "two", "one"]


async def test_a_failed_liveness_probe_restarts_the_container(world, tmp_path):
    """P-52, P-55, P-151."""
    probe = {"exec": {"command": ["false"]}, "periodSeconds": 1, "failureThreshold": 2}
    world.bind(containers=[container(livenessProbe=probe)])
    await world.ready()
    await world.clock.advance(1.5)
    await world.until(lambda: world.container().get("restartCount") == 1)
    await world.clock.advance(1)
    assert "Container app failed liveness probe, will be restarted" in world.events("Killing")
    assert any(m.startswith("Liveness probe failed") for m in world.events("Unhealthy"))


async def test_a_failed_readiness_probe_unpublishes_and_does_not_restart(world, network, free_port):
    """P-51, P-55, P-151."""
    import asyncio

    async def accept(reader, writer):
        writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", free_port)
    probe = {"tcpSocket": {"port": free_port}, "periodSeconds": 1, "failureThreshold": 2}
    world.bind(containers=[container(readinessProbe=probe)])
    await world.ready()
    server.close()
    await server.wait_closed()
    for _ in range(3):
        count = len(network.dialled)
        await world.clock.advance(1)
        await world.until(lambda count=count: len(network.dialled) > count)
    await world.until(lambda: world.condition("Ready") == "False")
    assert world.container()["restartCount"] == 0
    assert "running" in world.container()["state"]


async def test_no_address_left_is_told_and_tried_again(world):
    """P-23."""
    world.network.failures = [PoolExhausted("no address left in 10.244.1.0/24")]
    world.bind(containers=[container()])
    await world.until(lambda: world.status())
    assert world.status()["phase"] == "Pending"
    waiting = world.container()["state"]["waiting"]
    assert waiting["reason"] == "ContainerCreating"
    await world.clock.advance(1)
    await world.ready()
    assert "no address left" in world.events("FailedCreatePodSandBox")[0]


async def test_a_missing_config_map_holds_the_container_until_it_exists(world):
    reference = {"configMapKeyRef": {"name": "settings", "key": "greeting"}}
    worker = world.bind(containers=[container(env=[{"name": "GREETING", "valueFrom": reference}])])
    await world.until(lambda: world.waiting().get("reason") == "CreateContainerConfigError")
    waiting = world.waiting()
    assert waiting["message"] == 'configmap "settings" not found'
    meta = {"name": "settings", "namespace": "shop"}
    world.api.put(CONFIG_MAPS, {"metadata": meta, "data": {"greeting": "hi"}})
    await world.clock.advance(1)
    await world.ready()
    assert worker.runs.logs["app"].current.text() == "started hi\n"


async def test_a_secrets_value_is_decoded(world):
    meta = {"name": "token", "namespace": "shop"}
    world.api.put(SECRETS, {"metadata": meta, "data": {"key": "czNjcjN0"}})
    worker = world.bind(
        containers=[
            container(
                env=[
                    {
                        "name": "GREETING",
                        "valueFrom": {"secretKeyRef": {"name": "token", "key": "key"}},
                    }
                ]
            )
        ]
    )
    await world.ready()
    assert worker.runs.logs["app"].current.text() == "started s3cr3t\n"


async def test_an_image_name_that_is_none_is_said_so(world):
    world.bind(containers=[{"name": "app", "image": "python://nothing"}])
    await world.until(lambda: world.container()["state"].get("waiting"))
    assert world.container()["state"]["waiting"]["reason"] == "InvalidImageName"


async def test_without_an_api_pods_run_and_restart_and_report_later(world):
    """P-74: the status is delivered when the API is back."""
    world.bind(containers=[container(program="crashing")])
    await world.until(lambda: world.container().get("restartCount") == 1)
    world.api.failing = OSError("no API")
    await world.clock.advance(10)
    worker = world.kubelet.pods.find("shop", "web")
    await world.until(lambda: worker.runs.records["app"].restarts == 2)
    assert world.container()["restartCount"] == 1
    world.api.failing = None
    await world.clock.advance(5)
    await world.until(lambda: world.container()["restartCount"] == 2)


async def test_a_condition_that_another_wrote_is_written_again(world):
    """P-69, P-74: a node that comes back makes its pods Ready again."""
    world.bind(containers=[container()])
    await world.ready()
    before = world.pod()
    conditions = [
        {**each, "status": "False"} if each["type"] == "Ready" else each
        for each in before["status"]["conditions"]
    ]
    after = world.api.put(
        PODS, {**before, "status": {**before["status"], "conditions": conditions}}
    )
    assert world.condition("Ready") == "False"
    world.kubelet.pods.pod_changed(before, after)
    await world.ready()


async def test_an_agent_that_restarts_keeps_the_address_and_counts_a_restart(world):
    """P-8: containers count as restarted, the pod goes on."""
    pod = world.field.pod(containers=[container()])
    pod["status"] = {
        "phase": "Running",
        "podIP": "10.244.1.77",
        "startTime": "2027-01-01T00:00:00Z",
        "containerStatuses": [
            {"name": "app", "state": {"running": {}}, "restartCount": 4, "ready": True}
        ],
    }
    world.kubelet.pods.pod_changed(None, world.api.put(PODS, pod))
    await world.until(lambda: world.container().get("restartCount") == 5)
    assert world.network.attached["uid-web"].ip == "10.244.1.77"
    assert world.status()["startTime"] == "2027-01-01T00:00:00Z"
    await world.ready()


async def test_a_finished_pod_is_not_run_again_by_the_next_agent(world):
    """P-16."""
    pod = world.field.pod(containers=[container()])
    pod["status"] = {"phase": "Succeeded"}
    world.kubelet.pods.pod_changed(None, world.api.put(PODS, pod))
    await world.field.turns()
    assert world.network.attached == {}
    world.delete()
    await world.until(world.gone)


async def test_a_readiness_gate_of_another_decides_when_it_changes(world):
    """P-39, P-40."""
    world.bind(containers=[container()], readinessGates=[{"conditionType": "lb/ok"}])
    await world.until(lambda: world.condition("ContainersReady") == "True")
    assert world.condition("Ready") == "False"
    before = world.pod()
    gate = {"type": "lb/ok", "status": "True"}
    status = {**before["status"], "conditions": [*before["status"]["conditions"], gate]}
    after = world.api.put(PODS, {**before, "status": status})
    world.kubelet.pods.pod_changed(before, after)
    await world.ready()
    assert world.condition("lb/ok") == "True"


async def test_readiness_probes_go_on_while_a_pod_terminates(world, network, free_port):
    """P-54, S-132."""
    probe = {"tcpSocket": {"port": free_port}, "periodSeconds": 1}
    live = {"tcpSocket": {"port": free_port, "host": "10.9.9.9"}, "periodSeconds": 1}
    world.bind(containers=[container(program="stubborn", readinessProbe=probe, livenessProbe=live)])
    await world.until(lambda: world.status().get("phase") == "Running")
    world.delete(grace=30)
    await world.clock.advance(0.1)
    network.dialled.clear()
    for _ in range(3):
        await world.clock.advance(1)
    assert {ip for ip, *_ in network.dialled} == {"10.244.1.5"}


async def test_the_kubelets_events_of_a_start(world):
    world.bind(containers=[container()])
    await world.ready()
    await world.clock.advance(1)
    reasons = [event["reason"] for event in world.api.of(EVENTS)]
    assert reasons == ["Pulled", "Created", "Started"]
    assert world.api.of(EVENTS)[0]["involvedObject"]["fieldPath"] == "spec.containers{app}"


async def test_a_stand_in_says_so_in_an_event(world):
    world.bind(containers=[{"name": "app", "image": "registry.example/cart:1"}])
    await world.ready()
    await world.clock.advance(1)
    assert "registry.example/cart:1" in world.events("StandIn")[0]


async def test_a_pod_of_the_same_name_with_another_uid_is_another_pod(world):
    """P-8, P-45."""
    world.bind(containers=[container()])
    await world.ready()
    old = world.pod()
    twin = {**world.field.pod(containers=[container()])}
    twin["metadata"] = {**twin["metadata"], "uid": "uid-twin"}
    world.kubelet.pods.pod_changed(old, world.api.put(PODS, twin))
    await world.until(lambda: world.network.deleted == ["uid-web"])
    await world.until(lambda: world.status().get("podIP") == "10.244.1.6")


async def test_when_the_agent_stops_programs_are_killed_and_the_api_is_left_alone(
    world, tasks, api
):
    worker = world.bind(containers=[container(program="stubborn")])
    await world.ready()
    run = worker.runs.live()[0]
    writes = len(api.patches)
    await tasks.close()
    assert run.program.exited
    assert world.network.deleted == ["uid-web"]
    assert (len(api.patches), api.deleted) == (writes, [])


# When things go wrong


async def test_a_program_that_fails_says_why_in_its_state(world):
    """P-42: the traceback, in the log and in the state's message."""
    world.bind(containers=[container(program="crashing")], restartPolicy="Never")
    await world.until(lambda: world.status().get("phase") == "Failed")
    ended = world.container()["state"]["terminated"]
    assert (ended["exitCode"], ended["reason"]) == (1, "Error")
    assert ended["message"].endswith("RuntimeError: boom")


async def test_a_log_speaks_for_its_container_where_that_is_wanted(world, tmp_path):
    (tmp_path / "speaks.py").write_text(
        "async def main(ctx):\n    print('disk full', file=ctx.stdout)\n    return 2\n"
    )
    speaking = container(program="speaks", terminationMessagePolicy="FallbackToLogsOnError")
    world.bind(containers=[speaking], restartPolicy="Never")
    await world.until(lambda: world.status().get("phase") == "Failed")
    assert world.container()["state"]["terminated"]["message"] == "disk full\n"


async def test_readiness_is_told_while_a_pod_terminates(world, network, free_port):
    """P-54, S-132: `serving` may change while the program drains."""
    import asyncio

    async def accept(reader, writer):
        writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", free_port)
    probe = {"tcpSocket": {"port": free_port}, "periodSeconds": 1, "failureThreshold": 1}
    world.bind(containers=[container(program="stubborn", readinessProbe=probe)])
    await world.ready()
    world.delete(grace=30)
    await world.clock.advance(0.1)
    assert world.condition("Ready") == "True"
    server.close()
    await server.wait_closed()
    count = len(network.dialled)
    await world.clock.advance(1)
    await world.until(lambda: len(network.dialled) > count)
    await world.until(lambda: world.condition("Ready") == "False")
    assert world.status()["phase"] == "Running"


async def test_a_container_that_has_ended_is_told_while_another_still_ends(world):
    """P-57, P-63."""
    world.bind(containers=[container("quick"), container("slow", "stubborn")])
    await world.ready()
    world.delete(grace=30)
    await world.until(lambda: "terminated" in world.container("quick")["state"])
    assert "running" in world.container("slow")["state"]
    assert world.condition("Ready") == "False"
    assert not world.gone()


async def test_a_pod_deleted_while_it_waits_for_the_api_ends_at_once(world, api):
    """P-60: what it waits for would come in vain."""
    import asyncio

    asked = asyncio.Event()

    async def never(*arguments, **options):
        asked.set()
        await asyncio.Event().wait()

    api.get = never
    reference = {"configMapRef": {"name": "settings"}}
    world.bind(containers=[container(envFrom=[reference])])
    await asyncio.wait_for(asked.wait(), 5)
    world.delete()
    await world.until(world.gone)
    assert world.network.deleted == ["uid-web"]
    assert world.clock.now() == world.field.START


async def test_a_pod_deleted_while_it_has_no_address_ends_at_once(world):
    """P-23, P-60."""
    world.network.failures = [PoolExhausted("no address left") for _ in range(100)]
    world.bind(containers=[container()])
    await world.until(lambda: world.status())
    world.delete()
    await world.until(world.gone)
    assert world.clock.now() == world.field.START


async def test_a_pod_deleted_without_an_api_ends_and_is_removed_later(world):
    """P-60, P-74."""
    worker = world.bind(containers=[container()])
    await world.ready()
    log = worker.runs.logs["app"].current
    world.api.failing = OSError("no API")
    world.delete()
    await world.clock.advance(5)
    assert log.ended and world.network.deleted == ["uid-web"]
    assert not world.gone()
    world.api.failing = None
    await world.clock.advance(1)
    await world.until(world.gone)


async def test_a_pod_that_was_marked_deleted_while_its_node_was_away_is_stopped(world):
    """P-72, P-74: it is not started again first."""
    pod = world.field.pod(containers=[container()])
    pod["metadata"] |= {
        "deletionTimestamp": "2027-01-15T07:00:00Z",
        "deletionGracePeriodSeconds": 30,
    }
    running = {"name": "app", "state": {"running": {}}, "restartCount": 0}
    pod["status"] = {"phase": "Running", "podIP": "10.244.1.7", "containerStatuses": [running]}
    world.kubelet.pods.pod_changed(None, world.api.put(PODS, pod))
    await world.until(world.gone)
    assert world.network.attached == {}
    assert world.api.deleted == [("web", 0, "uid-web")]


async def test_a_restart_between_two_runs_counts_and_goes_on(world):
    """P-8, P-42: the agent died while the container was in back-off."""
    waiting = {
        "name": "app",
        "restartCount": 3,
        "state": {"waiting": {"reason": "CrashLoopBackOff"}},
        "lastState": {"terminated": {"exitCode": 1}},
    }
    pod = world.field.pod(containers=[container()])
    pod["status"] = {"phase": "Running", "podIP": "10.244.1.7", "containerStatuses": [waiting]}
    world.kubelet.pods.pod_changed(None, world.api.put(PODS, pod))
    await world.ready()
    assert world.container()["restartCount"] == 4
    assert world.container()["lastState"]["terminated"]["exitCode"] == 1


async def test_a_lost_run_is_the_last_state(world):
    """The exit code that nobody saw: as container runtimes say it after a crash."""
    pod = world.field.pod(containers=[container()])
    running = {"name": "app", "state": {"running": {"startedAt": "2027-01-15T07:00:00Z"}}}
    pod["status"] = {"phase": "Running", "containerStatuses": [running]}
    world.kubelet.pods.pod_changed(None, world.api.put(PODS, pod))
    await world.ready()
    lost = world.container()["lastState"]["terminated"]
    assert (lost["exitCode"], lost["reason"]) == (255, "Unknown")
    assert (lost["startedAt"], lost["finishedAt"]) == (
        "2027-01-15T07:00:00Z",
        "2027-01-15T08:00:00Z",
    )


async def test_a_stand_in_says_so_once_and_not_at_each_restart(world):
    worker = world.bind(containers=[{"name": "app", "image": "registry.example/cart:1"}])
    await world.ready()
    worker.runs.live()[0].program.kill()
    await world.until(lambda: worker.runs.records["app"].restarts == 1)
    await world.clock.advance(1)
    assert len(world.events("StandIn")) == 1
    (event,) = [e for e in world.api.of(EVENTS) if e["reason"] == "StandIn"]
    assert event["count"] == 1
    assert len(world.events("Started")) == 1 and world.clock.now() > world.field.START


async def test_a_container_that_is_added_to_a_running_pod_runs_once(kubelet, api, field):
    """kubectl debug: it is started beside the others, reported, and never restarted."""
    kubelet.pods.pod_changed(None, api.put(PODS, field.pod()))
    worker = kubelet.pods.find("shop", "web")
    await field.until(worker.runs.live)
    pod = api.find(PODS, "web", "shop")
    added = {"name": "debug", "image": "busybox", "command": ["false"]}
    changed = api.put(PODS, {**pod, "spec": {**pod["spec"], "ephemeralContainers": [added]}})
    kubelet.pods.pod_changed(pod, changed)

    def told():
        return worker.status.get("ephemeralContainerStatuses") or [{"state": {}}]

    await field.until(lambda: "terminated" in told()[0]["state"])
    (status,) = told()
    assert (status["name"], status["ready"], status["restartCount"]) == ("debug", False, 0)
    assert status["state"]["terminated"]["exitCode"] == 1
    await field.turns()
    assert [run.container["name"] for run in worker.runs.live()] == ["app"]
    assert worker.status["phase"] == "Running"
