"""`grep [-EFivnclLqHhowxrs] [-m N] [-A N] [-B N] [-C N] PATTERN [FILE]...`"""

import re
from collections import deque
from collections.abc import Sequence
from dataclasses import field

from cluster.dataclass import dataclass
from node_agent.workloads.tools.matching import in_time
from node_agent.workloads.tools.options import Options, UsageError, parse
from node_agent.workloads.tools.process import Input, Process
from node_agent.workloads.tools.regular import compiled
from node_agent.workloads.tools.running import files_of
from node_agent.workloads.tools.sources import Sources
from node_agent.workloads.tools.tree import walk

EXIT_TROUBLE = 2
LONG = (
    "extended-regexp=E fixed-strings=F ignore-case=i invert-match=v line-number=n count=c "
    "files-with-matches=l files-without-match=L quiet=q silent=q with-filename=H no-filename=h "
    "only-matching=o word-regexp=w line-regexp=x recursive=r no-messages=s max-count:=m "
    "after-context:=A before-context:=B context:=C regexp:=e file:=f color colour basic-regexp=G "
    "include: text=a"
)


@dataclass(slots=True)
class Search:
    """What is looked for, and how it is shown."""

    process: Process
    options: Options
    pattern: "re.Pattern[str]"
    named: bool
    before: int = 0
    after: int = 0
    limit: int = 1 << 62
    matched: bool = field(default=False, init=False)

    async def read(self, path: str, source: Input) -> None:
        """Search one input."""
        name = "(standard input)" if path == "-" else path
        held: deque[tuple[int, str]] = deque(maxlen=self.before)
        number = found = following = last = 0
        while found < self.limit and (data := await source.readline()):
            number += 1
            line = data.decode("utf-8", "surrogateescape").removesuffix("\n")
            if self._matches(line) == ("v" in self.options):
                if following:
                    following, last = following - 1, number
                    await self._show(name, number, line, "-")
                else:
                    held.append((number, line))
                continue
            found += 1
            self.matched = True
            if self.options.any_of("qlL"):
                break
            if "c" not in self.options:
                await self._gap(held[0][0] if held else number, last)
                for earlier, text in held:
                    await self._show(name, earlier, text, "-")
                held.clear()
                await self._show(name, number, line, ":")
                following, last = self.after, number
        while following and (data := await source.readline()):
            number, following = number + 1, following - 1
            text = data.decode("utf-8", "surrogateescape").removesuffix("\n")
            await self._show(name, number, text, "-")
        await self._sum(name, found)

    def _matches(self, line: str) -> bool:
        return in_time(lambda: self.pattern.search(line)) is not None

    async def _gap(self, first: int, last: int) -> None:
        if (self.before or self.after) and last and first > last + 1:
            await self.process.write("--\n")

    async def _show(self, name: str, number: int, line: str, mark: str) -> None:
        head = (name + mark if self.named else "") + (f"{number}{mark}" * ("n" in self.options))
        if "o" in self.options and mark == ":":
            for found in in_time(lambda: [each[0] for each in self.pattern.finditer(line)]):
                if found:
                    await self.process.write(f"{head}{found}\n")
        elif "o" not in self.options:
            await self.process.write(f"{head}{line}\n")

    async def _sum(self, name: str, found: int) -> None:
        if ("l" in self.options and found) or ("L" in self.options and not found):
            await self.process.write(name + "\n")
        elif "c" in self.options and not self.options.any_of("qlL"):
            await self.process.write(f"{name}:{found}\n" if self.named else f"{found}\n")


async def run(process: Process) -> int:
    """Search; 0 something matched, 1 nothing did, 2 trouble."""
    options = parse(process.arguments, "EFGPivnclLqHhowxrRsam:A:B:C:e:f:", LONG, code=EXIT_TROUBLE)
    patterns, paths = _patterns(process, options)
    recursive = options.any_of("rR")
    if recursive:
        paths = [each for path in paths or ["."] for each in _files_below(process, path)]
    several = len(paths) > 1 or recursive
    search = Search(
        process,
        options,
        _compiled(process, options, patterns),
        named="H" in options or (several and "h" not in options),
        before=_number(options, "B"),
        after=_number(options, "A"),
        limit=options.number("m", 1 << 62),
    )
    if recursive and not paths:
        return 1
    quiet = process.fork(process.argv, stderr=_Nowhere()) if "s" in options else process
    quiet.pid = process.pid
    sources = Sources(quiet, paths)
    async for path, source in sources:
        await search.read(path, source)
        if search.matched and "q" in options:
            return 0
    if sources.failed:
        return EXIT_TROUBLE
    return 0 if search.matched else 1


class _Nowhere:
    isatty = False

    async def write(self, data: bytes) -> None:
        """-s: messages are not said."""


def _number(options: Options, name: str) -> int:
    return options.number(name, options.number("C", 0))


def _patterns(process: Process, options: Options) -> tuple[list[str], list[str]]:
    operands = list(options.operands)
    texts = options.values("e")
    for path in options.values("f"):
        texts.append(files_of(process).read(path).decode("utf-8", "surrogateescape").rstrip("\n"))
    if not texts and "f" not in options:
        if not operands:
            raise UsageError("no pattern given", EXIT_TROUBLE)
        texts.append(operands.pop(0))
    return [line for text in texts for line in text.split("\n")], operands


def _compiled(process: Process, options: Options, patterns: Sequence[str]) -> "re.Pattern[str]":
    extended = "E" in options or process.name == "egrep" or "P" in options
    fixed = "F" in options or process.name == "fgrep"
    flags = {"extended": extended, "ignore_case": "i" in options}
    sources = [re.escape(p) if fixed else compiled(p, **flags).pattern for p in patterns]
    whole = "|".join(f"(?:{each})" for each in sources) if len(sources) > 1 else sources[0]
    if "w" in options:
        whole = rf"(?<!\w)(?:{whole})(?!\w)"
    if "x" in options:
        whole = rf"\A(?:{whole})\Z"
    return re.compile(whole, re.I if "i" in options else 0)


def _files_below(process: Process, path: str) -> list[str]:
    files = files_of(process)
    if not files.is_directory(path):
        return [path]
    return [each.path for each in walk(files, path) if each.is_file]
