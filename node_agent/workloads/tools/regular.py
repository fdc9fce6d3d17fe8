"""Regular expressions of grep and sed (basic and extended) as Python's.

Pure: patterns in, compiled expressions out. Spec: POSIX.1-2017, XBD 9.
"""

import re
from functools import lru_cache

from node_agent.workloads.tools.options import UsageError
from node_agent.workloads.tools.shell.patterns import CLASSES

EXIT_BAD_PATTERN = 2
GROUPING = frozenset("(){}+?|")
WORD = {"<": r"\b(?=\w)", ">": r"\b(?<=\w)", "b": r"\b", "B": r"\B", "w": r"\w", "W": r"\W",
        "s": r"\s", "S": r"\S"}  # fmt: skip


@lru_cache(maxsize=128)
def compiled(
    pattern: str, *, extended: bool = False, ignore_case: bool = False
) -> "re.Pattern[str]":
    """The expression; UsageError says what is wrong with it."""
    try:
        return re.compile(translated(pattern, extended=extended), re.I if ignore_case else 0)
    except (re.error, OverflowError) as error:
        raise UsageError(f"bad regex '{pattern}': {error}", EXIT_BAD_PATTERN) from None


def translated(pattern: str, *, extended: bool) -> str:
    """A POSIX expression in Python's spelling."""
    out: list[str] = []
    at = 0
    while at < len(pattern):
        letter = pattern[at]
        at += 1
        if letter == "\\":
            out.append(_escaped(pattern[at : at + 1], extended=extended))
            at += 1
        elif letter == "[":
            end = _bracket_end(pattern, at)
            out.append(_bracket(pattern[at:end]))
            at = end + 1
        elif letter == "*" and (not out or out[-1] in ("(", "|", "^")):
            out.append(r"\*")
        elif letter in GROUPING and not extended:
            out.append("\\" + letter)
        elif letter == "{" and not re.match(r"\d*(,\d*)?}", pattern[at:]):
            out.append(r"\{")
        elif letter == "^" and not extended and out and out[-1] not in ("(", "|"):
            out.append(r"\^")
        elif letter == "$" and not extended and pattern[at : at + 2] not in ("", r"\)", r"\|"):
            out.append(r"\$")
        else:
            out.append(letter)
    return "".join(out)


def _escaped(letter: str, *, extended: bool) -> str:
    if letter in WORD and letter:
        return WORD[letter]
    if letter.isdecimal():
        return "\\" + letter
    if letter in GROUPING and not extended:
        return letter
    if letter == "n":
        return "\n"
    if letter == "t":
        return "\t"
    return re.escape(letter) if letter else r"\\"


def _bracket_end(pattern: str, start: int) -> int:
    at = start + (pattern[start : start + 1] == "^")
    at += pattern[at : at + 1] == "]"
    while at < len(pattern):
        if pattern.startswith("[:", at) and (close := pattern.find(":]", at)) > 0:
            at = close + 2
        elif pattern[at] == "]":
            return at
        else:
            at += 1
    raise UsageError(f"bad regex '{pattern}': unmatched [", EXIT_BAD_PATTERN)


def _bracket(inside: str) -> str:
    negated = inside.startswith("^")
    body = inside[negated:].replace("\\", "\\\\")
    names = re.findall(r"\[:(\w+):\]", body)
    for name in names:
        body = body.replace(f"[:{name}:]", f"\0{name}\0")
    body = body.replace("[", r"\[").replace("]", r"\]")
    body = re.sub(r"(?<!\\)([&~|])", r"\\\1", body)
    for name in names:
        body = body.replace(f"\0{name}\0", CLASSES.get(name, ""))
    return f"[{'^' if negated else ''}{body}]"
