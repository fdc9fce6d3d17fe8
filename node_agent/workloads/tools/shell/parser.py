"""From a script's text to its tree.

Pure: text in, commands out; ShellSyntaxError says what is wrong, Incomplete that more must come.
Spec: POSIX.1-2017, XCU 2.10, "Shell Grammar".
"""

import re
from dataclasses import replace
from functools import lru_cache

from node_agent.workloads.tools.shell.scanner import END, Scanner, Token
from node_agent.workloads.tools.shell.syntax import (
    Case,
    Command,
    For,
    Function,
    Group,
    HereDocument,
    If,
    Incomplete,
    Item,
    Literal,
    Pipeline,
    Redirect,
    Script,
    ShellSyntaxError,
    Simple,
    While,
    Word,
)

REDIRECTIONS = frozenset({"<", ">", ">>", "<<", "<<-", "<<<", "<&", ">&", "<>", ">|", "&>", "&>>"})
ENDERS = frozenset({"then", "else", "elif", "fi", "do", "done", "esac", "}", "in"})
_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_FUNCTION_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
SCRIPT_CHARS_MAX = 1 << 20


@lru_cache(maxsize=64)
def parse(text: str, depth: int = 0) -> Script:
    """The tree of a whole script."""
    if len(text) > SCRIPT_CHARS_MAX:
        raise ShellSyntaxError("the script is too long")
    parser = _Parser(Scanner(text, parse, depth))
    script = parser.script()
    parser.expect(END)
    return script


