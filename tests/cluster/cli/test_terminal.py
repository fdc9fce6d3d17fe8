"""Results on standard output, the rest on standard error; colour and folding on terminals only."""

import io

import pytest

from cluster.cli.terminal import (
    BAD,
    COLUMNS_MAX,
    COLUMNS_MIN,
    RESET,
    Terminal,
    folded,
    styled,
    wants_colour,
)


@pytest.mark.parametrize(
    ("is_terminal", "environ", "wanted"),
    [
        (True, {}, True),
        (True, {"TERM": "xterm-256color"}, True),
        (True, {"NO_COLOR": ""}, True),  # set but empty: no-color.org asks for a value
        (True, {"NO_COLOR": "1"}, False),
        (True, {"TERM": "dumb"}, False),
        (False, {}, False),
    ],
)
def test_colour_is_for_terminals_whose_user_wants_it(is_terminal, environ, wanted):
    assert wants_colour(is_terminal, environ) is wanted


def test_the_two_streams_are_judged_apart(terminal_of):
    terminal = terminal_of(out=True)
    assert (terminal.colour_out, terminal.colour_err, terminal.live_err) == (True, False, False)
    assert terminal_of(err=True).live_err
    assert not terminal_of(err=True, TERM="dumb").live_err


def test_results_and_notes_do_not_mix(terminal):
    terminal.say("result")
    terminal.tell("progress")
    terminal.note("note")
    terminal.say()
    assert terminal.out.text == "result\n\n"
    assert terminal.err.text == "progress\nnote\n"


def test_an_error_says_who_complains(terminal_of):
    plain, coloured = terminal_of(), terminal_of(err=True)
    plain.complain("(7) refused", who="curl")
    coloured.complain("it is so")
    assert plain.err.text == "curl: (7) refused\n"
    assert coloured.err.text == f"{BAD}error:{RESET} it is so\n"


def test_a_long_error_is_one_line_in_a_file_and_folded_on_a_terminal(terminal_of):
    text = "the directory /some/where cannot be made, because there is a file of that name already"
    plain, shown = terminal_of(), terminal_of(err=True, NO_COLOR="1")
    plain.complain(text)
    shown.complain(text)
    assert plain.err.text == f"error: {text}\n"
    assert shown.err.text.splitlines() == [
        "error: the directory /some/where cannot be made, because there is a file of that",
        "  name already",
    ]


def test_folding_never_cuts_a_word_and_keeps_lines_apart():
    path = "/a/" + "long/" * 20
    assert folded(f"see {path}", 40) == ["see", f"  {path}"]
    assert folded("one\n  two", 40) == ["one", "  two"]
    assert folded("a " * 30 + "\n\nend", 20)[-2:] == ["", "end"]
    assert folded("", 40) == [""]
    assert folded("x " * 60, 0) == ["x " * 60]


@pytest.mark.parametrize(
    ("columns", "width"), [("80", 80), ("20", COLUMNS_MIN), ("300", COLUMNS_MAX)]
)
def test_the_width_is_the_terminals_within_reason(terminal_of, monkeypatch, columns, width):
    terminal = terminal_of(out=True)
    monkeypatch.setenv("COLUMNS", columns)
    assert terminal.width == width


def test_without_a_terminal_the_width_is_80(terminal, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    assert terminal.width == 80


def test_bytes_go_out_as_they_are_after_what_was_said_before(terminal):
    terminal.out.write("head ")
    terminal.write_bytes(b"\x00\xff")
    assert terminal.out.bytes.getvalue() == b"head \x00\xff"


def test_a_stream_without_bytes_gets_text():
    out = io.StringIO()
    Terminal(out, io.StringIO(), {}).write_bytes(b"caf\xc3\xa9 \xff")
    assert out.getvalue() == "café �"


def test_a_style_is_put_around_what_is_there():
    assert styled("text", BAD, colour=True) == f"{BAD}text{RESET}"
    assert styled("text", BAD, colour=False) == "text"
    assert styled("", BAD, colour=True) == ""


def test_a_process_writes_to_its_own_streams(capsys: pytest.CaptureFixture[str]):
    terminal = Terminal.of_process()
    terminal.say("out")
    terminal.tell("err")
    assert capsys.readouterr() == ("out\n", "err\n")
