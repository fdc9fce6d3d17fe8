"""From words to the arguments of a command: parameters, substitutions, splitting, file names.

Spec: POSIX.1-2017, XCU 2.6, "Word Expansions".
"""

import stat
from collections.abc import Mapping, Sequence
from typing import Protocol

from node_agent.workloads.tools.files import Files
from node_agent.workloads.tools.matching import in_time
from node_agent.workloads.tools.shell import patterns
from node_agent.workloads.tools.shell.arithmetic import ArithmeticFault, evaluate
from node_agent.workloads.tools.shell.syntax import (
    Arithmetic,
    Literal,
    Parameter,
    Part,
    Script,
    Substitution,
    Word,
)

IFS = " \t\n"
FIELDS_MAX = 100_000
GLOB_SECONDS_MAX = 1.0  # for all that one pattern looks at
BLANK = frozenset(" \t\n")

Piece = tuple[str, bool]  # text, and whether it is quoted


class ExpansionFault(Exception):
    """A word has no value: ${x?text}, an unset variable under `set -u`, bad arithmetic."""


class Variables(Protocol):
    """The variables, as arithmetic uses them."""

    def __getitem__(self, name: str) -> str: ...
    def __setitem__(self, name: str, value: str) -> None: ...


class Surroundings(Protocol):
    """What expansion asks of the shell."""

    variables: dict[str, str]
    positional: list[str]

    @property
    def files(self) -> Files: ...

    def special(self, name: str) -> str | None: ...

    def option(self, name: str) -> bool: ...

    def assign(self, name: str, value: str) -> None: ...

    async def substitute(self, body: Script) -> str: ...


class _Fields:
    """The arguments that a word makes."""

    def __init__(self, ifs: str) -> None:
        self.done: list[list[Piece]] = []
        self._open: list[Piece] | None = None
        self._ifs = ifs

    def add(self, text: str, *, quoted: bool) -> None:
        """Text of the present field; quoted text makes one even when it is empty."""
        if text or quoted:
            self._open = [*(self._open or []), (text, quoted)] if self._open else [(text, quoted)]

    def end(self) -> None:
        """The present field is whole."""
        if self._open is not None:
            self.done.append(self._open)
            self._open = None
        if len(self.done) > FIELDS_MAX:
            raise ExpansionFault("argument list too long")

    def split(self, text: str) -> None:
        """Unquoted text of an expansion: IFS splits it."""
        blanks = frozenset(self._ifs) & BLANK
        held = ""
        after_mark = False  # a mark ended a field: another one ends an empty field
        for letter in text:
            if letter not in self._ifs:
                held, after_mark = held + letter, False
                continue
            self.add(held, quoted=False)
            held = ""
            if letter in blanks:
                after_mark = after_mark or self._open is None
                self.end()
                continue
            if self._open is None and (not after_mark or not self.done):
                self.add("", quoted=True)
            self.end()
            after_mark = False
        self.add(held, quoted=False)