class _Parser:
    def __init__(self, scanner: Scanner) -> None:
        self._scanner = scanner
        self._token = scanner.next()

    # Tokens

    def _advance(self) -> Token:
        token, self._token = self._token, self._scanner.next()
        return token

    def _is(self, *operators: str) -> bool:
        return self._token.operator in operators

    def _reserved(self, *words: str) -> bool:
        return not self._token.operator and self._token.text in words

    def expect(self, what: str) -> None:
        """The next token is this operator or reserved word."""
        if not (self._is(what) or self._reserved(what)):
            self._unexpected(what)
        if what != END:
            self._advance()

    def _unexpected(self, wanted: str = "") -> None:
        found = {"\n": "newline"}.get(self._token.operator, self._token.operator)
        found = found or self._token.text or "word"
        expecting = f' (expecting "{wanted}")' if wanted else ""
        if self._is(END):
            raise Incomplete(f"unexpected end of file{expecting}")
        raise ShellSyntaxError(f'unexpected "{found}"{expecting}')

    def _skip_lines(self) -> None:
        while self._is("\n"):
            self._advance()

    # Lists

    def script(self) -> Script:
        """Commands up to what cannot begin one."""
        items: list[Item] = []
        self._skip_lines()
        while not self._is(END, ")", ";;") and not self._reserved(*ENDERS):
            item = self._and_or()
            background = self._is("&")
            items.append(Item(item.first, item.rest, background) if background else item)
            if not self._is("&", ";", "\n"):
                break
            self._advance()
            self._skip_lines()
        return tuple(items)

    def _body(self) -> Script:
        """A list that is not empty."""
        script = self.script()
        if not script:
            self._unexpected()
        return script

    def _and_or(self) -> Item:
        first, rest = self._pipeline(), []
        while self._is("&&", "||"):
            operator = self._advance().operator
            self._skip_lines()
            rest.append((operator, self._pipeline()))
        return Item(first, tuple(rest))

    def _pipeline(self) -> Pipeline:
        negated = False
        while self._reserved("!"):
            self._advance()
            negated = not negated
        commands = [self._command()]
        while self._is("|", "|&"):
            both = self._advance().operator == "|&"
            if both:
                commands[-1] = _with(commands[-1], Redirect(2, ">&", (Literal("1"),)))
            self._skip_lines()
            commands.append(self._command())
        return Pipeline(tuple(commands), negated)

    # Commands

    def _command(self) -> Command:
        if self._is("("):
            return self._redirected(self._subshell())
        if self._token.operator and not self._is(*REDIRECTIONS):
            self._unexpected()
        match self._token.text if not self._token.operator else "":
            case "{":
                return self._redirected(self._braces())
            case "if":
                return self._redirected(self._if())
            case "while" | "until":
                return self._redirected(self._while())
            case "for":
                return self._redirected(self._for())
            case "case":
                return self._redirected(self._case())
            case "function":
                self._advance()
                return self._function(self._advance().text)
        if self._reserved(*ENDERS):
            self._unexpected()
        return self._simple()

    def _subshell(self) -> Group:
        self._advance()
        body = self._body()
        self.expect(")")
        return Group(body, subshell=True)

    def _braces(self) -> Group:
        self._advance()
        body = self._body()
        self.expect("}")
        return Group(body)

    def _if(self) -> If:
        arms = []
        while self._reserved("if", "elif"):
            self._advance()
            condition = self._body()
            self.expect("then")
            arms.append((condition, self._body()))
        otherwise: Script = ()
        if self._reserved("else"):
            self._advance()
            otherwise = self._body()
        self.expect("fi")
        return If(tuple(arms), otherwise)

    def _while(self) -> While:
        until = self._advance().text == "until"
        condition = self._body()
        return While(condition, self._do(), until)

    def _do(self) -> Script:
        self.expect("do")
        body = self._body()
        self.expect("done")
        return body

    def _for(self) -> For:
        self._advance()
        name = self._advance().text
        if not _NAME.fullmatch(name):
            raise ShellSyntaxError("bad for loop variable")
        self._skip_lines()
        words: tuple[Word, ...] | None = None
        if self._reserved("in"):
            self._advance()
            listed = []
            while not self._token.operator:
                listed.append(self._advance().word)
            words = tuple(listed)
        if self._is(";"):
            self._advance()
        self._skip_lines()
        return For(name, words, self._do())

    def _case(self) -> Case:
        self._advance()
        word = self._advance().word
        self._skip_lines()
        self.expect("in")
        self._skip_lines()
        arms = []
        while not self._reserved("esac"):
            arms.append(self._arm())
            if not self._is(";;"):
                break
            self._advance()
            self._skip_lines()
        self.expect("esac")
        return Case(word, tuple(arms))

    def _arm(self) -> tuple[tuple[Word, ...], Script]:
        if self._is("("):
            self._advance()
        patterns = []
        while True:
            if self._token.operator:
                self._unexpected()
            patterns.append(self._advance().word)
            if not self._is("|"):
                break
            self._advance()
        self.expect(")")
        return tuple(patterns), self.script()

    def _function(self, name: str) -> Function:
        if self._is("("):
            self._advance()
            self.expect(")")
        if not _FUNCTION_NAME.fullmatch(name):
            raise ShellSyntaxError("bad function name")
        self._skip_lines()
        return Function(name, self._command())

    # Simple commands and redirections

    def _simple(self) -> Command:
        assignments: list[tuple[str, Word]] = []
        words: list[Word] = []
        redirects: list[Redirect] = []
        while True:
            if self._is(*REDIRECTIONS):
                redirects.append(self._redirect())
            elif self._is("(") and len(words) == 1 and not redirects and not assignments:
                return self._function(Token(word=words[0]).text)
            elif self._token.operator:
                break
            elif not words and (found := _assignment(self._token.word)):
                assignments.append(found)
                self._advance()
            else:
                words.append(self._advance().word)
        if not (assignments or words or redirects):
            self._unexpected()
        return Simple(tuple(assignments), tuple(words), tuple(redirects))

    def _redirected(self, command: Command) -> Command:
        while self._is(*REDIRECTIONS):
            command = _with(command, self._redirect())
        return command

    def _redirect(self) -> Redirect:
        token = self._token
        operator = token.operator
        if operator in ("<<", "<<-"):
            return self._here_document(token)
        self._advance()
        if self._token.operator:
            self._unexpected()
        number = token.descriptor if token.descriptor >= 0 else 0 if operator[0] == "<" else 1
        return Redirect(number, operator, self._advance().word)

    def _here_document(self, token: Token) -> Redirect:
        """Told to the scanner before it reads on: the text follows the present line."""
        self._scanner.skip_blanks()
        word = self._scanner.word()
        if not word:
            raise ShellSyntaxError("a here-document has no delimiter")
        quoted = any(isinstance(each, Literal) and each.quoted for each in word)
        text = "".join(each.text for each in word if isinstance(each, Literal))
        here = HereDocument(text, expand=not quoted, strip=token.operator == "<<-")
        self._scanner.waiting.append(here)
        self._advance()
        return Redirect(max(0, token.descriptor), "<<", (), here)


def _assignment(word: Word) -> tuple[str, Word] | None:
    """NAME=VALUE at the beginning of a command."""
    first = word[0] if word else None
    if not isinstance(first, Literal) or first.quoted:
        return None
    found = _ASSIGNMENT.match(first.text)
    if found is None:
        return None
    rest = first.text[found.end() :]
    return found[1], ((Literal(rest), *word[1:]) if rest else word[1:])


def _with(command: Command, redirect: Redirect) -> Command:
    if isinstance(command, Function):
        return replace(command, body=_with(command.body, redirect))
    return replace(command, redirects=(*command.redirects, redirect))
