"""A person at a terminal in a container: prompt, editing, ^C, ^D."""

import asyncio

import pytest

from node_agent.workloads.tools.process import Captured, Pipe, Window


class Session:
    """kubectl exec -it, without kubectl."""

    def __init__(self, container, *command):
        self.keys, self.screen = Pipe(), Captured()
        self.window = Window()
        self.run = asyncio.ensure_future(
            container.commands.run(
                command,
                stdin=self.keys,
                stdout=self.screen,
                stderr=self.screen,
                tty=True,
                resize=self.window,
            )
        )

    async def press(self, keys):
        await self.keys.write(keys)

    async def sees(self, text):
        async with asyncio.timeout(5):
            while text not in self.screen.text:  # noqa: ASYNC110
                await asyncio.sleep(0)

    async def ends(self):
        async with asyncio.timeout(5):
            return await self.run


@pytest.fixture
async def shell(container):
    session = Session(container, "sh")
    await session.sees("/ # ")
    yield session
    session.run.cancel()
    await asyncio.wait([session.run])


async def test_what_is_typed_is_shown_and_run(shell):
    await shell.press(b"echo hi $((1+1))\r")
    await shell.sees("/ # echo hi $((1+1))\r\nhi 2\r\n/ # ")


async def test_an_interrupt_ends_the_command_and_not_the_shell(shell):
    await shell.press(b"sleep 1000\r")
    await shell.sees("sleep 1000\r\n")
    await shell.press(b"\x03")
    await shell.sees("^C\r\n/ # ")
    await shell.press(b"echo $?\r")
    await shell.sees("130\r\n")


async def test_an_interrupt_at_the_prompt_drops_the_line(shell):
    await shell.press(b"echo nev\x03")
    await shell.sees("^C\r\n/ # ")
    await shell.press(b"echo again\r")
    await shell.sees("\r\nagain\r\n")


async def test_the_end_of_input_leaves_with_the_last_status(shell):
    await shell.press(b"false\r")
    await shell.press(b"\x04")
    assert await shell.ends() == 1


async def test_exit_leaves_with_its_status(shell):
    await shell.press(b"exit 7\r")
    assert await shell.ends() == 7


async def test_history_and_several_lines(shell):
    await shell.press(b"echo once\r")
    await shell.sees("\r\nonce\r\n/ # ")
    await shell.press(b"\x1b[A\r")
    await shell.sees("\r\nonce\r\n/ # echo once\x1b[K\r\nonce\r\n/ # ")
    await shell.press(b"for i in 1 2\r")
    await shell.sees("\r\n> ")
    await shell.press(b"do echo n$i; done\r")
    await shell.sees("n1\r\nn2\r\n")


async def test_a_mistake_is_said_and_the_shell_stays(shell):
    await shell.press(b"echo )\r")
    await shell.sees("syntax error")
    await shell.press(b"cd /etc; pwd\r")
    await shell.sees("/etc\r\n/etc # ")


async def test_a_command_reads_lines_as_a_terminal_gives_them(container):
    session = Session(container, "cat")
    await session.press(b"abx\x7fc\r")
    await session.sees("abx\b\x1b[Kc\r\nabc\r\n")
    await session.press(b"\x04")
    assert await session.ends() == 0


async def test_an_interrupt_ends_a_command_that_is_no_shell(container):
    session = Session(container, "sleep", "1000")
    await session.press(b"\x03")
    assert await session.ends() == 130


async def test_the_windows_width_makes_columns(container):
    session = Session(container, "sh", "-c", "cd /tmp; touch aa bb cc; ls; read x; ls; tty")
    await session.sees("aa  bb  cc\r\n")
    session.window.columns = 5
    await session.press(b"\r")
    await session.sees("aa\r\nbb\r\ncc\r\n")
    await session.sees("/dev/pts/0\r\n")
    assert await session.ends() == 0


async def test_a_client_that_goes_ends_the_input(container):
    session = Session(container, "cat")
    session.keys.close_write()
    assert await session.ends() == 0
