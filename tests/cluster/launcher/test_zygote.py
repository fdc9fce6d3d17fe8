"""The parent of a cluster's processes."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cluster.gateway.config import GatewayConfig
from cluster.launcher import zygote
from cluster.launcher.zygote import CRASHED, MODULES, import_all


def ask(zygote: socket.socket, mode: str, **more: Any) -> tuple[int, int]:
    """Ask for a child; where its ready message comes out, and its lifeline."""
    ready, ready_write = os.pipe()
    lifeline, lifeline_write = os.pipe()
    request = {"fork": mode, "module": "child", "arguments": [mode], **more}
    socket.send_fds(zygote, [json.dumps(request).encode()], [ready_write, lifeline])
    os.close(ready_write)
    os.close(lifeline)
    return ready, lifeline_write


def told(zygote: socket.socket) -> dict[str, Any]:
    zygote.settimeout(20)
    return dict(json.loads(zygote.recv(65536)))


def first_line(descriptor: int) -> str:
    with os.fdopen(descriptor) as ready:
        return ready.readline()


def test_a_child_is_forked_and_says_that_it_serves(zygote: socket.socket):
    ready, lifeline = ask(zygote, "serve")
    message = told(zygote)
    assert message["forked"] == "serve"
    assert json.loads(first_line(ready)) == {"ready": True, "address": "127.64.0.1"}
    os.kill(message["pid"], signal.SIGTERM)
    assert told(zygote) == {"exited": "serve", "pid": message["pid"], "status": 0}
    os.close(lifeline)


def test_a_child_ends_with_its_lifeline(zygote: socket.socket):
    ready, lifeline = ask(zygote, "serve")
    pid = told(zygote)["pid"]
    first_line(ready)
    os.close(lifeline)
    assert told(zygote) == {"exited": "serve", "pid": pid, "status": 0}


def test_a_child_that_is_told_to_stop_before_it_listens_stops(zygote: socket.socket):
    for _ in range(50):
        ready, lifeline = ask(zygote, "serve")
        pid = told(zygote)["pid"]
        os.kill(pid, signal.SIGTERM)
        assert told(zygote)["status"] in (-signal.SIGTERM, 0)
        os.close(ready)
        os.close(lifeline)


def test_how_a_child_ended_is_told(zygote: socket.socket):
    statuses = []
    for mode in ("fail", "raise", "stubborn"):
        ready, lifeline = ask(zygote, mode)
        pid = told(zygote)["pid"]
        first_line(ready)
        if mode == "stubborn":
            os.kill(pid, signal.SIGKILL)
        statuses.append(told(zygote)["status"])
        os.close(lifeline)
    assert statuses == [3, CRASHED, -signal.SIGKILL]


def test_a_module_that_is_not_there_is_a_crash_of_that_child_alone(zygote: socket.socket):
    ready, lifeline = ask(zygote, "serve", module="nowhere")
    told(zygote)
    assert told(zygote)["status"] == CRASHED
    assert first_line(ready) == ""
    os.close(lifeline)


def test_without_its_launcher_it_ends_every_child_also_those_that_do_not_want_to(
    zygote_process: tuple[socket.socket, "subprocess.Popen[str]"], ended: Callable[[int], bool]
):
    zygote, process = zygote_process
    pids = []
    for mode in ("serve", "stubborn", "stubborn"):
        ready, _ = ask(zygote, mode)
        pids.append(told(zygote)["pid"])
        first_line(ready)
    os.kill(pids[2], signal.SIGSTOP)  # as a node that is powered off
    zygote.close()
    assert process.wait(20) == 0
    assert all(ended(pid) for pid in pids)


def test_a_launcher_killed_leaves_neither_zygote_nor_children(
    launcher: "subprocess.Popen[str]", ended: Callable[[int], bool]
):
    assert launcher.stdout is not None
    pids = [int(word) for word in launcher.stdout.readline().split()]
    assert len(pids) == 3
    launcher.kill()
    assert all(ended(pid) for pid in pids)


def test_ctrl_c_is_the_launchers_to_handle(launcher: "subprocess.Popen[str]"):
    assert launcher.stdout is not None
    zygote, serving, _ = (int(word) for word in launcher.stdout.readline().split())
    assert os.getsid(zygote) == os.getsid(serving) == zygote != os.getsid(launcher.pid)


def test_everything_is_imported_without_the_bundle_of_certificates():
    script = (
        "import os, ssl, sys\n"
        "loaded = []\n"
        "context = ssl.SSLContext\n"
        "context.load_default_certs = lambda *_: loaded.append(os.environ['SSL_CERT_FILE'])\n"
        "from cluster.launcher.zygote import import_all\n"
        "import_all()\n"
        "assert set(loaded) <= {os.devnull}, loaded\n"
        "print(*sys.modules, os.environ.get('SSL_CERT_FILE'))\n"
    )
    environment = {name: value for name, value in os.environ.items() if name != "SSL_CERT_FILE"}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    words = done.stdout.split()
    assert set(MODULES) <= set(words)
    assert words[-1] == "None"


def test_a_bundle_that_the_user_names_stays_named(monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", "/certificates.pem")
    import_all()
    assert os.environ["SSL_CERT_FILE"] == "/certificates.pem"


def test_a_launcher_that_dies_without_having_read_everything_leaves_nobody_either(
    zygote_process: tuple[socket.socket, "subprocess.Popen[str]"], ended: Callable[[int], bool]
):
    zygote, process = zygote_process
    ready, _ = ask(zygote, "stubborn")
    pid = told(zygote)["pid"]
    first_line(ready)
    other, lifeline = ask(zygote, "fail")
    first_line(other)  # it has ended: "forked" and "exited" wait to be read, and are not
    zygote.recv(1, socket.MSG_PEEK)
    zygote.close()  # the zygote meets ECONNRESET, not an end
    os.close(lifeline)
    assert process.wait(20) == 0
    assert ended(pid)


def children(pid: int) -> list[int]:
    """The children of a process, by the kernel's own list."""
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.parametrize("zygote_process", ["child"], indirect=True)
def test_the_first_request_for_what_is_imported_ahead_goes_to_the_process_that_waits(
    zygote_process: tuple[socket.socket, "subprocess.Popen[str]"],
):
    zygote, process = zygote_process
    pids = []
    for mode in ("serve", "serve"):
        ready, lifeline = ask(zygote, mode)
        pids.append(told(zygote)["pid"])
        assert json.loads(first_line(ready))["ready"]
        if len(pids) == 1:
            assert children(process.pid) == pids, "nobody else was forked for it"
        os.kill(pids[-1], signal.SIGTERM)
        assert told(zygote) == {"exited": mode, "pid": pids[-1], "status": 0}
        os.close(lifeline)
    assert pids[0] != pids[1]


