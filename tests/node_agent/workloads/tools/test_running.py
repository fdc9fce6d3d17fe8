"""From words to a tool, and how it ended."""

import asyncio

import pytest

from node_agent.workloads.tools import running
from node_agent.workloads.tools.names import TOOLS
from node_agent.workloads.tools.process import Bytes, Captured


@pytest.mark.parametrize("name", sorted(TOOLS))
def test_every_tool_can_be_loaded(name):
    assert asyncio.iscoroutinefunction(running.load(name))


@pytest.mark.parametrize(
    ("words", "code", "err"),
    [
        (["true"], 0, ""),
        (["/bin/true"], 0, ""),
        (["./usr/bin/true"], 0, ""),
        (["no-such"], 127, 'exec: "no-such": executable file not found in $PATH\n'),
        (["/no/such"], 127, 'exec: "/no/such": executable file not found in $PATH\n'),
        ([], 127, 'exec: "": executable file not found in $PATH\n'),
        (["/etc/hosts"], 126, "sh: /etc/hosts: Permission denied\n"),
        (["/etc"], 126, "sh: /etc: Permission denied\n"),
        (["ls", "-~"], 2, "ls: invalid option -- '~'\n"),
        (["cat", "-~"], 1, "cat: invalid option -- '~'\n"),
    ],
)
async def test_how_a_command_ends(container, words, code, err):
    result = await container.run(*words)
    assert result.code == code
    assert result.err.endswith(err)


async def test_a_script_is_run_by_its_interpreter(container):
    container.put("/tmp/s", "#!/bin/cat\nits own text\n", 0o755)
    container.put("/tmp/plain", "echo $1\n", 0o755)
    container.put("/tmp/loop", "#!/tmp/loop\n", 0o755)
    container.put("/tmp/binary", b"\x7fELF\0\0", 0o755)
    assert (await container.run("/tmp/s")).out == "#!/bin/cat\nits own text\n"
    assert (await container.run("/tmp/plain", "x")).out == "x\n"
    assert (await container.run("/tmp/loop")).code == 126
    assert (await container.run("/tmp/binary")).code == 126


async def test_a_writer_without_a_reader_ends_as_sigpipe_ends_it(container):
    class Gone:
        isatty = False

        async def write(self, data):
            raise BrokenPipeError

    code = await container.commands.run(
        ["cat", "/etc/hosts"], stdin=Bytes(), stdout=Gone(), stderr=Captured()
    )
    assert code == 141


async def test_a_cancelled_caller_cancels_the_command_before_it_began_and_after(container):
    for turns in (0, 1, 5):
        run = asyncio.ensure_future(container.run("sleep", "1000"))
        for _ in range(turns):
            await asyncio.sleep(0)
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
        assert container.commands.table.all() == []


@pytest.mark.parametrize(
    "script",
    ["cat /dev/zero > /dev/null", "seq 1000000000 > /dev/null", "seq 1000000000 > /tmp/x",
     "yes > /dev/null", "x=$(seq 1000000000)", "while :; do :; done", "sha256sum /dev/urandom",
     "until false; do echo x; done > /dev/null", "seq 1000000000 | grep none",
     "f() { :; }; while f; do f; done",
     "wc -c < /dev/zero", "tail -n 1 /dev/zero", "tr a b < /dev/zero > /dev/null"],
)  # fmt: skip
async def test_what_never_ends_gives_others_their_turn(container, script):
    run = asyncio.ensure_future(container.sh(script))
    async with asyncio.timeout(5):
        for _ in range(100):
            await asyncio.sleep(0)
    assert not run.done()
    run.cancel()
    await asyncio.wait([run])
