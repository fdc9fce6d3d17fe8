"""A terminal between a person's keyboard and screen and the commands that run on it.

What the line discipline of a pseudo-terminal does on Linux: keys are shown and make lines, a line
end goes out with a carriage return, ^C interrupts what is in the foreground. `prompt` is how the
shell reads a line, with editing and history.
"""

import asyncio
from collections.abc import Callable, Sequence

from node_agent.workloads.tools.line_editor import End, Line, LineEditor, Show, Signal
from node_agent.workloads.tools.process import BufferedInput, Input, Output, Window

LINES_AHEAD_MAX = 1024


class Interrupted(Exception):
    """^C while the shell read a line."""


class Terminal(BufferedInput):
    """Input of what runs on it; `output` is its screen."""

    isatty = True

    def __init__(self, keyboard: Input, screen: Output, window: Window | None = None) -> None:
        super().__init__()
        self.window = window or Window()
        self.output = Screen(screen)
        self.interrupt: Callable[[int], None] = lambda number: None
        self._keyboard = keyboard
        self._editor = LineEditor()
        self._lines: asyncio.Queue[bytes] = asyncio.Queue(LINES_AHEAD_MAX)
        self._prompting = False
        self._hung_up = False

    async def follow(self) -> None:
        """Take keys until there are no more: the terminal's own task."""
        while data := await self._keyboard.read():
            for byte in data:  # one by one: each may change who edits
                await self._key(bytes([byte]))
        self._hung_up = True
        await self._lines.put(b"")

    async def _key(self, data: bytes) -> None:
        for effect in self._editor.feed(data):
            match effect:
                case Show(shown):
                    await self.output.show(shown)
                case Line(line):
                    await self._lines.put(line)
                case End():
                    await self._lines.put(b"")
                case Signal(number):
                    self._signal(number)

    def _signal(self, number: int) -> None:
        if self._prompting:
            self._lines.put_nowait(b"\x03")  # no line is this
        else:
            self.interrupt(number)

    async def more(self) -> bytes:
        if self._hung_up and self._lines.empty():
            return b""
        return await self._lines.get()

    async def prompt(self, text: str, history: Sequence[str]) -> bytes:
        """A line that a person edits; b"" at the end; Interrupted by ^C."""
        await self.output.show(text.encode())
        self._editor = LineEditor(text.encode(), history)
        self._prompting = True
        try:
            line = await (self.readline() if self._ahead else self.more())
        finally:
            self._prompting = False
            self._editor = LineEditor()
        if line == b"\x03":
            raise Interrupted
        return line


class Screen:
    """The screen, as commands write to it: a line end moves to the line's beginning too."""

    isatty = True

    def __init__(self, screen: Output) -> None:
        self._screen = screen

    async def write(self, data: bytes) -> None:
        await self._screen.write(data.replace(b"\n", b"\r\n"))

    async def show(self, data: bytes) -> None:
        """Write as it is."""
        await self._screen.write(data)
