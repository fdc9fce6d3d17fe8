"""`sed [-n] [-E] [-i] SCRIPT [FILE]...`: s, p, d, q, =, y, a, i, c, n, with addresses.

Lines are numbered through all files, as without -s. What it does not know it refuses.
"""

import re
from collections.abc import AsyncIterator
from dataclasses import field, replace

from cluster.dataclass import dataclass
from node_agent.workloads.tools.matching import in_time
from node_agent.workloads.tools.options import UsageError, parse
from node_agent.workloads.tools.process import Process
from node_agent.workloads.tools.regular import compiled
from node_agent.workloads.tools.running import files_of
from node_agent.workloads.tools.sources import Sources

LAST = -1
EXIT_NO_INPUT = 2


@dataclass(frozen=True, slots=True)
class Address:
    """A line's number, `$`, or a pattern."""

    number: int = 0
    pattern: "re.Pattern[str] | None" = None

    def matches(self, line: str, number: int, last: bool) -> bool:
        """Whether a line is meant."""
        if self.pattern is not None:
            return self.pattern.search(line) is not None
        return last if self.number == LAST else number == self.number


@dataclass(frozen=True, slots=True)
class Instruction:
    """One command of the script."""

    name: str
    first: Address | None = None
    second: Address | None = None
    negated: bool = False
    pattern: "re.Pattern[str] | None" = None
    text: str = ""
    flags: str = ""


class _Reader:
    """Reads a script."""

    def __init__(self, text: str, *, extended: bool) -> None:
        self._text = text
        self._at = 0
        self._extended = extended

    def script(self) -> list[Instruction]:
        found: list[Instruction] = []
        while self._skip(" \t\n;"):
            found.append(self._instruction())
        return found

    def _skip(self, letters: str) -> bool:
        while self._at < len(self._text) and self._text[self._at] in letters:
            self._at += 1
        if self._text[self._at : self._at + 1] == "#":
            end = self._text.find("\n", self._at)
            self._at = len(self._text) if end < 0 else end
            return self._skip(letters)
        return self._at < len(self._text)

    def _instruction(self) -> Instruction:
        first = self._address()
        second = None
        if first is not None and self._text[self._at : self._at + 1] == ",":
            self._at += 1
            second = self._address()
            if second is None:
                raise UsageError("unexpected `,'")
        self._skip(" ")
        negated = self._text[self._at : self._at + 1] == "!"
        self._at += negated
        name = self._text[self._at : self._at + 1]
        self._at += 1
        base = Instruction(name, first, second, negated)
        match name:
            case "s" | "y":
                return self._substitution(base)
            case "a" | "i" | "c":
                return replace(base, text=self._rest_of_line())
            case "p" | "d" | "q" | "=" | "n":
                return base
            case "":
                raise UsageError("missing command")
        raise UsageError(f"unknown command: `{name}'")

    def _address(self) -> Address | None:
        self._skip(" ")
        rest = self._text[self._at :]
        if digits := re.match(r"\d+", rest):
            self._at += len(digits[0])
            return Address(int(digits[0]))
        if rest[:1] == "$":
            self._at += 1
            return Address(LAST)
        if rest[:1] in ("/", "\\"):
            self._at += rest[:1] == "\\"
            mark = self._text[self._at]
            self._at += 1
            return Address(pattern=compiled(self._until(mark), extended=self._extended))
        return None

    def _until(self, mark: str, *, keep: bool = False) -> str:
        """The text up to a delimiter; the delimiter with a backslash is itself."""
        out = ""
        while self._at < len(self._text):
            letter = self._text[self._at]
            self._at += 1
            if letter == mark:
                return out
            if letter == "\\" and self._at < len(self._text):
                follows = self._text[self._at]
                self._at += 1
                out += follows if follows == mark and not keep else "\\" + follows
            else:
                out += letter
        raise UsageError("unterminated `s' command")

    def _substitution(self, base: Instruction) -> Instruction:
        mark = self._text[self._at : self._at + 1]
        self._at += 1
        pattern, text = self._until(mark or "\n"), self._until(mark or "\n")
        flags = re.match(r"[gpiI\d]*", self._text[self._at :])
        given = flags[0] if flags else ""
        self._at += len(given)
        if base.name == "y":
            if len(pattern) != len(text):
                raise UsageError("strings for `y' command are different lengths")
            return replace(base, text=text, flags=pattern)
        ignore = "i" in given.lower()
        wanted = compiled(pattern, extended=self._extended, ignore_case=ignore)
        return replace(base, pattern=wanted, text=text, flags=given)

    def _rest_of_line(self) -> str:
        end = self._text.find("\n", self._at)
        end = len(self._text) if end < 0 else end
        text = self._text[self._at : end].lstrip()
        self._at = end
        if text == "\\" and end < len(self._text):
            self._at += 1
            return self._rest_of_line()
        return text.removeprefix("\\")


def read_script(text: str, *, extended: bool) -> list[Instruction]:
    """The instructions of a script."""
    return _Reader(text, extended=extended).script()


