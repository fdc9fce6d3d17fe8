"""`find [PATH]... [EXPRESSION]`: -name -iname -path -type -size -maxdepth -mindepth -empty -newer
-mmin -mtime, ! -o -a ( ), -print -print0 -delete -exec ... ; and -exec ... +.
"""

import asyncio
import re
import time
from collections.abc import Callable

from node_agent.workloads.tools import running
from node_agent.workloads.tools.files import Files
from node_agent.workloads.tools.matching import in_time
from node_agent.workloads.tools.options import UsageError
from node_agent.workloads.tools.process import Process
from node_agent.workloads.tools.running import files_of
from node_agent.workloads.tools.shell import patterns
from node_agent.workloads.tools.tree import DEPTH_MAX, Entry, walk

SIZES = {"c": 1, "w": 2, "b": 512, "k": 1024, "M": 1 << 20, "G": 1 << 30, "": 512}
Test = Callable[[Entry], bool]


class _Query:
    """The expression: what is wanted, and what is done."""

    def __init__(self, process: Process, words: list[str]) -> None:
        self.depth_min, self.depth_max = 0, DEPTH_MAX
        self.end = "\n"
        self.delete = False
        self.commands: list[tuple[list[str], bool]] = []  # words, and whether all paths at once
        self.prints = False
        self._process = process
        self._words = words
        self._files = files_of(process)
        self.test = self._or() if words else lambda entry: True
        if self._words:
            raise UsageError(f"paths must precede expression: `{self._words[0]}'")

    def _or(self) -> Test:
        tests = [self._and()]
        while self._words[:1] in (["-o"], ["-or"]):
            self._words.pop(0)
            tests.append(self._and())
        return tests[0] if len(tests) == 1 else lambda entry: any(test(entry) for test in tests)

    def _and(self) -> Test:
        tests = [self._one()]
        while self._words and self._words[0] not in ("-o", "-or", ")"):
            if self._words[0] in ("-a", "-and"):
                self._words.pop(0)
            tests.append(self._one())
        return lambda entry: all(test(entry) for test in tests)

    def _one(self) -> Test:
        word = self._take("an expression")
        if word in ("!", "-not"):
            inner = self._one()
            return lambda entry: not inner(entry)
        if word == "(":
            inner = self._or()
            if self._take("`)'") != ")":
                raise UsageError("missing `)'")
            return inner
        return self._action(word) or self._limit(word) or self._property(word)

    def _take(self, what: str) -> str:
        if not self._words:
            raise UsageError(f"missing {what}")
        return self._words.pop(0)

    def _action(self, word: str) -> Test | None:
        match word:
            case "-print" | "-print0":
                self.prints = True
                self.end = "\0" if word == "-print0" else "\n"
            case "-delete":
                self.delete = True
            case "-exec":
                words = []
                while (each := self._take("argument to `-exec'")) not in (";", "+"):
                    words.append(each)
                self.commands.append((words, each == "+"))
            case _:
                return None
        return lambda entry: True

    def _limit(self, word: str) -> Test | None:
        match word:
            case "-maxdepth":
                self.depth_max = int(self._take("argument to `-maxdepth'"))
            case "-mindepth":
                self.depth_min = int(self._take("argument to `-mindepth'"))
            case "-xdev" | "-mount" | "-depth":
                pass
            case _:
                return None
        return lambda entry: True

    def _property(self, word: str) -> Test:
        if word == "-empty":
            return lambda entry: _empty(self._files, entry)
        if word not in ("-name", "-iname", "-path", "-type", "-size", "-newer", "-mmin", "-mtime"):
            raise UsageError(f"unrecognized: {word}")
        value = self._take(f"argument to `{word}'")
        match word:
            case "-name":
                return lambda entry: _matches(value, _name(entry))
            case "-iname":
                return lambda entry: _matches(value.lower(), _name(entry).lower())
            case "-path":
                return lambda entry: _matches(value, entry.path)
            case "-type":
                return lambda entry: _letter(entry) in value.split(",")
            case "-newer":
                since = self._files.stat(value).st_mtime
                return lambda entry: entry.found.st_mtime > since
            case "-size":
                return _size(value)
        unit = 60 if word == "-mmin" else 86400
        wanted, now = _number(value), time.time()
        return lambda entry: wanted(int((now - entry.found.st_mtime) // unit))


def _matches(pattern: str, text: str) -> bool:
    return in_time(lambda: patterns.matches(pattern, text))


def _name(entry: Entry) -> str:
    return entry.path.rstrip("/").rpartition("/")[2] or entry.path


def _letter(entry: Entry) -> str:
    return "d" if entry.is_directory else "l" if entry.is_link else "f"


def _empty(files: Files, entry: Entry) -> bool:
    if entry.is_directory:
        return not files.names(entry.path)
    return entry.is_file and entry.found.st_size == 0


def _number(text: str) -> Callable[[int], bool]:
    """`5`, `+5` (more), `-5` (less)."""
    if not re.fullmatch(r"[-+]?\d+", text):
        raise UsageError(f"invalid number '{text}'")
    number = int(text.lstrip("+-"))
    if text[0] == "+":
        return lambda value: value > number
    return (lambda value: value < number) if text[0] == "-" else (lambda value: value == number)


def _size(text: str) -> Test:
    unit = text[-1] if text[-1:] in SIZES and text[-1:] else ""
    wanted = _number(text.removesuffix(unit))
    return lambda entry: wanted(-(-entry.found.st_size // SIZES[unit]))


async def run(process: Process) -> int:
    """Walk, test, act."""
    words = list(process.arguments)
    at = next((i for i, word in enumerate(words) if word[:1] in ("-", "!", "(")), len(words))
    paths, query = words[:at] or ["."], _Query(process, words[at:])
    files, status, together = files_of(process), 0, []
    for path in paths:
        try:
            entries = walk(files, path, bottom_up=query.delete, depth_max=query.depth_max)
            for entry in entries:
                await asyncio.sleep(0)
                if entry.depth >= query.depth_min and query.test(entry):
                    together.append(entry.path)
                    status |= await _act(process, query, files, entry)
        except OSError as error:
            status = 1
            await process.complain(running.spoken(error))
    for command, whole in query.commands:
        if whole and together:
            words = [each for each in command if each != "{}"] + together
            status |= await running.run(process.fork(words))
    return status


async def _act(process: Process, query: _Query, files: Files, entry: Entry) -> int:
    if query.prints or not (query.delete or query.commands):
        await process.write(entry.path + query.end)
    for command, whole in query.commands:
        if not whole:
            words = [each.replace("{}", entry.path) for each in command]
            await running.run(process.fork(words))
    if query.delete and entry.path not in (".", "/"):
        (files.rmdir if entry.is_directory else files.remove)(entry.path)
    return 0
