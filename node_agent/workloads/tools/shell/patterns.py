"""Patterns of the shell: `*`, `?`, `[a-z]`, `[!x]`, `[[:digit:]]`; a backslash makes one literal.

Pure: patterns in, answers out. Spec: POSIX.1-2017, XCU 2.13.
"""

import re
from functools import lru_cache

MAGIC = frozenset("*?[")
SUFFIX_CHARS_MAX = 8192  # a pattern is tried at each place of the text
CLASSES = {
    "alnum": "a-zA-Z0-9", "alpha": "a-zA-Z", "blank": " \\t", "cntrl": "\\x00-\\x1f\\x7f",
    "digit": "0-9", "graph": "\\x21-\\x7e", "lower": "a-z", "print": "\\x20-\\x7e",
    "punct": "!-/:-@\\[-`{-~", "space": "\\s", "upper": "A-Z", "xdigit": "0-9A-Fa-f",
}  # fmt: skip


def literal(text: str) -> str:
    """A pattern that matches the text and nothing else."""
    return re.sub(r"([*?\[\]\\])", r"\\\1", text)


def is_pattern(text: str) -> bool:
    """Whether something in it matches more than itself."""
    escaped = False
    for letter in text:
        if letter in MAGIC and not escaped:
            return True
        escaped = letter == "\\" and not escaped
    return False


def plain(text: str) -> str:
    """The text that a pattern without magic matches."""
    return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)


def matches(pattern: str, text: str) -> bool:
    """Whether a pattern matches all of a text."""
    return compiled(pattern).fullmatch(text) is not None


@lru_cache(maxsize=256)
def compiled(pattern: str, *, greedy: bool = True) -> "re.Pattern[str]":
    """The regular expression of a pattern."""
    out, at = [], 0
    while at < len(pattern):
        letter = pattern[at]
        at += 1
        if letter == "*":
            while pattern[at : at + 1] == "*":  # many stars would make matching slow
                at += 1
            out.append(".*" if greedy else ".*?")
        elif letter == "?":
            out.append(".")
        elif letter == "[" and (end := _bracket_end(pattern, at)) > 0:
            out.append(_bracket(pattern[at:end]))
            at = end + 1
        elif letter == "\\" and at < len(pattern):
            out.append(re.escape(pattern[at]))
            at += 1
        else:
            out.append(re.escape(letter))
    return re.compile("".join(out), re.DOTALL)


def _bracket_end(pattern: str, start: int) -> int:
    at = start + (pattern[start : start + 1] in ("!", "^"))
    at += pattern[at : at + 1] == "]"
    while at < len(pattern):
        if pattern.startswith("[:", at) and (close := pattern.find(":]", at)) > 0:
            at = close + 2
        elif pattern[at] == "]":
            return at
        else:
            at += 1
    return -1


def _bracket(inside: str) -> str:
    negated = inside[:1] in ("!", "^")
    body = inside[negated:]
    body = re.sub(r"\\(.)", r"\1", body)
    out = re.sub(r"[\\\[\]^&~|]", lambda found: "\\" + found[0], _without_classes(body))
    for name, letters in CLASSES.items():
        out = out.replace(f"\0{name}\0", letters)
    return f"[{'^' if negated else ''}{out}]"


def _without_classes(body: str) -> str:
    return re.sub(
        r"\[:(\w+):\]", lambda found: f"\0{found[1]}\0" if found[1] in CLASSES else "", body
    )


def without_prefix(text: str, pattern: str, *, longest: bool) -> str:
    """${text#pattern} and ${text##pattern}."""
    found = compiled(pattern, greedy=longest).match(text)
    return text[found.end() :] if found else text


def without_suffix(text: str, pattern: str, *, longest: bool) -> str:
    """${text%pattern} and ${text%%pattern}."""
    if not is_pattern(pattern):
        return text.removesuffix(plain(pattern))
    if len(text) > SUFFIX_CHARS_MAX:
        raise ValueError("the value is too long for a pattern at its end")
    wanted = compiled(pattern)
    starts = range(len(text) + 1)
    for start in starts if longest else reversed(starts):
        if wanted.fullmatch(text, start):
            return text[:start]
    return text


def replaced(text: str, pattern: str, by: str, *, everywhere: bool) -> str:
    """${text/pattern/by} and ${text//pattern/by}."""
    if not pattern:
        return text
    anchor = pattern[0] if pattern[0] in "#%" and not everywhere else ""
    source = compiled(pattern[len(anchor) :]).pattern
    source = {"#": rf"\A(?:{source})", "%": rf"(?:{source})\Z"}.get(anchor, source)
    return re.sub(source, lambda _: by, text, count=0 if everywhere else 1, flags=re.DOTALL)