def _filled(text: str, found: "re.Match[str]") -> str:
    """The replacement for one match: & and \\1 are what was matched."""

    def part(escape: "re.Match[str]") -> str:
        if escape[0] == "&":
            return found[0]
        letter = escape[0][1]
        if letter.isdecimal():
            try:
                return found[int(letter)] or ""
            except IndexError:
                raise UsageError(f"invalid reference \\{letter} on `s' command's RHS") from None
        return {"n": "\n", "t": "\t"}.get(letter, letter)

    return re.sub(r"\\.|&", part, text, flags=re.DOTALL)


def substituted(instruction: Instruction, line: str) -> tuple[str, int]:
    """A line after `s`, and how many times it was done."""
    assert instruction.pattern is not None
    number = int("".join(each for each in instruction.flags if each.isdecimal()) or 1)
    everywhere = "g" in instruction.flags
    seen = done = 0
    end = -1  # of the match before: an empty one right after it is none

    def by(found: "re.Match[str]") -> str:
        nonlocal seen, done, end
        if not found[0] and found.start() == end:
            return ""
        end = found.end()
        seen += 1
        if seen < number or (seen > number and not everywhere):
            return found[0]
        done += 1
        return _filled(instruction.text, found)

    return instruction.pattern.sub(by, line), done


@dataclass(slots=True)
class Editor:
    """A script at work; ranges remember that they have begun."""

    script: list[Instruction]
    quiet: bool
    number: int = 0
    stopped: bool = False
    _open: set[int] = field(default_factory=set)

    def line(self, text: str, last: bool) -> list[str]:
        """What comes out for one line."""
        self.number += 1
        out: list[str] = []
        after: list[str] = []
        for at, instruction in enumerate(self.script):
            if self._applies(at, instruction, text, last) == instruction.negated:
                continue
            match instruction.name:
                case "s":
                    text, done = substituted(instruction, text)
                    if done and "p" in instruction.flags:
                        out.append(text)
                case "y":
                    text = text.translate(str.maketrans(instruction.flags, instruction.text))
                case "p":
                    out.append(text)
                case "=":
                    out.append(str(self.number))
                case "i":
                    out.append(instruction.text)
                case "a":
                    after.append(instruction.text)
                case "d":
                    return out + after
                case "c":
                    return [*out, instruction.text, *after]
                case "q":
                    self.stopped = True
                    break
                case "n":
                    break
        return out + ([] if self.quiet else [text]) + after

    def _applies(self, at: int, instruction: Instruction, line: str, last: bool) -> bool:
        first, second = instruction.first, instruction.second
        if first is None:
            return True
        if second is None:
            return first.matches(line, self.number, last)
        if at in self._open:
            ends = second.matches(line, self.number, last)
            if ends or (second.number > 0 and self.number >= second.number):
                self._open.discard(at)
            return True
        if not first.matches(line, self.number, last):
            return False
        if not 0 < second.number <= self.number:
            self._open.add(at)
        return True


async def run(process: Process) -> int:
    """Edit lines."""
    options = parse(
        process.arguments,
        "nErie:f:s",
        "quiet=n silent=n regexp-extended=E expression:=e file:=f in-place=i separate=s",
    )
    operands = list(options.operands)
    texts = options.values("e")
    for path in options.values("f"):
        texts.append(files_of(process).read(path).decode("utf-8", "surrogateescape"))
    if not texts:
        if not operands:
            raise UsageError("no script specified")
        texts.append(operands.pop(0))
    script = read_script("\n".join(texts), extended=options.any_of("Er"))
    if "i" in options:
        return await _in_place(process, script, operands, quiet="n" in options)
    sources = Sources(process, operands)
    editor = Editor(script, "n" in options)
    async for out in _edited(editor, sources.lines()):
        await process.write(out)
        if editor.stopped:
            break
    return EXIT_NO_INPUT if sources.failed else 0


async def _edited(editor: Editor, lines: AsyncIterator[bytes]) -> AsyncIterator[str]:
    """The output for each line; the last line is known by what does not follow."""
    held: bytes | None = None
    async for line in lines:
        if held is not None:
            yield _output(editor, held, last=False)
        held = line
    if held is not None and not editor.stopped:
        yield _output(editor, held, last=True)


def _output(editor: Editor, line: bytes, *, last: bool) -> str:
    text = line.decode("utf-8", "surrogateescape")
    out = in_time(lambda: editor.line(text.removesuffix("\n"), last))
    joined = "".join(each + "\n" for each in out)
    return joined if text.endswith("\n") else joined.removesuffix("\n")


async def _in_place(
    process: Process, script: list[Instruction], paths: list[str], *, quiet: bool
) -> int:
    for path in paths:
        editor = Editor(script, quiet)
        out = [each async for each in _edited(editor, Sources(process, [path]).lines())]
        output = files_of(process).create(path)
        await output.write("".join(out).encode("utf-8", "surrogateescape"))
        output.close()
    return 0