@pytest.mark.parametrize("zygote_process", ["child"], indirect=True)
def test_what_is_told_to_stop_while_it_imports_stops(
    zygote_process: tuple[socket.socket, "subprocess.Popen[str]"],
):
    zygote, _ = zygote_process
    ready, lifeline = ask(zygote, "serve")
    pid = told(zygote)["pid"]
    os.kill(pid, signal.SIGTERM)
    assert told(zygote)["status"] in (-signal.SIGTERM, 0)
    os.close(ready)
    os.close(lifeline)


@pytest.mark.parametrize("zygote_process", ["nowhere"], indirect=True)
def test_who_dies_before_it_is_asked_for_is_replaced(
    zygote_process: tuple[socket.socket, "subprocess.Popen[str]"],
):
    zygote, _ = zygote_process
    ready, lifeline = ask(zygote, "serve", module="nowhere")
    told(zygote)
    assert told(zygote)["status"] == CRASHED, "the module is not there, whoever imports it"
    assert first_line(ready) == ""
    os.close(lifeline)
    ready, lifeline = ask(zygote, "serve")
    assert told(zygote)["forked"] == "serve"
    assert json.loads(first_line(ready))["ready"]
    os.close(lifeline)


@pytest.mark.parametrize("zygote_process", ["child"], indirect=True)
def test_who_was_never_asked_for_ends_with_the_zygote(
    zygote_process: tuple[socket.socket, "subprocess.Popen[str]"], ended: Callable[[int], bool]
):
    zygote, process = zygote_process
    ready, lifeline = ask(zygote, "serve", module="other")  # answered: so it serves by now
    told(zygote)
    os.close(ready)
    os.close(lifeline)
    waiting = children(process.pid)
    zygote.close()
    assert process.wait(20) == 0
    assert waiting and all(ended(pid) for pid in waiting)


def test_a_command_line_is_read_before_the_fork_and_what_is_wrong_is_left_to_the_process() -> None:
    arguments = ["--api", "unix:/nowhere", "--run-dir", "/nowhere", "--cluster-key", "/nowhere"]
    parsed = zygote._parsed("cluster.gateway.__main__", arguments)
    assert parsed == GatewayConfig.parse(arguments)
    assert zygote._parsed("cluster.gateway.__main__", ["--nonsense"]) is None
    assert zygote._parsed("cluster.no_such_module", []) is None
