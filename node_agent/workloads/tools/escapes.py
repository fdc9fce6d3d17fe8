"""The backslash escapes of `echo -e`, `printf` and `tr`.

Pure: text in, text out.
"""

import re

PLAIN = {
    "a": "\a", "b": "\b", "e": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
    "\\": "\\",
}  # fmt: skip
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{1,4})|0?([0-7]{1,3})|(.))", re.S)


class Stop(Exception):
    """`\\c`: nothing more is written; the exception carries what was before it."""


def unescaped(text: str, *, stops: bool = False) -> str:
    """Text with its escapes replaced; with `stops`, `\\c` ends it by raising Stop."""
    out, at = [], 0
    for found in _ESCAPE.finditer(text):
        out.append(text[at : found.start()])
        at = found.end()
        if found[4] == "c" and stops:
            raise Stop("".join(out))
        out.append(_meaning(found))
    return "".join(out) + text[at:]


def _meaning(found: "re.Match[str]") -> str:
    if found[1]:
        return _byte(int(found[1], 16))
    if found[2]:
        return chr(int(found[2], 16))
    if found[3]:
        return _byte(int(found[3], 8) & 0xFF)
    return PLAIN.get(found[4], found[0])


def _byte(value: int) -> str:
    """A byte, in a text that is encoded with surrogateescape."""
    return bytes([value]).decode("utf-8", "surrogateescape")
