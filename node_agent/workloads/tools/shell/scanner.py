"""From characters to tokens and words; what a `$` begins is parsed here too.

Pure: text in, tokens out. The grammar of the shell decides what a word is, so the parser asks for
one token at a time. A here-document's text is read at the line end after its `<<`.
"""

from collections.abc import Callable

from cluster.dataclass import dataclass
from node_agent.workloads.tools.shell.syntax import (
    Arithmetic,
    HereDocument,
    Incomplete,
    Literal,
    Parameter,
    Part,
    Script,
    ShellSyntaxError,
    Substitution,
    Word,
)

OPERATORS = (
    "<<-", "<<<", "&>>", "&&", "||", ";;", "<<", ">>", "<&", ">&", "<>", ">|", "&>", "|&",
    "&", "|", ";", "<", ">", "(", ")",
)  # fmt: skip
META = frozenset(" \t\n;&|<>()")
SPECIAL = frozenset("?$!#@*-0123456789")
EXPANSIONS = (":-", ":=", ":?", ":+", "##", "%%", "//", "-", "=", "?", "+", "#", "%", "/", ":")
END = "end of file"
DEPTH_MAX = 40


@dataclass(frozen=True, slots=True)
class Token:
    """An operator ("" for a word), a line end ("\\n") or the end."""

    operator: str = ""
    word: Word = ()
    descriptor: int = -1  # the number right before a redirection

    @property
    def text(self) -> str:
        """A word's text if nothing in it is quoted or expanded: what may be a reserved word."""
        plain = [each for each in self.word if isinstance(each, Literal) and not each.quoted]
        return "".join(each.text for each in plain) if len(plain) == len(self.word) else ""


Parse = Callable[[str, int], Script]


