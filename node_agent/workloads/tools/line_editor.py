"""A line that a person types: what each key does to it, and what the screen shows.

    letters, Backspace, Delete, arrows, Home, End, ^A ^E ^B ^F ^H ^D ^K ^U ^W ^L, history by ^P ^N

Pure: bytes of a keyboard in, effects out; an escape sequence may come in parts. A plain editor, for
programs that read lines, knows erasing alone, as a terminal in canonical mode does.
"""

from collections.abc import Iterator, Sequence

from cluster.dataclass import dataclass

LINE_CHARS_MAX = 4096
ESCAPE = 0x1B
SEQUENCE_BYTES_MAX = 8
CLEAR_TO_END = b"\x1b[K"
CLEAR_SCREEN = b"\x1b[H\x1b[2J"


@dataclass(frozen=True, slots=True)
class Show:
    """The screen gets these bytes."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Line:
    """A line is whole (with its line end), or sent off without one by ^D."""

    data: bytes


@dataclass(frozen=True, slots=True)
class End:
    """^D on an empty line."""


@dataclass(frozen=True, slots=True)
class Signal:
    """^C or ^\\: the line is gone."""

    number: int


Effect = Show | Line | End | Signal

SIGNALS = {0x03: 2, 0x1C: 3}
SEQUENCES = {
    b"[A": "up", b"OA": "up", b"[B": "down", b"OB": "down",
    b"[C": "right", b"OC": "right", b"[D": "left", b"OD": "left",
    b"[H": "home", b"OH": "home", b"[1~": "home", b"[F": "end", b"OF": "end", b"[4~": "end",
    b"[3~": "delete",
}  # fmt: skip
CONTROLS = {
    0x01: "home", 0x02: "left", 0x04: "eof", 0x05: "end", 0x06: "right", 0x08: "erase",
    0x0B: "kill_right", 0x0C: "clear", 0x0E: "down", 0x10: "up", 0x15: "kill_left", 0x17: "word",
    0x7F: "erase",
}  # fmt: skip
PLAIN = frozenset({"eof", "erase", "kill_left", "word"})


class LineEditor:
    """The line under the cursor."""

    def __init__(self, prompt: bytes = b"", history: Sequence[str] | None = None) -> None:
        self._prompt = prompt
        self._history = history or ()
        self._plain = history is None
        self._text = ""
        self._cursor = 0
        self._past = len(self._history)  # which line of the history is shown; its length: none
        self._draft = ""
        self._pending = b""  # the beginning of an escape sequence or of a character

    def feed(self, data: bytes) -> Iterator[Effect]:
        """The effects of some keys, in order; iterate over all of them."""
        for byte in data:
            yield from self._byte(byte)

    def _byte(self, byte: int) -> Iterator[Effect]:
        if self._pending[:1] == b"\x1b":
            yield from self._escaped(byte)
        elif byte == ESCAPE:
            self._pending = b"\x1b"
        elif byte in (0x0D, 0x0A):
            yield Show(b"\r\n")
            yield self._whole(b"\n")
        elif byte in SIGNALS:
            self._whole(b"")
            yield Show(b"^C\r\n" if byte == 0x03 else b"^\\\r\n")
            yield Signal(SIGNALS[byte])
        elif byte in CONTROLS:
            yield from self._command(CONTROLS[byte])
        elif byte >= 0x20 or byte == 0x09:
            yield from self._character(byte)

    def _escaped(self, byte: int) -> Iterator[Effect]:
        self._pending += bytes([byte])
        sequence = self._pending[1:]
        whole = len(sequence) > 1 and (0x40 <= byte <= 0x7E)
        if sequence[:1] not in (b"[", b"O") or whole or len(sequence) > SEQUENCE_BYTES_MAX:
            self._pending = b""
            yield from self._command(SEQUENCES.get(sequence, ""))

    def _character(self, byte: int) -> Iterator[Effect]:
        self._pending += bytes([byte])
        try:
            letter = self._pending.decode("utf-8")
        except UnicodeDecodeError:
            if len(self._pending) < 4 and self._pending[0] >= 0xC0:
                return  # the rest of it comes
            letter = self._pending.decode("utf-8", "replace")
        self._pending = b""
        if len(self._text) < LINE_CHARS_MAX:
            yield from self._insert(letter)

    def _insert(self, letter: str) -> Iterator[Effect]:
        rest = self._text[self._cursor :]
        self._text = self._text[: self._cursor] + letter + rest
        self._cursor += len(letter)
        yield Show((letter + rest).encode() + _left(len(rest)))

    def _whole(self, end: bytes) -> Line:
        line = Line(self._text.encode() + end)
        self._text, self._cursor, self._pending = "", 0, b""
        self._past, self._draft = len(self._history), ""
        return line

    def _command(self, name: str) -> Iterator[Effect]:
        if self._plain and name not in PLAIN:
            return
        before, after = self._text[: self._cursor], self._text[self._cursor :]
        match name:
            case "eof" if not self._text:
                yield End()
            case "eof" if self._plain:
                yield self._whole(b"")
            case "left" | "right" | "home" | "end":
                yield from self._move(name)
            case "erase":
                yield from self._replace(before[:-1], after)
            case "delete" | "eof":
                yield from self._replace(before, after[1:])
            case "kill_left":
                yield from self._replace("", after)
            case "kill_right":
                yield from self._replace(before, "")
            case "word":
                yield from self._replace(_without_word(before), after)
            case "up" | "down":
                yield from self._recall(-1 if name == "up" else 1)
            case "clear":
                yield Show(CLEAR_SCREEN + self._prompt + self._text.encode() + _left(len(after)))

    def _move(self, name: str) -> Iterator[Effect]:
        goal = {
            "left": max(0, self._cursor - 1),
            "right": min(len(self._text), self._cursor + 1),
            "home": 0,
            "end": len(self._text),
        }[name]
        passed = self._text[self._cursor : goal]
        yield Show(passed.encode() if goal > self._cursor else _left(self._cursor - goal))
        self._cursor = goal

    def _replace(self, before: str, after: str) -> Iterator[Effect]:
        """Another text, redrawn from where it differs."""
        if (before, after) == (self._text[: self._cursor], self._text[self._cursor :]):
            return
        keep = len(before) if self._text.startswith(before) else 0
        shown = before[keep:] + after
        yield Show(_left(self._cursor - keep) + shown.encode() + CLEAR_TO_END + _left(len(after)))
        self._text, self._cursor = before + after, len(before)

    def _recall(self, step: int) -> Iterator[Effect]:
        goal = self._past + step
        if not 0 <= goal <= len(self._history):
            return
        if self._past == len(self._history):
            self._draft = self._text
        self._past = goal
        text = self._draft if goal == len(self._history) else self._history[goal]
        yield Show(_left(self._cursor))
        self._cursor, self._text = 0, ""
        yield Show(text.encode() + CLEAR_TO_END)
        self._text, self._cursor = text, len(text)


def _left(count: int) -> bytes:
    return b"\b" * count


def _without_word(text: str) -> str:
    kept = text.rstrip()
    return kept[: max(kept.rfind(" "), kept.rfind("\t")) + 1]
