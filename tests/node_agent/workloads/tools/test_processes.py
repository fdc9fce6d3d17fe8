"""ps, kill, pidof, uptime."""

import pytest


async def test_ps_lists_the_program_and_the_commands_beside_it(container):
    lines = (await container.sh("sleep 100 & ps; kill $!")).out.splitlines()
    assert lines[0].split() == ["PID", "USER", "TIME", "COMMAND"]
    assert lines[1].split() == ["1", "root", "0:00", "busybox"]
    commands = {line.split(None, 3)[3] for line in lines[2:]}
    assert {"sh -c sleep 100 & ps; kill $!", "ps"} <= commands
    full = (await container.sh("ps -ef")).out.splitlines()
    assert full[0].split() == ["UID", "PID", "PPID", "TTY", "CMD"]
    assert full[-1].split()[-2:] == ["ps", "-ef"]


@pytest.mark.parametrize(
    ("option", "status"),
    [("", 143), ("-9 ", 137), ("-KILL ", 137), ("-s INT ", 130), ("-0 ", None)],
)
async def test_kill_ends_a_command(container, option, status):
    script = f"sleep 100 & kill {option}$!; echo $?"
    if status is not None:
        script += "; wait $!; echo $?"
    else:
        script += "; kill -9 $!"
    expected = "0\n" if status is None else f"0\n{status}\n"
    assert (await container.sh(script)).out == expected


@pytest.mark.parametrize("words", ["kill 9999", "kill x", "kill", "kill -NOSUCH 1"])
async def test_what_cannot_be_killed_is_said(container, words):
    result = await container.sh(words)
    assert result.code == 1
    assert result.err.startswith("kill: ")


async def test_names_of_signals_and_of_processes(container):
    assert (await container.sh("kill -l 15")).out == "TERM\n"
    assert (await container.sh("sleep 100 & x=$(pidof sleep); kill $x && echo $((x > 1))")).out == (
        "1\n"
    )
    assert (await container.run("pidof", "nothing")).code == 1
    assert "load average" in (await container.run("uptime")).out
