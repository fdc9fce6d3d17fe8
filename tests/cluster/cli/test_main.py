"""The first word names the verb, and nothing else is paid for."""

import subprocess
import sys
from types import ModuleType

import pytest

from cluster.cli import main as module
from cluster.cli.exits import FAILED, INTERRUPTED, MISUSED, OK, OUTPUT_CLOSED
from cluster.cli.main import VERBS, guarded, help_text, main
from cluster.errors import ClusterError

# Each costs more to import than all of the help costs to show.
COLUMNS = 80
HEAVY = {"asyncio", "argparse", "aiohttp", "json", "logging", "ssl", "socket", "yaml"}


def imported_by(*words: str) -> set[str]:
    script = (
        "import sys\n"
        "from cluster.cli.main import main\n"
        f"status = main({list(words)!r})\n"
        "print(*sys.modules, file=sys.stderr)\n"
        "raise SystemExit(status)\n"
    )
    # -S: what site packages do at every start is not ours
    done = subprocess.run(
        [sys.executable, "-S", "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode in (OK, MISUSED), done.stderr
    return set(done.stderr.split("\n")[-2].split())


@pytest.mark.parametrize("words", [["-h"], ["--version"], ["help"]])
def test_help_imports_nothing_that_takes_time(words: list[str]):
    loaded = imported_by(*words)
    assert not HEAVY & loaded
    assert {name for name in loaded if name.startswith("cluster")} == {
        "cluster",
        "cluster.cli",
        "cluster.cli.exits",
        "cluster.cli.main",
    }


def test_a_verbs_help_needs_neither_loop_nor_http_nor_launcher():
    # -S: no site-packages, so anything third-party would fail
    loaded = imported_by("down", "-h")
    assert "aiohttp" not in loaded
    assert not any(
        name.startswith(("cluster.launcher", "control", "node_agent")) for name in loaded
    )


def test_help_names_every_verb_in_80_columns(capsys: pytest.CaptureFixture[str]):
    assert main(["--help"]) == OK
    shown = capsys.readouterr().out
    assert shown == help_text()
    for verb in VERBS:
        assert f"\n  {verb.name} " in shown
    assert max(map(len, shown.splitlines())) <= COLUMNS


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_every_verb_explains_itself(verb, capsys: pytest.CaptureFixture[str], monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert main([verb.name, "-h"]) == OK
    shown = capsys.readouterr().out
    assert shown.startswith(f"usage: kubehop {verb.name} ")
    assert "--name" in shown or verb.name in ("node", "demo")
    assert max(map(len, shown.splitlines())) <= COLUMNS


def test_without_a_word_it_says_what_there_is_and_that_this_was_none(
    capsys: pytest.CaptureFixture[str],
):
    assert main([]) == MISUSED
    assert capsys.readouterr().err == help_text()


def test_a_word_that_is_no_verb_is_set_right(capsys: pytest.CaptureFixture[str]):
    assert main(["statsu"]) == MISUSED
    said = capsys.readouterr().err
    assert said.startswith("error: 'statsu' is no verb of kubehop. Did you mean `kubehop status`? ")
    assert "up, status, curl" in said


def test_a_word_that_is_like_nothing_gets_the_list_alone(capsys: pytest.CaptureFixture[str]):
    assert main(["xyzzy"]) == MISUSED
    assert "Did you mean" not in capsys.readouterr().err


def test_it_knows_its_version(capsys: pytest.CaptureFixture[str]):
    assert main(["--version"]) == OK
    assert capsys.readouterr().out.startswith("kubehop 0.")


def test_options_that_are_wrong_are_argparse_to_tell(capsys: pytest.CaptureFixture[str]):
    assert main(["status", "--colour"]) == MISUSED
    assert "unrecognized arguments: --colour" in capsys.readouterr().err


def test_options_may_not_be_cut_short(capsys: pytest.CaptureFixture[str]):
    assert main(["status", "--na", "x"]) == MISUSED


def test_a_verb_is_run_with_its_options(monkeypatch: pytest.MonkeyPatch):
    verb = ModuleType("verb")
    verb.add_arguments = lambda parser: parser.add_argument("--count", type=int)  # type: ignore[attr-defined]
    verb.run = lambda options, terminal: options.count  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "verb_of_the_test", verb)
    monkeypatch.setattr(module, "VERBS", (module.Verb("count", "verb_of_the_test", ""),))
    assert main(["count", "--count", "7"]) == 7


def raising(error: BaseException):
    def work() -> int:
        raise error

    return work


def test_what_people_can_act_on_becomes_a_text_and_a_status(terminal):
    assert guarded(raising(ClusterError("it is so")), terminal) == FAILED
    assert terminal.err.text == "error: it is so\n"


def test_a_fault_of_ours_keeps_its_traceback(terminal):
    with pytest.raises(ZeroDivisionError):
        guarded(raising(ZeroDivisionError()), terminal)


def test_an_interruption_is_no_error(terminal):
    assert guarded(raising(KeyboardInterrupt()), terminal) == INTERRUPTED
    assert terminal.err.text == ""


SAYS = """
from cluster.cli.main import guarded
from cluster.cli.terminal import Terminal
terminal = Terminal.of_process()
def work():
    terminal.say("nobody reads this")
    return 0
raise SystemExit(guarded(work, terminal))
"""


def test_a_reader_that_has_left_is_no_error():
    reading = subprocess.Popen(["true"], stdin=subprocess.PIPE)
    reading.wait()
    assert reading.stdin is not None
    done = subprocess.run(
        [sys.executable, "-c", SAYS],
        stdout=reading.stdin,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    reading.stdin.close()
    assert (done.returncode, done.stderr) == (OUTPUT_CLOSED, "")
