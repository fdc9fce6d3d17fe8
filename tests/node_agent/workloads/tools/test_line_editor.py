"""Keys and the line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node_agent.workloads.tools.line_editor import End, Line, LineEditor, Show, Signal

UP, DOWN, LEFT, RIGHT = b"\x1b[A", b"\x1b[B", b"\x1b[D", b"\x1b[C"


def lines(keys, history=(), plain=False):
    editor = LineEditor(b"$ ", None if plain else list(history))
    return [each for each in editor.feed(keys) if not isinstance(each, Show)]


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        (b"hello\r", b"hello\n"),
        (b"helo" + LEFT + b"l\r", b"hello\n"),
        (b"hellox\x7f\r", b"hello\n"),
        (b"xello\x01\x1b[3~h\r", b"hello\n"),
        (b"ello\x01h\x05!\r", b"hello!\n"),
        (b"some words here\x17\r", b"some words \n"),
        (b"gone\x15kept\r", b"kept\n"),
        (b"kept gone" + LEFT * 5 + b"\x0b\r", b"kept\n"),
        ("grüße\x7f\r".encode(), "grüß\n".encode()),
        (b"\x7f\x7fa\r", b"a\n"),
        (RIGHT + LEFT + b"a" + b"\x1b[99z" + b"b\r", b"ab\n"),
        (b"a\x04\r", b"a\n"),
    ],
)
def test_editing(keys, line):
    assert lines(keys) == [Line(line)]


def test_history_comes_and_goes_and_keeps_the_draft():
    history = ["first", "second"]
    assert lines(UP + b"\r", history) == [Line(b"second\n")]
    assert lines(UP + UP + UP + b"\r", history) == [Line(b"first\n")]
    assert lines(b"dra" + UP + DOWN + b"ft\r", history) == [Line(b"draft\n")]


def test_the_end_and_signals():
    assert lines(b"\x04") == [End()]
    assert lines(b"abc\x03x\r") == [Signal(2), Line(b"x\n")]
    assert lines(b"\x1c") == [Signal(3)]


def test_a_plain_editor_erases_and_sends_off_and_knows_no_history():
    assert lines(b"ab\x7fc\r", plain=True) == [Line(b"ac\n")]
    assert lines(b"ab\x04", plain=True) == [Line(b"ab")]
    assert lines(b"ab" + UP + b"\r", ["x"], plain=True) == [Line(b"ab\n")]


def test_a_cleared_screen_shows_the_prompt_and_the_line_again():
    shown = b"".join(each.data for each in LineEditor(b"$ ", []).feed(b"ab\x0c"))
    assert shown.endswith(b"\x1b[2J$ ab")


class Screen:
    """Enough of a terminal to see one line."""

    def __init__(self):
        self.cells, self.at = "", 0

    def show(self, data):
        text = data.decode()
        while text:
            if text.startswith("\x1b[K"):
                self.cells, text = self.cells[: self.at], text[3:]
                continue
            letter, text = text[0], text[1:]
            if letter == "\b":
                self.at -= 1
            else:
                self.cells = self.cells[: self.at] + letter + self.cells[self.at + 1 :]
                self.at += 1


KEYS = st.sampled_from(
    [b"a", b"b", b" ", b"\x7f", b"\x01", b"\x05", b"\x0b", b"\x15", b"\x17", b"\x1b[3~", LEFT,
     RIGHT, UP, DOWN]
)  # fmt: skip


@given(st.lists(KEYS, max_size=30), st.integers(1, 5))
def test_the_screen_shows_the_line_whatever_is_typed_and_however_it_comes(keys, size):
    editor, screen = LineEditor(b"", ["one", "two words"]), Screen()
    data = b"".join(keys)
    for at in range(0, len(data), size):
        for effect in editor.feed(data[at : at + size]):
            assert isinstance(effect, Show)
            screen.show(effect.data)
    *_, line = editor.feed(b"\r")
    assert line.data.decode() == screen.cells + "\n"
