"""Integer arithmetic of `$((...))`: C's operators, assignment, names of variables.

Pure: text and variables in, a number out; what it assigns it puts into the variables. Numbers are
of 64 bits and wrap around. Spec: POSIX.1-2017, XCU 2.6.4.
"""

import re
from collections.abc import Callable, MutableMapping

_TOKEN = re.compile(
    r"\s*(0[xX][0-9a-fA-F]+|\d+#\w+|\d+|[A-Za-z_]\w*"
    r"|\*\*|<<=|>>=|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|[-+*/%&|^~!<>=?:(),])"
)
BINARY: dict[str, tuple[int, Callable[[int, int], int]]] = {
    "|": (3, lambda a, b: a | b), "^": (4, lambda a, b: a ^ b), "&": (5, lambda a, b: a & b),
    "==": (6, lambda a, b: int(a == b)), "!=": (6, lambda a, b: int(a != b)),
    "<": (7, lambda a, b: int(a < b)), ">": (7, lambda a, b: int(a > b)),
    "<=": (7, lambda a, b: int(a <= b)), ">=": (7, lambda a, b: int(a >= b)),
    "<<": (8, lambda a, b: a << (b & 63)), ">>": (8, lambda a, b: a >> (b & 63)),
    "+": (9, lambda a, b: a + b), "-": (9, lambda a, b: a - b),
    "*": (10, lambda a, b: a * b), "/": (10, lambda a, b: _divided(a, b)),
    "%": (10, lambda a, b: a - b * _divided(a, b)),
    "**": (11, lambda a, b: pow(a, _exponent(b), 1 << 64)),
}  # fmt: skip
ASSIGNMENTS = ("=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>=")
DEPTH_MAX = 64


class ArithmeticFault(Exception):
    """The expression has no value."""


def evaluate(text: str, variables: MutableMapping[str, str], depth: int = 0) -> int:
    """The value of an expression; an empty one is 0."""
    if depth > DEPTH_MAX:
        raise ArithmeticFault("expression recursion level exceeded")
    tokens, at = [], 0
    text = text.strip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise ArithmeticFault(f"arithmetic syntax error in '{text}'")
        tokens.append(found[1])
        at = found.end()
    if not tokens:
        return 0
    reader = _Reader(tokens, variables, depth)
    value = reader.comma()
    if reader.tokens:
        raise ArithmeticFault(f"arithmetic syntax error in '{text}'")
    return value


class _Reader:
    def __init__(self, tokens: list[str], variables: MutableMapping[str, str], depth: int) -> None:
        self.tokens = tokens
        self._variables = variables
        self._depth = depth
        self._level = 0
        self._idle = 0  # inside the half of && || ?: that does not count

    def _take(self, *wanted: str) -> str:
        if self.tokens and (not wanted or self.tokens[0] in wanted):
            return self.tokens.pop(0)
        return ""

    def _expect(self, wanted: str) -> None:
        if not self._take(wanted):
            raise ArithmeticFault(f"arithmetic syntax error: '{wanted}' expected")

    def comma(self) -> int:
        """The whole expression."""
        value = self._assignment()
        while self._take(","):
            value = self._assignment()
        return value

    def _assignment(self) -> int:
        self._level += 1
        if self._level > DEPTH_MAX:
            raise ArithmeticFault("expression recursion level exceeded")
        try:
            if len(self.tokens) > 1 and _is_name(self.tokens[0]) and self.tokens[1] in ASSIGNMENTS:
                name, operator = self.tokens.pop(0), self.tokens.pop(0)
                value = self._assignment()
                if operator != "=":
                    value = self._apply(operator[:-1], self._value_of(name), value)
                return self._assign(name, value)
            return self._choice()
        finally:
            self._level -= 1

    def _assign(self, name: str, value: int) -> int:
        if not self._idle:
            self._variables[name] = str(_wrapped(value))
        return _wrapped(value)

    def _choice(self) -> int:
        condition = self._either()
        if not self._take("?"):
            return condition
        first = self._unless(not condition, self._assignment)
        self._expect(":")
        second = self._unless(bool(condition), self._assignment)
        return first if condition else second

    def _unless(self, idle: bool, read: Callable[[], int]) -> int:
        """Read a part; when it is idle, for its syntax alone."""
        self._idle += idle
        try:
            return read()
        finally:
            self._idle -= idle

    def _either(self) -> int:
        value = self._both()
        while self._take("||"):
            other = self._unless(bool(value), self._both)
            value = int(bool(value) or bool(other))
        return value

    def _both(self) -> int:
        value = self._binary(3)
        while self._take("&&"):
            other = self._unless(not value, lambda: self._binary(3))
            value = int(bool(value) and bool(other))
        return value

    def _binary(self, least: int) -> int:
        value = self._unary()
        while self.tokens and self.tokens[0] in BINARY and BINARY[self.tokens[0]][0] >= least:
            operator = self.tokens.pop(0)
            level = BINARY[operator][0]
            other = self._binary(level if operator == "**" else level + 1)
            value = self._apply(operator, value, other)
        return value

    def _apply(self, operator: str, first: int, second: int) -> int:
        if self._idle and operator in ("/", "%", "**"):
            return 0
        return _wrapped(BINARY[operator][1](first, second))

    def _unary(self) -> int:
        operator = self._take("-", "+", "!", "~", "++", "--")
        if operator in ("++", "--"):
            name = self._take()
            if not _is_name(name):
                raise ArithmeticFault("arithmetic syntax error")
            return self._assign(name, self._value_of(name) + (1 if operator == "++" else -1))
        if operator:
            value = self._unary()
            return {"-": -value, "+": value, "!": int(not value), "~": ~value}[operator]
        return self._primary()

    def _primary(self) -> int:
        token = self._take()
        if token == "(":
            value = self.comma()
            self._expect(")")
            return value
        if _is_name(token):
            value = self._value_of(token)
            step = self._take("++", "--")
            if step:
                self._assign(token, value + (1 if step == "++" else -1))
            return value
        return _number(token)

    def _value_of(self, name: str) -> int:
        text = self._variables.get(name, "").strip()
        if not text:
            return 0
        return evaluate(text, self._variables, self._depth + 1)


def _number(token: str) -> int:
    base, sign, digits = token.partition("#")
    try:
        if sign:
            return _wrapped(int(digits, int(base)))
        if token[:2] in ("0x", "0X"):
            return _wrapped(int(token, 16))
        return _wrapped(int(token, 8 if token.startswith("0") else 10))
    except ValueError:
        raise ArithmeticFault("arithmetic syntax error") from None


def _is_name(token: str) -> bool:
    return token.isascii() and token.isidentifier()


def _wrapped(value: int) -> int:
    return (value + (1 << 63)) % (1 << 64) - (1 << 63)


def _divided(a: int, b: int) -> int:
    if b == 0:
        raise ArithmeticFault("divide by zero")
    quotient = abs(a) // abs(b)
    return quotient if (a < 0) == (b < 0) else -quotient


def _exponent(value: int) -> int:
    if value < 0:
        raise ArithmeticFault("exponent less than 0")
    return value
