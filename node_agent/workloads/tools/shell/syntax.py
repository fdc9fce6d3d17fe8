"""What a script is made of: words of parts, commands, lists.

Pure: types. Spec: POSIX.1-2017, XCU 2, "Shell Command Language".
"""

from cluster.dataclass import dataclass


class ShellSyntaxError(Exception):
    """The text is no script."""


class Incomplete(ShellSyntaxError):
    """The text is the beginning of a script: a person who types is asked for more."""


# Words


@dataclass(frozen=True, slots=True)
class Literal:
    """Text as it stands; `quoted` text is neither split nor a pattern."""

    text: str
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Parameter:
    """$name and ${name OPERATOR word}; the operator "length" is ${#name}."""

    name: str
    operator: str = ""
    word: "Word" = ()
    second: "Word" = ()  # of ${name/pattern/second} and ${name:offset:second}
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Substitution:
    """$(script) and `script`."""

    body: "Script"
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """$((expression)), its parameters expanded first."""

    word: "Word"
    quoted: bool = False


Part = Literal | Parameter | Substitution | Arithmetic
Word = tuple[Part, ...]


# Commands


@dataclass(slots=True)
class HereDocument:
    """The text after `<<`, read at the line's end: until then its word is empty."""

    delimiter: str
    expand: bool
    strip: bool  # of leading tabs
    word: Word = ()


@dataclass(frozen=True, slots=True)
class Redirect:
    """`2>file`, `<&3`, `<<END`."""

    descriptor: int
    operator: str
    word: Word
    here: HereDocument | None = None


@dataclass(frozen=True, slots=True)
class Simple:
    """Assignments, words, redirections."""

    assignments: tuple[tuple[str, Word], ...]
    words: tuple[Word, ...]
    redirects: tuple[Redirect, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """{ ...; } or, as a subshell, ( ... )."""

    body: "Script"
    subshell: bool = False
    redirects: tuple[Redirect, ...] = ()


@dataclass(frozen=True, slots=True)
class If:
    """if ...; then ...; elif ...; else ...; fi"""

    arms: tuple[tuple["Script", "Script"], ...]
    otherwise: "Script" = ()
    redirects: tuple[Redirect, ...] = ()


@dataclass(frozen=True, slots=True)
class While:
    """while or until."""

    condition: "Script"
    body: "Script"
    until: bool = False
    redirects: tuple[Redirect, ...] = ()


@dataclass(frozen=True, slots=True)
class For:
    """for name in words; without `in`, the positional parameters (words is None)."""

    name: str
    words: tuple[Word, ...] | None
    body: "Script"
    redirects: tuple[Redirect, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """case word in pattern) ... ;; esac"""

    word: Word
    arms: tuple[tuple[tuple[Word, ...], "Script"], ...]
    redirects: tuple[Redirect, ...] = ()


@dataclass(frozen=True, slots=True)
class Function:
    """name() body"""

    name: str
    body: "Command"


Command = Simple | Group | If | While | For | Case | Function


@dataclass(frozen=True, slots=True)
class Pipeline:
    """! a | b | c"""

    commands: tuple[Command, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """a && b || c, perhaps in the background."""

    first: Pipeline
    rest: tuple[tuple[str, Pipeline], ...] = ()
    background: bool = False


Script = tuple[Item, ...]