class Expander:
    """Expands the words of one shell."""

    def __init__(self, shell: Surroundings) -> None:
        self._shell = shell

    async def arguments(self, words: Sequence[Word]) -> list[str]:
        """The arguments that words make."""
        found: list[str] = []
        for word in words:
            fields = _Fields(self._ifs())
            await self._word(_with_home(word, self._shell.variables), fields)
            fields.end()
            for field in fields.done:
                found += self._file_names(field)
        return found

    async def text(self, word: Word) -> str:
        """A word as one text: an assignment's value, a redirection's target."""
        return "".join(
            [await self._joined(part) for part in _with_home(word, self._shell.variables)]
        )

    async def pattern(self, word: Word) -> str:
        """A word as a pattern: what is quoted in it stands for itself."""
        out = []
        for part in word:
            text = await self._joined(part)
            out.append(patterns.literal(text) if part.quoted else text)
        return "".join(out)

    def _ifs(self) -> str:
        return self._shell.variables.get("IFS", IFS)

    async def _word(self, word: Word, fields: _Fields) -> None:
        for part in word:
            if isinstance(part, Literal):
                fields.add(part.text, quoted=part.quoted)
            elif isinstance(part, Parameter) and part.name in ("@", "*") and not part.operator:
                self._all_positional(part, fields)
            elif _conditional(part) and not part.quoted and isinstance(part, Parameter):
                await self._conditional_fields(part, fields)
            else:
                text = await self._joined(part)
                if part.quoted:
                    fields.add(text, quoted=True)
                else:
                    fields.split(text)

    def _all_positional(self, part: Parameter, fields: _Fields) -> None:
        """ "$@" makes a field of each; $@ and $* are split further; "$*" is one field."""
        texts = self._shell.positional
        if part.quoted and part.name == "*":
            fields.add(self._ifs()[:1].join(texts), quoted=True)
            return
        for index, text in enumerate(texts):
            if index:
                fields.end()
            if part.quoted:
                fields.add(text, quoted=True)
            else:
                fields.split(text)

    async def _conditional_fields(self, part: Parameter, fields: _Fields) -> None:
        """${x:-"a b"} keeps the quotes of its own word."""
        value = self._shell.special(part.name)
        unset = value is None or (part.operator.startswith(":") and not value)
        if part.operator.endswith("-") and unset:
            await self._word(part.word, fields)
        elif part.operator.endswith("+"):
            if not unset:
                await self._word(part.word, fields)
        else:
            fields.split(await self._parameter(part))

    async def _joined(self, part: Part) -> str:
        match part:
            case Literal(text):
                return text
            case Substitution(body):
                return (await self._shell.substitute(body)).rstrip("\n")
            case Arithmetic(word):
                return await self._arithmetic(word)
            case Parameter():
                return await self._parameter(part)

    async def _arithmetic(self, word: Word) -> str:
        expression = await self.text(word)
        before = dict(self._shell.variables)
        after = dict(before)
        try:
            value = evaluate(expression, after)
        except ArithmeticFault as fault:
            raise ExpansionFault(str(fault)) from None
        for name, text in after.items():
            if before.get(name) != text:
                self._shell.assign(name, text)
        return str(value)

    # Parameters

    async def _parameter(self, part: Parameter) -> str:
        value = self._shell.special(part.name)
        operator = part.operator
        if operator.rstrip("-=?+") in ("", ":") and operator not in ("", ":"):
            return await self._chosen(part, value)
        if value is None:
            if self._shell.option("u") and part.name not in ("@", "*"):
                raise ExpansionFault(f"{part.name}: parameter not set")
            value = ""
        text = value
        match operator:
            case "length":
                count = part.name in ("@", "*")
                return str(len(self._shell.positional) if count else len(value))
            case "#" | "##":
                pattern = await self.pattern(part.word)
                longest = operator == "##"
                return in_time(lambda: patterns.without_prefix(text, pattern, longest=longest))
            case "%" | "%%":
                pattern = await self.pattern(part.word)
                try:
                    longest = operator == "%%"
                    return in_time(lambda: patterns.without_suffix(text, pattern, longest=longest))
                except ValueError as error:
                    raise ExpansionFault(f"{part.name}: {error}") from None
            case "/" | "//":
                pattern, by = await self.pattern(part.word), await self.text(part.second)
                everywhere = operator == "//"
                return in_time(lambda: patterns.replaced(text, pattern, by, everywhere=everywhere))
            case ":":
                return await self._slice(part, value)
        return value

    async def _chosen(self, part: Parameter, value: str | None) -> str:
        """The forms that depend on whether the parameter is set (with a colon: and not empty)."""
        unset = value is None or (part.operator.startswith(":") and not value)
        match part.operator[-1]:
            case "+":
                return "" if unset else await self.text(part.word)
            case "-" if unset:
                return await self.text(part.word)
            case "=" if unset:
                value = await self.text(part.word)
                self._shell.assign(part.name, value)
            case "?" if unset:
                text = await self.text(part.word)
                raise ExpansionFault(f"{part.name}: {text or 'parameter not set'}")
        return value or ""

    async def _slice(self, part: Parameter, value: str) -> str:
        start = int(await self._arithmetic(part.word))
        if start < 0:
            start = max(0, len(value) + start)
        if not part.second:
            return value[start:]
        length = int(await self._arithmetic(part.second))
        return value[start : start + length] if length >= 0 else value[start:length]

    # File names

    def _file_names(self, field: list[Piece]) -> list[str]:
        text = "".join(piece for piece, _ in field)
        if self._shell.option("f"):
            return [text]
        pattern = "".join(patterns.literal(piece) if quoted else piece for piece, quoted in field)
        if not patterns.is_pattern(pattern):
            return [text]
        found = in_time(lambda: glob(self._shell.files, pattern), GLOB_SECONDS_MAX)
        return found or [text]


def glob(files: Files, pattern: str) -> list[str]:
    """The paths that a pattern matches, sorted."""
    found = ["/"] if pattern.startswith("/") else [""]
    parts = [part for part in pattern.split("/") if part]
    for index, part in enumerate(parts):
        last = index == len(parts) - 1
        found = [each for base in found for each in _step(files, base, part, last=last)]
    return sorted(each + "/" if pattern.endswith("/") else each for each in found)


def _step(files: Files, base: str, part: str, *, last: bool) -> list[str]:
    join = base if not base or base.endswith("/") else base + "/"
    if not patterns.is_pattern(part):
        path = join + patterns.plain(part)
        return [path] if files.find(path, follow=False) else []
    try:
        names = files.names(base or ".")
    except OSError:
        return []
    hidden = part.startswith(".")
    chosen = [each for each in names if patterns.matches(part, each)]
    chosen = [each for each in chosen if hidden or not each.startswith(".")]
    return [join + each for each in chosen if last or _is_directory(files, join + each)]


def _is_directory(files: Files, path: str) -> bool:
    found = files.find(path)
    return found is not None and stat.S_ISDIR(found.st_mode)


def _conditional(part: Part) -> bool:
    return isinstance(part, Parameter) and part.operator in ("-", ":-", "+", ":+")


def _with_home(word: Word, variables: Mapping[str, str]) -> Word:
    """~ and ~/... at the beginning of a word."""
    first = word[0] if word else None
    if not isinstance(first, Literal) or first.quoted or first.text[:1] != "~":
        return word
    name, slash, rest = first.text[1:].partition("/")
    if name not in ("", "root") or (not slash and len(word) > 1):
        return word
    home = variables.get("HOME", "/root")
    return (Literal(home, quoted=True), Literal(slash + rest), *word[1:])
