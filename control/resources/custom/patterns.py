"""Regular expressions as schemas write them, which is as Go reads them, for Python's `re`.

Pure: text in, a pattern out. `$` is the very end, `\\z` too, and classes like `[[:alpha:]]` are
spelled out; what Python has no words for (`\\pL`) is a fault, told when the schema is written.
Source: github.com/google/re2/wiki/Syntax.
"""

import re
import warnings
from functools import lru_cache

PATTERNS_KEPT_MAX = 1_024

_CLASSES = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "blank": r"\t ",
    "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": r"!-/:-@\[-`{-~",
    "space": r"\t\n\v\f\r ",
    "upper": "A-Z",
    "word": "0-9A-Za-z_",
    "xdigit": "0-9A-Fa-f",
}
_PIECE = re.compile(r"\\.|\[:(\w+):\]|\[\^?\]?|\]|\$|.", re.DOTALL)


class PatternFault(ValueError):
    """An expression that cannot be used."""


@lru_cache(PATTERNS_KEPT_MAX)
def compiled(text: str) -> re.Pattern[str]:
    """The pattern; PatternFault where there is none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # a future meaning of the text is not Go's
            return re.compile(_translated(text), re.ASCII)
    except (re.error, FutureWarning, DeprecationWarning, OverflowError, RecursionError) as error:
        raise PatternFault(str(error)) from error


def _translated(text: str) -> str:
    made, inside = [], False
    for match in _PIECE.finditer(text):
        piece = match[0]
        if match[1] is not None and inside:
            piece = _CLASSES.get(match[1], piece)
        elif piece == r"\z":
            piece = r"\Z"
        elif piece.startswith("[") and len(piece) <= 3:
            inside, piece = True, piece if not inside else piece.replace("[", r"\[")
        elif piece == "]":
            inside = False
        elif piece == "$" and not inside:
            piece = r"\Z"
        made.append(piece)
    return "".join(made)
