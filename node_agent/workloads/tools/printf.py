"""`printf FORMAT [ARGUMENT]...`: the format again and again while arguments are left."""

import re
from collections.abc import Sequence

from node_agent.workloads.tools.escapes import Stop, unescaped
from node_agent.workloads.tools.options import UsageError
from node_agent.workloads.tools.process import Failed, Process

_DIRECTIVE = re.compile(r"%([-+ #0]*)(\*|\d+)?(?:\.(\*|\d+)?)?([diouxXeEfFgGcsbq%])?", re.S)
WIDTH_MAX = 10_000


class Printer:
    """One run of printf: what it writes, and whether an argument was no number."""

    def __init__(self, arguments: Sequence[str]) -> None:
        self.left = list(arguments)
        self.wrong: list[str] = []

    def text(self, layout: str) -> str:
        """The output."""
        before = len(self.left)
        out = self._once(layout)
        while 0 < len(self.left) < before:  # the format takes some, and there are more
            before = len(self.left)
            out += self._once(layout)
        return out

    def _once(self, layout: str) -> str:
        out, at = [], 0
        for found in _DIRECTIVE.finditer(layout):
            try:
                out.append(unescaped(layout[at : found.start()], stops=True))
                out.append(self._directive(found))
            except Stop as stop:
                self.left.clear()
                return "".join(out) + str(stop)
            at = found.end()
        try:
            return "".join(out) + unescaped(layout[at:], stops=True)
        except Stop as stop:
            self.left.clear()
            return "".join(out) + str(stop)

    def _directive(self, found: "re.Match[str]") -> str:
        flags, width, precision, kind = found.groups()
        if kind is None:
            raise Failed(f"{found[0]}: invalid directive")
        if kind == "%":
            return "%"
        width = self._size(width)
        precision = self._size(precision) if "." in found[0] else None
        shape = f"%{flags}{width}{'' if precision is None else '.' + (precision or '0')}"
        return self._filled(shape, kind)

    def _size(self, given: str | None) -> str:
        size = str(self._integer()) if given == "*" else given or ""
        if len(size) > 5 or (size and abs(int(size)) > WIDTH_MAX):
            raise Failed("field width is too large")
        return size

    def _filled(self, shape: str, kind: str) -> str:
        match kind:
            case "s":
                return (shape + "s") % self._next()
            case "b":
                return (shape + "s") % unescaped(self._next(), stops=True)
            case "q":
                return "'" + self._next().replace("'", "'\\''") + "'"
            case "c":
                return (shape + "s") % self._next()[:1]
            case "e" | "E" | "f" | "F" | "g" | "G":
                return (shape + kind) % self._float()
            case "o" | "u" | "x" | "X":
                value = self._integer()
                kind = "d" if kind == "u" else kind
                return (shape + kind) % (value if value >= 0 else value + (1 << 64))
        return (shape + "d") % self._integer()

    def _next(self) -> str:
        return self.left.pop(0) if self.left else ""

    def _integer(self) -> int:
        text = self._next()
        if text[:1] in ("'", '"') and len(text) > 1:
            return ord(text[1])
        digits = text.strip().lstrip("+-")
        base = 16 if digits[:2] in ("0x", "0X") else 8 if digits[:1] == "0" else 10
        try:
            return int(text, base) if text else 0
        except ValueError:
            self.wrong.append(text)
            leading = re.match(r"\s*[-+]?\d+", text)
            return int(leading[0]) if leading else 0

    def _float(self) -> float:
        text = self._next()
        try:
            return float(text) if text else 0.0
        except ValueError:
            self.wrong.append(text)
            return 0.0


async def run(process: Process) -> int:
    """Write what the format makes of the arguments."""
    words = [*process.arguments]
    if words[:1] == ["--"]:
        words.pop(0)
    if not words:
        raise UsageError("missing operand")
    printer = Printer(words[1:])
    text = printer.text(words[0])
    for each in printer.wrong:
        await process.complain(f"'{each}': expected a numeric value")
    await process.write(text)
    return 1 if printer.wrong else 0
