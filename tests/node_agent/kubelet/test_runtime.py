"""From a container's document to a running program."""

import pytest

from cluster.errors import ApiError
from node_agent.kubelet.logs import ContainerLogs
from node_agent.kubelet.pod_files import NodeFiles
from node_agent.kubelet.runtime import NotStarted, Runtime
from node_agent.kubelet.volumes import Volumes
from node_agent.workloads.images import Alias


@pytest.fixture
async def runtime(api, network, clock, programs, tmp_path):
    return Runtime(
        api=api,
        network=network,
        clock=clock,
        node_name="node-1",
        node_ip="172.30.0.1",
        aliases=(Alias.parse("registry.example/*=pause"),),
        volumes=Volumes(api=api, files=NodeFiles(tmp_path, "node-1"), clock=clock),
    )


class Attachment:
    ip = "10.244.1.5"

    def hosts_file(self):
        return "127.0.0.1 localhost\n"

    def resolv_conf(self):
        return "nameserver 10.96.0.10\n"

    def context(self):
        import contextvars

        return contextvars.Context()


async def start(runtime, clock, field, **container):
    pod = field.pod()
    return await runtime.start(
        pod, {"name": "app", **container}, Attachment(), ContainerLogs(clock)
    )


async def test_an_alias_decides_what_an_image_runs(runtime, clock, field):
    run = await start(runtime, clock, field, image="registry.example/cart:1")
    assert run.image.workload == "pause"
    run.program.kill()
    assert await run.program.wait() == 137


async def test_command_and_args_are_expanded_from_the_environment(runtime, clock, field):
    run = await start(
        runtime,
        clock,
        field,
        image="pause",
        command=["run", "$(WHO)"],
        args=["$(WHO)-$(MISSING)"],
        env=[{"name": "WHO", "value": "me"}],
    )
    ctx = run.program.ctx
    assert (ctx.command, ctx.args) == (("run", "me"), ("me-$(MISSING)",))
    assert (ctx.node_name, ctx.pod_ip) == ("node-1", "10.244.1.5")
    run.program.kill()
    await run.program.wait()


async def test_an_api_that_fails_holds_only_containers_that_need_it(runtime, api, clock, field):
    api.failing = OSError("no API")
    reference = {"configMapKeyRef": {"name": "x", "key": "y"}}
    with pytest.raises(NotStarted, match="the API server does not answer") as refused:
        await start(
            runtime, clock, field, image="pause", env=[{"name": "A", "valueFrom": reference}]
        )
    assert refused.value.reason == "CreateContainerConfigError"
    run = await start(runtime, clock, field, image="pause")
    run.program.kill()
    await run.program.wait()


async def test_an_api_that_forbids_is_quoted(runtime, api, clock, field):
    api.failing = ApiError({"code": 403, "reason": "Forbidden", "message": "secrets is forbidden"})
    reference = {"secretKeyRef": {"name": "x", "key": "y"}}
    with pytest.raises(NotStarted, match="secrets is forbidden"):
        await start(
            runtime, clock, field, image="pause", env=[{"name": "A", "valueFrom": reference}]
        )


async def test_commands_run_beside_a_program_in_the_containers_files(runtime, clock, field):
    """D-87: what exec finds is the container's own /etc/hosts."""
    run = await start(runtime, clock, field, image="pause")
    assert (await run.target.execute(["true"])).exit_code == 0
    found = await run.target.execute(["cat", "/etc/hosts"])
    assert (found.exit_code, found.output) == (0, "127.0.0.1 localhost\n")
    missing = await run.target.execute(["no-such-command"])
    assert missing.exit_code == 127
    assert 'exec: "no-such-command": executable file not found in $PATH' in missing.output
    run.program.kill()
    await run.program.wait()


async def test_the_tools_are_the_program_of_a_container_that_names_them(runtime, clock, field):
    run = await start(
        runtime, clock, field, image="busybox", command=["sh", "-c"], args=["echo $0 hi; exit 4"]
    )
    assert (run.image.workload, run.target.stand_in) == ("tool", False)
    assert await run.program.wait() == 4
    assert run.log.text() == "sh hi\n"


async def test_what_a_program_writes_for_its_end_is_read(runtime, clock, field):
    script = "echo because > /dev/termination-log; exit 1"
    run = await start(runtime, clock, field, image="busybox", args=["sh", "-c", script])
    assert run.termination_log() == ""
    await run.program.wait()
    assert run.termination_log() == "because\n"


async def test_a_tool_that_is_the_program_ends_by_sigterm(runtime, clock, field):
    """P-57: 128 and 15; a shell that traps it ends in its own way."""
    run = await start(runtime, clock, field, image="busybox", args=["sleep", "infinity"])
    run.program.signal(15)
    assert await run.program.wait() == 143


async def test_a_stand_in_passes_commands_that_it_cannot_run(runtime, clock, field):
    run = await start(runtime, clock, field, image="postgres:16")
    assert run.target.stand_in
    assert (await run.target.execute(["pg_isready"])).exit_code == 0
    assert (await run.target.execute(["false"])).exit_code == 1
    run.program.kill()
    await run.program.wait()
