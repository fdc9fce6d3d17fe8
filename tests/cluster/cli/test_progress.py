"""How a cluster comes up, on a terminal and elsewhere."""

from cluster.cli.progress import (
    LINES_MAX,
    LiveProgress,
    PlainProgress,
    line_of,
    milliseconds,
    progress_on,
    redraw,
)
from cluster.launcher.progress import Progress, ProgressState

STARTING, READY, FAILED = ProgressState.STARTING, ProgressState.READY, ProgressState.FAILED


def test_a_part_is_a_line_with_its_time_and_its_address():
    ready = Progress("control", READY, 0.112, "https://127.64.0.254:6443")
    assert line_of(ready, colour=False) == (
        "✓ control                   112 ms  https://127.64.0.254:6443"
    )
    assert line_of(Progress("node-1", STARTING), colour=False) == "… node-1"
    assert line_of(Progress("dns", FAILED, 12.34, "status 2"), colour=False) == (
        "✗ dns                       12.3 s  status 2"
    )


def test_only_the_mark_is_coloured():
    assert line_of(Progress("dns", READY, 0.1), colour=True).startswith("\x1b[1;32m✓\x1b[0m dns ")


def test_times_are_milliseconds_until_they_are_seconds():
    assert [milliseconds(each) for each in (0.0004, 0.48, 9.9994, 12.34)] == [
        "0 ms",
        "480 ms",
        "9999 ms",
        "12.3 s",
    ]


def test_a_terminal_sees_lines_drawn_over_and_a_file_only_ends(terminal_of):
    assert isinstance(progress_on(terminal_of(err=True)), LiveProgress)
    assert isinstance(progress_on(terminal_of(err=True, TERM="dumb")), PlainProgress)
    assert isinstance(progress_on(terminal_of(out=True)), PlainProgress)


def test_a_file_gets_a_line_when_something_is_ready_or_has_failed(terminal):
    show = PlainProgress(terminal)
    for step in (Progress("a", STARTING), Progress("a", READY, 0.1), Progress("b", FAILED, 0.2)):
        show(step)
    assert [line.split()[:2] for line in terminal.err.text.splitlines()] == [["✓", "a"], ["✗", "b"]]


def test_a_part_keeps_its_line(terminal_of):
    terminal = terminal_of(err=True, NO_COLOR="1")
    show = LiveProgress(terminal)
    for step in (Progress("a", STARTING), Progress("b", STARTING), Progress("a", READY, 0.1)):
        show(step)
    last = terminal.err.text.rpartition("\x1b[2A")[2].split("\n")
    assert [line.removeprefix("\r\x1b[2K").split() for line in last if line] == [
        ["✓", "a", "100", "ms"],
        ["…", "b"],
    ]


def test_a_long_list_shows_its_newest(terminal_of):
    terminal = terminal_of(err=True)
    show = LiveProgress(terminal)
    for number in range(LINES_MAX + 5):
        show(Progress(f"node-{number}", STARTING))
    last = terminal.err.text.rpartition(f"\x1b[{LINES_MAX}A")[2]
    assert last.count("\n") == LINES_MAX
    assert "node-24" in last
    assert "node-4 " not in last


def test_lines_are_replaced_where_they_are():
    assert redraw(0, ["a"], 80) == "\r\x1b[2Ka\n"
    assert redraw(2, ["a", "b"], 80) == "\x1b[2A\r\x1b[2Ka\n\r\x1b[2Kb\n"


def test_a_line_too_long_to_be_drawn_over_is_cut_by_what_is_seen_of_it():
    assert redraw(0, ["x" * 100], 10) == "\r\x1b[2K" + "x" * 9 + "\n"
    coloured = "\x1b[1;32m✓\x1b[0m " + "x" * 100
    assert redraw(0, [coloured], 10) == ("\r\x1b[2K\x1b[1;32m✓\x1b[0m " + "x" * 7 + "\x1b[0m\n")
    assert redraw(0, ["x" * 9], 10) == "\r\x1b[2K" + "x" * 9 + "\n"
