"""Processes kept running: started, heard, started again, stopped."""

import asyncio
import os
import signal
import socket
import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from cluster.errors import ClusterError
from cluster.launcher.commands import Command
from cluster.launcher.supervisor import (
    RESTART_FIRST_SECONDS,
    RESTART_LIMIT_SECONDS,
    STABLE_SECONDS,
    Process,
    ProcessFailed,
    ProcessState,
    Supervisor,
    restart_pauses,
)


@pytest.fixture
async def supervisor(zygote: socket.socket) -> AsyncIterator[Supervisor]:
    made = Supervisor(zygote, stop_seconds=0.2)
    yield made
    await made.close()


def started(supervisor: Supervisor, *words: str, name: str = "child") -> Process:
    supervisor.add(Command(name, "child", words))
    return supervisor.start(name)


async def test_a_process_is_ready_when_it_says_so_with_its_facts(supervisor: Supervisor):
    process = started(supervisor, "serve")
    assert process.state is ProcessState.STARTING
    await supervisor.ready("child")
    assert process.state is ProcessState.READY
    assert process.facts["address"] == "127.64.0.1"
    assert process.pid is not None


async def test_what_changes_is_told(zygote: socket.socket):
    states: list[str] = []
    made = Supervisor(zygote, lambda: states.append(process.state), stop_seconds=0.2)
    process = made.add(Command("child", "child", ("serve",)))
    made.start("child")
    await made.ready("child")
    await made.stop("child")
    await made.close()
    assert list(dict.fromkeys(states)) == ["starting", "ready", "stopped"]


async def test_what_is_killed_comes_back(supervisor: Supervisor):
    process = started(supervisor, "serve")
    await supervisor.ready("child")
    first = process.pid
    supervisor.signal("child", signal.SIGKILL)
    await process.exited.wait()
    assert (process.state, process.last_status) == (ProcessState.WAITING, -signal.SIGKILL)
    await supervisor.ready("child")
    assert process.restarts == 1
    assert process.pid not in (None, first)


async def test_what_ends_before_it_is_ready_is_tried_again(supervisor: Supervisor, tmp_path: Path):
    process = started(supervisor, "fail_once", str(tmp_path / "failed"))
    await process.exited.wait()
    assert process.last_status == 3
    await supervisor.ready("child")
    assert process.restarts == 1


@pytest.mark.parametrize(
    ("lived", "pause", "expected"),
    [
        (0.1, RESTART_FIRST_SECONDS, (0.05, 0.1)),
        (0.1, 0.4, (0.4, 0.8)),
        (0.1, 4.0, (4.0, RESTART_LIMIT_SECONDS)),
        (0.1, RESTART_LIMIT_SECONDS, (RESTART_LIMIT_SECONDS, RESTART_LIMIT_SECONDS)),
        (STABLE_SECONDS + 1, 4.0, (0.0, RESTART_FIRST_SECONDS)),
    ],
)
def test_pauses_grow_until_a_process_has_lived_for_a_while(lived, pause, expected):
    assert restart_pauses(lived, pause) == expected


async def test_what_the_user_stops_stays_down(supervisor: Supervisor):
    process = started(supervisor, "serve")
    await supervisor.ready("child")
    await supervisor.stop("child")
    assert (process.state, process.pid, process.last_status) == (ProcessState.STOPPED, None, 0)
    assert process.restarts == 0


async def test_what_does_not_want_to_stop_is_killed(supervisor: Supervisor):
    process = started(supervisor, "stubborn")
    await supervisor.ready("child")
    await supervisor.stop("child")
    assert process.last_status == -signal.SIGKILL


async def test_what_is_stopped_before_the_zygote_has_answered_does_not_run_on(
    supervisor: Supervisor, ended: Callable[[int], bool]
):
    process = started(supervisor, "serve")
    assert process.pid is None
    await supervisor.stop("child", signal.SIGKILL)
    assert process.exited.is_set()
    assert (process.state, process.pid) == (ProcessState.STOPPED, None)


