"""`test EXPRESSION`, `[ EXPRESSION ]`: files, texts and numbers compared."""

import stat
from collections.abc import Callable

from node_agent.workloads.tools.files import Files
from node_agent.workloads.tools.matching import in_time
from node_agent.workloads.tools.process import Failed, Process
from node_agent.workloads.tools.running import files_of
from node_agent.workloads.tools.shell.patterns import matches

EXIT_WRONG = 2
NUMBERS: dict[str, Callable[[int, int], bool]] = {
    "-eq": lambda a, b: a == b, "-ne": lambda a, b: a != b, "-lt": lambda a, b: a < b,
    "-le": lambda a, b: a <= b, "-gt": lambda a, b: a > b, "-ge": lambda a, b: a >= b,
}  # fmt: skip
TEXTS: dict[str, Callable[[str, str], bool]] = {
    "=": lambda a, b: a == b, "==": lambda a, b: a == b, "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b, ">": lambda a, b: a > b,
}  # fmt: skip
TIMES = ("-nt", "-ot", "-ef")
KINDS: dict[str, Callable[[int], bool]] = {
    "-f": stat.S_ISREG, "-d": stat.S_ISDIR, "-b": stat.S_ISBLK, "-c": stat.S_ISCHR,
    "-p": stat.S_ISFIFO, "-S": stat.S_ISSOCK,
}  # fmt: skip
UNARY = ("-n", "-z", "-t", "-e", "-s", "-r", "-w", "-x", "-h", "-L", "-g", "-k", "-u", "-O", "-G",
         "-N", *KINDS)  # fmt: skip
BINARY = (*NUMBERS, *TEXTS, *TIMES)


async def run(process: Process) -> int:
    """Evaluate; 0 true, 1 false, 2 no expression."""
    words = list(process.arguments)
    close = {"[": "]", "[[": "]]"}.get(process.name)
    if close is not None and (not words or words.pop() != close):
        raise Failed(f"missing {close}", EXIT_WRONG)
    return 0 if Condition(words, process, patterns=process.name == "[[").value() else 1


class Condition:
    """Reads an expression from left to right."""

    def __init__(self, words: list[str], process: Process, *, patterns: bool) -> None:
        self._words = words
        self._process = process
        self._patterns = patterns

    @property
    def _files(self) -> Files:
        return files_of(self._process)

    def value(self) -> bool:
        """Whether it holds; no words at all are false."""
        if not self._words:
            return False
        value = self._or()
        if self._words:
            raise Failed(f"{self._words[0]}: unknown operand", EXIT_WRONG)
        return value

    def _or(self) -> bool:
        value = self._and()
        while self._words[:1] in (["-o"], ["||"]):
            self._words.pop(0)
            value = self._and() or value
        return value

    def _and(self) -> bool:
        value = self._not()
        while self._words[:1] in (["-a"], ["&&"]):
            self._words.pop(0)
            value = self._not() and value
        return value

    def _not(self) -> bool:
        if self._words[:1] == ["!"] and len(self._words) > 1 and self._words[1] not in BINARY:
            self._words.pop(0)
            return not self._not()
        return self._primary()

    def _primary(self) -> bool:
        if not self._words:
            raise Failed("argument expected", EXIT_WRONG)
        if len(self._words) >= 3 and self._words[1] in BINARY:
            first, operator, second = (self._words.pop(0) for _ in range(3))
            return self._binary(first, operator, second)
        first = self._words.pop(0)
        if first == "(" and self._words:
            value = self._or()
            if self._words[:1] != [")"]:
                raise Failed("closing paren expected", EXIT_WRONG)
            self._words.pop(0)
            return value
        if first in UNARY and self._words and self._words[0] not in ("-a", "-o"):
            return self._unary(first, self._words.pop(0))
        return first != ""

    def _binary(self, first: str, operator: str, second: str) -> bool:
        if operator in NUMBERS:
            return NUMBERS[operator](_number(first), _number(second))
        if operator in TIMES:
            return self._compared(first, operator, second)
        if self._patterns and operator in ("=", "==", "!="):
            return in_time(lambda: matches(second, first)) == (operator != "!=")
        return TEXTS[operator](first, second)

    def _compared(self, first: str, operator: str, second: str) -> bool:
        one, other = self._files.find(first), self._files.find(second)
        if operator == "-ef":
            same = one is not None and other is not None
            return same and self._files.absolute(first) == self._files.absolute(second)
        if operator == "-ot":
            one, other = other, one
        return one is not None and (other is None or one.st_mtime > other.st_mtime)

    def _unary(self, operator: str, word: str) -> bool:
        match operator:
            case "-n":
                return word != ""
            case "-z":
                return word == ""
            case "-t":
                return self._is_terminal(word)
        found = self._files.find(word, follow=operator not in ("-h", "-L"))
        if found is None:
            return word.startswith("/dev/") and word in ("/dev/null", "/dev/tty")
        if operator in KINDS:
            return KINDS[operator](found.st_mode)
        match operator:
            case "-s":
                return found.st_size > 0
            case "-h" | "-L":
                return stat.S_ISLNK(found.st_mode)
            case "-x":
                return bool(found.st_mode & 0o111)
            case "-w":
                return not self._files.place(word).read_only
        return True  # the user is root, and owns what there is

    def _is_terminal(self, word: str) -> bool:
        process = self._process
        streams = {"0": process.stdin, "1": process.stdout, "2": process.stderr}
        return bool(getattr(streams.get(word), "isatty", False))


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise Failed(f"{text}: bad number", EXIT_WRONG) from None
