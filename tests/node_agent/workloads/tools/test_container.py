"""Commands of one container."""

import asyncio
import gc
from types import SimpleNamespace

from cluster.errors import ClusterError
from node_agent.workloads.program import PROGRAM
from node_agent.workloads.tools import process
from node_agent.workloads.tools.container import ContainerCommands
from node_agent.workloads.tools.process import Bytes, Captured


async def test_a_command_has_the_containers_environment_and_directory(container):
    container.ctx.container = {**container.ctx.container, "workingDir": "/tmp"}
    assert (await container.sh("pwd; echo $HOSTNAME $HOME")).out == "/tmp\nweb-1 /root\n"


async def test_what_one_command_writes_another_reads(container):
    await container.sh("echo kept > /tmp/x; export A=1")
    assert (await container.sh("cat /tmp/x; echo [$A]")).out == "kept\n[]\n"


async def test_a_container_whose_files_cannot_be_made_says_why(container):
    async def refuses():
        raise ClusterError('volume "x": no such claim')

    commands = ContainerCommands(container.ctx, container.commands._context, refuses)
    err = Captured()
    code = await commands.run(["true"], stdin=Bytes(), stdout=Captured(), stderr=err)
    assert (code, err.text) == (126, 'exec failed: volume "x": no such claim\n')


async def test_the_program_of_the_container_is_process_1(container):
    out = Captured()
    code = await container.commands.run(
        ["sh", "-c", "echo $$; ps | grep -c '^ *1 root'"],
        stdin=Bytes(),
        stdout=out,
        stderr=out,
        main=True,
    )
    assert (code, out.text) == (0, "1\n1\n")


async def test_one_command_too_many_is_refused_in_words(container, monkeypatch):
    monkeypatch.setattr(process, "PROCESSES_MAX", 0)
    told = []
    asyncio.get_running_loop().set_exception_handler(lambda _, found: told.append(found))
    said = await container.run("true")
    await asyncio.sleep(0)
    gc.collect()  # a task whose error nobody takes says so when it goes
    assert told == []
    assert (said.code, said.out) == (126, "")
    assert said.err == "exec failed: can't fork: Resource temporarily unavailable\n"


async def test_no_command_begins_in_a_container_that_has_ended(container):
    container.commands._context.run(PROGRAM.set, SimpleNamespace(exited=True))
    said = await container.run("sleep", "100")
    assert (said.code, said.err) == (126, "exec failed: container not running\n")