async def test_what_waits_for_its_restart_can_be_stopped_and_started(supervisor: Supervisor):
    process = started(supervisor, "serve")
    await supervisor.ready("child")
    supervisor.signal("child", signal.SIGKILL)
    await process.exited.wait()
    await supervisor.stop("child")
    assert process.state is ProcessState.STOPPED
    supervisor.start("child")
    await supervisor.ready("child")
    assert process.lives == 2  # the restart that was under way did not come on top


async def test_a_stopped_process_can_be_stopped_again(supervisor: Supervisor):
    process = started(supervisor, "serve")
    await supervisor.ready("child")
    await supervisor.stop("child")
    await supervisor.stop("child")
    assert process.state is ProcessState.STOPPED


async def test_what_does_not_run_takes_no_signal(supervisor: Supervisor):
    supervisor.add(Command("child", "child", ("serve",)))
    with pytest.raises(ClusterError, match=r"child does not run: it is stopped"):
        supervisor.signal("child", signal.SIGTERM)


async def test_a_power_off_freezes_and_only_a_kill_ends_that(supervisor: Supervisor):
    process = started(supervisor, "serve")
    await supervisor.ready("child")
    supervisor.freeze("child")
    assert process.state is ProcessState.FROZEN
    assert process.pid is not None
    await supervisor.stop("child", signal.SIGKILL)
    assert (process.state, process.last_status) == (ProcessState.STOPPED, -signal.SIGKILL)
    supervisor.start("child")
    await supervisor.ready("child")


async def test_more_forks_at_once_than_a_socket_holds_requests(supervisor: Supervisor):
    names = [f"child-{number}" for number in range(40)]
    for name in names:
        started(supervisor, "serve", name=name)
    await asyncio.gather(*(supervisor.ready(name) for name in names))
    assert len({supervisor.processes[name].pid for name in names}) == 40


async def test_the_end_is_the_end_of_all_and_of_the_zygote(
    zygote_process: tuple[socket.socket, "subprocess.Popen[str]"], alive: Callable[[int], bool]
):
    zygote, process = zygote_process
    made = Supervisor(zygote, stop_seconds=0.2)
    for name, mode in (("control", "serve"), ("frozen", "serve"), ("node-1", "stubborn")):
        started(made, mode, name=name)
        await made.ready(name)
    pids = [each.pid for each in made.processes.values()]
    made.freeze("frozen")
    await made.close()
    assert not any(alive(pid) for pid in pids)
    assert process.wait(20) == 0


async def test_the_control_plane_ends_last(zygote: socket.socket):
    order: list[str] = []

    def changed() -> None:
        for name, each in made.processes.items():
            if each.exited.is_set() and name not in order:
                order.append(name)

    made = Supervisor(zygote, changed, stop_seconds=0.2)
    for name in ("control", "node-1", "dns"):
        started(made, "serve", name=name)
        await made.ready(name)
    await made.close()
    assert order[-1] == "control"
    assert len(order) == 3


async def test_without_its_zygote_nothing_runs_on_and_nothing_is_waited_for(
    zygote_process: tuple[socket.socket, "subprocess.Popen[str]"], ended: Callable[[int], bool]
):
    zygote, process = zygote_process
    made = Supervisor(zygote)
    child = started(made, "stubborn")
    await made.ready("child")
    pid = child.pid
    process.kill()
    await made.zygote_gone.wait()
    assert pid is not None
    assert ended(pid)
    made.add(Command("other", "child", ("serve",)))
    made.start("other")
    with pytest.raises(ProcessFailed, match=r"the zygote is gone"):
        await made.ready("other")
    await made.close()


async def test_a_ready_message_of_an_earlier_life_is_not_taken_for_this_ones(
    supervisor: Supervisor,
):
    process = started(supervisor, "serve")
    await supervisor.ready("child")
    supervisor.signal("child", signal.SIGKILL)
    await process.exited.wait()
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.write(writing, b'{"address": "old"}\n')
    supervisor._told(process, process.lives, reading, bytearray())
    os.close(writing)
    assert process.state is ProcessState.WAITING
    assert not process.ready.is_set()