class Scanner:
    """Reads a script from left to right; `parse` is the parser, for what a `$(` holds."""

    def __init__(self, text: str, parse: Parse, depth: int = 0) -> None:
        if depth > DEPTH_MAX:
            raise ShellSyntaxError("too deeply nested")
        self.text = text
        self.at = 0
        self.waiting: list[HereDocument] = []
        self._parse = parse
        self._depth = depth

    def next(self) -> Token:
        """The next token."""
        self.skip_blanks()
        if self.at >= len(self.text):
            self._read_here_documents()
            return Token(END)
        if self.text[self.at] == "\n":
            self.at += 1
            self._read_here_documents()
            return Token("\n")
        operator = self._operator()
        return Token(operator) if operator else self._word_or_number()

    def skip_blanks(self) -> None:
        """Go to where the next token begins."""
        while self.at < len(self.text):
            if self.text.startswith("\\\n", self.at):
                self.at += 2
            elif self.text[self.at] in " \t\r":
                self.at += 1
            elif self.text[self.at] == "#":
                end = self.text.find("\n", self.at)
                self.at = len(self.text) if end < 0 else end
            else:
                return

    def _operator(self) -> str:
        found = next((each for each in OPERATORS if self.text.startswith(each, self.at)), "")
        self.at += len(found)
        return found

    def _word_or_number(self) -> Token:
        start = self.at
        word = self.word()
        text = self.text[start : self.at]
        if text.isdecimal() and self.text[self.at : self.at + 1] in ("<", ">"):
            return Token(self._operator(), descriptor=int(text))
        return Token(word=word)

    # Words

    def word(self) -> Word:
        """A word, from here to the next blank or operator."""
        parts: list[Part] = []
        while self.at < len(self.text) and self.text[self.at] not in META:
            self._part(parts)
        return tuple(parts)

    def _part(self, parts: list[Part]) -> None:
        letter = self.text[self.at]
        if letter == "\\":
            self._escaped(parts)
        elif letter == "'":
            parts.append(Literal(self._until("'"), quoted=True))
        elif letter == '"':
            self.at += 1
            parts += self.quoted('"') or [Literal("", quoted=True)]
        elif letter == "$":
            parts.append(self._dollar(quoted=False))
        elif letter == "`":
            parts.append(self._backquoted(quoted=False))
        else:
            self.at += 1
            _append(parts, letter)

    def _escaped(self, parts: list[Part]) -> None:
        letter = self.text[self.at + 1 : self.at + 2]
        self.at += 2
        if letter != "\n":
            parts.append(Literal(letter or "\\", quoted=True))

    def _until(self, quote: str) -> str:
        end = self.text.find(quote, self.at + 1)
        if end < 0:
            raise Incomplete("unterminated quoted string")
        text = self.text[self.at + 1 : end]
        self.at = end + 1
        return text

    def quoted(self, end: str, escapes: str = '$`"\\') -> list[Part]:
        """The parts up to the closing quote (or to the end of the text, for `end` ""), past it."""
        parts: list[Part] = []
        while self.at < len(self.text):
            letter = self.text[self.at]
            if letter == end:
                self.at += 1
                return parts
            if letter == "\\":
                follows = self.text[self.at + 1 : self.at + 2]
                self.at += 2
                if follows != "\n":
                    _append(parts, follows if follows in escapes else "\\" + follows, quoted=True)
            elif letter == "$":
                parts.append(self._dollar(quoted=True))
            elif letter == "`":
                parts.append(self._backquoted(quoted=True))
            else:
                self.at += 1
                _append(parts, letter, quoted=True)
        if end:
            raise Incomplete("unterminated quoted string")
        return parts

    # What a dollar sign begins

    def _dollar(self, *, quoted: bool) -> Part:
        self.at += 1
        if self.text.startswith("((", self.at):
            arithmetic = self._arithmetic(quoted=quoted)
            if arithmetic is not None:
                return arithmetic
        follows = self.text[self.at : self.at + 1]
        if follows == "(":
            inside = self._balanced()
            return Substitution(self._parse(inside, self._depth + 1), quoted)
        if follows == "{":
            return self._braced(quoted=quoted)
        if follows == "'" and not quoted:
            return self._ansi_quoted()
        name = self._name()
        return Parameter(name, quoted=quoted) if name else Literal("$", quoted)

    def _name(self) -> str:
        first = self.text[self.at : self.at + 1]
        if first and first in SPECIAL:
            self.at += 1
            return first
        start = self.at
        while _is_name(self.text[start : self.at + 1]) and self.at < len(self.text):
            self.at += 1
        return self.text[start : self.at]

    def _arithmetic(self, *, quoted: bool) -> Arithmetic | None:
        """$((...)); None where the parentheses are those of a subshell in a substitution."""
        start = self.at
        inside = self._balanced()
        if not (inside.startswith("(") and inside.endswith(")")):
            self.at = start
            return None
        parts = Scanner(inside[1:-1], self._parse, self._depth + 1).quoted("")
        return Arithmetic(tuple(parts), quoted)

    def _balanced(self) -> str:
        """What is between this parenthesis and its own closing one; past it."""
        start, depth = self.at + 1, 0
        while self.at < len(self.text):
            letter = self.text[self.at]
            if letter == "\\":
                self.at += 1
            elif letter == "'":
                self._until("'")
                continue
            elif letter == '"':
                self.at += 1
                self.quoted('"')
                continue
            elif letter == "#" and self.text[self.at - 1] in " \t\n;(":
                end = self.text.find("\n", self.at)
                self.at = len(self.text) if end < 0 else end
                continue
            elif letter == "(":
                depth += 1
            elif letter == ")":
                depth -= 1
                if depth == 0:
                    self.at += 1
                    return self.text[start : self.at - 1]
            self.at += 1
        raise Incomplete("unterminated parenthesis")

    def _backquoted(self, *, quoted: bool) -> Substitution:
        text, self.at = "", self.at + 1
        while self.at < len(self.text):
            letter = self.text[self.at]
            self.at += 1
            if letter == "`":
                return Substitution(self._parse(text, self._depth + 1), quoted)
            if letter == "\\" and self.text[self.at : self.at + 1] in ("`", "\\", "$"):
                letter = self.text[self.at]
                self.at += 1
            text += letter
        raise Incomplete("unterminated backquote")

    def _braced(self, *, quoted: bool) -> Parameter:
        self.at += 1
        length = self.text.startswith("#", self.at) and self.text[self.at + 1 : self.at + 2] != "}"
        self.at += length
        name = self._name() if not self.text[self.at : self.at + 1].isdecimal() else self._digits()
        if not name:
            raise ShellSyntaxError("bad substitution")
        operator = next((each for each in EXPANSIONS if self.text.startswith(each, self.at)), "")
        self.at += len(operator)
        word = self._operand(operator, quoted=quoted) if operator else ()
        second: Word = ()
        if operator in ("/", "//", ":") and self.text[self.at : self.at + 1] in ("/", ":"):
            self.at += 1
            second = self._operand("", quoted=quoted)
        if self.text[self.at : self.at + 1] != "}":
            self._bad_brace()
        self.at += 1
        return Parameter(name, "length" if length else operator, word, second, quoted)

    def _bad_brace(self) -> None:
        if self.at >= len(self.text):
            raise Incomplete("missing '}'")
        raise ShellSyntaxError("bad substitution")

    def _digits(self) -> str:
        start = self.at
        while self.text[self.at : self.at + 1].isdecimal():
            self.at += 1
        return self.text[start : self.at]

    def _operand(self, operator: str, *, quoted: bool) -> Word:
        """The word in ${name OPERATOR word}, up to its brace (or the second half of two)."""
        stop = {"/": "/", "//": "/", ":": ":"}.get(operator, "")
        parts: list[Part] = []
        while self.at < len(self.text) and self.text[self.at] not in ("}", stop):
            plain = self.text[self.at] not in '"$`\\' and operator not in ("%", "%%", "#", "##")
            if quoted and plain:
                _append(parts, self.text[self.at], quoted=True)
                self.at += 1
            else:
                self._part(parts)
        return tuple(parts)

    def _ansi_quoted(self) -> Literal:
        """$'...': the escapes of C."""
        text, self.at = "", self.at + 1
        while self.at < len(self.text) and self.text[self.at] != "'":
            step = 2 if self.text[self.at] == "\\" else 1
            text += self.text[self.at : self.at + step]
            self.at += step
        if self.at >= len(self.text):
            raise Incomplete("unterminated quoted string")
        self.at += 1
        plain = text.encode("latin-1", "backslashreplace").decode("unicode_escape", "replace")
        return Literal(plain, quoted=True)

    # Here-documents

    def _read_here_documents(self) -> None:
        waiting, self.waiting = self.waiting, []
        for document in waiting:
            text = self._here_text(document)
            if document.expand:
                inner = Scanner(text, self._parse, self._depth + 1)
                document.word = tuple(inner.quoted("", escapes="$`\\"))
            else:
                document.word = (Literal(text, quoted=True),)

    def _here_text(self, document: HereDocument) -> str:
        lines: list[str] = []
        while True:
            if self.at >= len(self.text):
                raise Incomplete(f"here-document is not ended by '{document.delimiter}'")
            end = self.text.find("\n", self.at)
            end = len(self.text) if end < 0 else end
            line = self.text[self.at : end]
            self.at = min(end + 1, len(self.text))
            line = line.lstrip("\t") if document.strip else line
            if line == document.delimiter:
                return "".join(lines)
            lines.append(line + "\n")


def _append(parts: list[Part], text: str, *, quoted: bool = False) -> None:
    """Add text, to the literal before it where that is of the same kind."""
    last = parts[-1] if parts else None
    if isinstance(last, Literal) and last.quoted == quoted:
        parts[-1] = Literal(last.text + text, quoted)
    else:
        parts.append(Literal(text, quoted))


def _is_name(text: str) -> bool:
    return text.isascii() and text.isidentifier()
