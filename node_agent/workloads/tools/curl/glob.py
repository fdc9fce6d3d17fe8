"""curl's globbing: `http://web/[1-3]`, `http://{a,b}/`; -g turns it off.

Pure: text in, a list of texts out. Source: curl(1), URL.
"""

import re
from itertools import product

URLS_MAX = 10_000

_STEP = r"(?::(\d{1,9}))?"
_SET = re.compile(
    rf"\{{([^{{}}]*)\}}|\[(\d{{1,9}})-(\d{{1,9}}){_STEP}\]"
    rf"|\[([a-z])-([a-z]){_STEP}\]|\[([A-Z])-([A-Z]){_STEP}\]"
)


class TooMany(ValueError):
    """More URLs than one command may ask for."""


def expanded(text: str) -> list[str]:
    """Every URL that a pattern means; an IPv6 address in brackets is none. TooMany."""
    parts: list[list[str]] = []
    position, count = 0, 1
    for found in _SET.finditer(text):
        values = _values(found)
        count *= len(values)
        if count > URLS_MAX:
            raise TooMany(text)
        parts += [[text[position : found.start()]], values]
        position = found.end()
    parts.append([text[position:]])
    return ["".join(each) for each in product(*parts)]


def _values(found: "re.Match[str]") -> list[str]:
    if found[1] is not None:
        return found[1].split(",")
    if found[2] is not None:
        first, last, step = int(found[2]), int(found[3]), int(found[4] or 1) or 1
        if (last - first) // step >= URLS_MAX:
            raise TooMany(found[0])
        width = len(found[2]) if found[2].startswith("0") else 0
        return [f"{number:0{width}d}" for number in range(first, last + 1, step)]
    group = 5 if found[5] is not None else 8
    first, last, step = ord(found[group]), ord(found[group + 1]), int(found[group + 2] or 1) or 1
    return [chr(number) for number in range(first, last + 1, step)]
