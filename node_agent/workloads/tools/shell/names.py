"""Which commands a script calls, as far as its text tells.

Pure: text in, names out. Where a name is made at run time (`$CMD`), nobody knows: None.
"""

from collections.abc import Iterator

from node_agent.workloads.tools.shell.parser import parse
from node_agent.workloads.tools.shell.syntax import (
    Case,
    Command,
    For,
    Function,
    Group,
    If,
    Literal,
    Parameter,
    Part,
    Script,
    ShellSyntaxError,
    Simple,
    Substitution,
    While,
    Word,
)

BUILTINS = frozenset(
    {
        ":", ".", "[", "[[", "alias", "break", "cd", "command", "continue", "eval", "exec", "exit",
        "export", "getopts", "hash", "jobs", "let", "local", "read", "readonly", "return", "set",
        "shift", "source", "times", "trap", "type", "ulimit", "umask", "unalias", "unset", "wait",
        "echo", "printf", "test", "true", "false", "pwd", "kill",
    }
)  # fmt: skip
RUNNERS = frozenset({"exec", "command", "env", "nohup", "xargs", "timeout", "time", "eval", "."})


def command_names(text: str) -> frozenset[str] | None:
    """The names that have to be found for a script to run; builtins and own functions are not."""
    try:
        script = parse(text)
    except ShellSyntaxError:
        return None
    functions = {each.name for each in _commands(script) if isinstance(each, Function)}
    names = set()
    for command in _commands(script):
        if not isinstance(command, Simple) or not command.words:
            continue
        name = _name(command)
        if name is None:
            return None
        names.add(name)
    return frozenset(names - functions - (BUILTINS - {"echo", "true", "false", "exit", "sleep"}))


def _name(command: Simple) -> str | None:
    """The name of a simple command; of `exec X` it is X; None where the text does not tell."""
    texts = [_text(word) for word in command.words]
    while len(texts) > 1 and texts[0] in RUNNERS:
        runner = texts.pop(0)
        if runner in ("eval", ".", "xargs", "env", "timeout", "time", "nohup"):
            texts = [each for each in texts if each is None or _may_be_name(each)]
        if not texts:
            return runner
    return texts[0].rsplit("/", 1)[-1] if texts[0] else None


def _may_be_name(text: str) -> bool:
    """Not an option, an assignment or a number of seconds."""
    return text[:1] not in ("-", "") and "=" not in text and not text[:1].isdigit()


def _text(word: Word) -> str | None:
    if all(isinstance(each, Literal) for each in word):
        return "".join(each.text for each in word if isinstance(each, Literal))
    return None


def _commands(script: Script) -> Iterator[Command]:
    for item in script:
        for pipeline in (item.first, *(each for _, each in item.rest)):
            for command in pipeline.commands:
                yield from _within(command)


def _within(command: Command) -> Iterator[Command]:
    yield command
    match command:
        case Simple():
            for word in (*command.words, *(value for _, value in command.assignments)):
                yield from _in_word(word)
        case Group(body):
            yield from _commands(body)
        case If(arms, otherwise):
            for condition, body in arms:
                yield from _commands(condition)
                yield from _commands(body)
            yield from _commands(otherwise)
        case While(condition, body):
            yield from _commands(condition)
            yield from _commands(body)
        case For(_, words, body):
            for word in words or ():
                yield from _in_word(word)
            yield from _commands(body)
        case Case(word, cases):
            yield from _in_word(word)
            for _, body in cases:
                yield from _commands(body)
        case Function(_, inner):
            yield from _within(inner)


def _in_word(word: Word) -> Iterator[Command]:
    for part in word:
        yield from _in_part(part)


def _in_part(part: Part) -> Iterator[Command]:
    match part:
        case Substitution(body):
            yield from _commands(body)
        case Parameter():
            yield from _in_word(part.word)
            yield from _in_word(part.second)
