"""Amounts as Kubernetes spells them: `1500m` is `1500m`, `0.5` is `500m`, `1024Ki` is `1Mi`.

Pure: text in, text out. Canonical form: no fraction, the largest suffix that leaves none, the
family of suffixes that was given; finer than a billionth is rounded up. Source:
k8s.io/apimachinery/pkg/api/resource.
"""

import re
from functools import lru_cache

DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
LARGEST = 2**63 - 1
DIGITS_EXACT = 18  # of a decimal: no limit but its exponent's
DIGITS_MAX = 100  # no amount needs more: longer text is no quantity

_SPELLING = re.compile(
    r"(?P<sign>[+-]?)(?P<number>\d+\.?\d*|\.\d+)"
    r"(?:(?P<suffix>Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]?)|[eE](?P<exponent>[+-]?\d{1,3}))",
    re.ASCII,
)


def canonical_quantity(text: str) -> str | None:
    """The one spelling of an amount; None if the text is no quantity."""
    return _canonical(text) if len(text) <= DIGITS_MAX else None


@lru_cache(maxsize=4096)
def _canonical(text: str) -> str | None:
    match = _SPELLING.fullmatch(text)
    if match is None:
        return None
    suffix, exponent = match["suffix"] or "", match["exponent"]
    nanos = _nanos(match["number"], suffix, int(exponent or 0))
    if suffix in BINARY or len(match["number"]) > DIGITS_EXACT:
        nanos = min(nanos, LARGEST * 10**9)
    sign = "-" if match["sign"] == "-" and nanos else ""
    return sign + _spelled(nanos, suffix, scientific=exponent is not None)


def nanos_of(text: str) -> int:
    """An amount in billionths, to compare and add; what is no quantity counts as 0."""
    return _nanos_of(text) if len(text) <= DIGITS_MAX else 0


@lru_cache(maxsize=4096)
def _nanos_of(text: str) -> int:
    match = _SPELLING.fullmatch(text)
    if match is None:
        return 0
    exponent = max(-DIGITS_MAX, min(int(match["exponent"] or 0), DIGITS_MAX))
    nanos = _nanos(match["number"], match["suffix"] or "", exponent)
    return -nanos if match["sign"] == "-" else nanos


def _nanos(number: str, suffix: str, exponent: int) -> int:
    """Billionths, rounded up: exact whole numbers all the way."""
    whole, _, fraction = number.partition(".")
    digits = int(whole + fraction) << BINARY.get(suffix, 0)
    power = 9 - len(fraction) + exponent + DECIMAL.get(suffix, 0)
    tens: int = 10 ** abs(power)
    return digits * tens if power >= 0 else -(-digits // tens)


def _spelled(nanos: int, suffix: str, *, scientific: bool) -> str:
    if nanos == 0:
        return "0"
    whole, rest = divmod(nanos, 10**9)
    if suffix in BINARY and not rest and whole >= 1024:
        return _binary(whole)
    return _decimal(nanos, scientific=scientific)


def _binary(whole: int) -> str:
    power = 0
    while whole % 1024 == 0 and power < 60:
        whole, power = whole // 1024, power + 10
    (suffix,) = (each for each, bits in {"": 0, **BINARY}.items() if bits == power)
    return f"{whole}{suffix}"


def _decimal(nanos: int, *, scientific: bool) -> str:
    exponent = -9
    while nanos % 1000 == 0 and (scientific or exponent < DECIMAL["E"]):
        nanos, exponent = nanos // 1000, exponent + 3
    if scientific:
        return f"{nanos}e{exponent}" if exponent else str(nanos)
    (suffix,) = (each for each, power in DECIMAL.items() if power == exponent)
    return f"{nanos}{suffix}"
