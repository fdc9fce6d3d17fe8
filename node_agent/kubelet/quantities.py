"""Resource quantities ("250m", "64Mi") and the downward API's resourceFieldRef.

Pure: text in, numbers and text out.
"""

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from cluster.client.interface import Document
from cluster.errors import ConfigError

_SUFFIXES = {
    "n": Fraction(1, 10**9),
    "u": Fraction(1, 10**6),
    "m": Fraction(1, 1000),
    "": Fraction(1),
    **{letter: Fraction(1000**power) for power, letter in enumerate("kMGTPE", 1)},
    **{f"{letter}i": Fraction(1024**power) for power, letter in enumerate("KMGTPE", 1)},
}


def quantity(text: str | int | float) -> Fraction:
    """The exact number that a quantity spells; ConfigError if it is none."""
    plain = str(text).strip()
    digits = plain.rstrip("numkKMGTPEi")
    try:
        return Fraction(digits) * _SUFFIXES[plain[len(digits) :]]
    except (KeyError, ValueError, ZeroDivisionError) as error:
        raise ConfigError(f"{plain!r} is not a quantity such as 250m or 64Mi") from error


def resource_field(pod: Document, container: Document, reference: Mapping[str, Any]) -> str:
    """The value of a resourceFieldRef, rounded up to its divisor; "0" where nothing is set."""
    of = _named(pod, reference["containerName"]) if reference.get("containerName") else container
    section, _, name = str(reference["resource"]).partition(".")
    amount = ((of.get("resources") or {}).get(section) or {}).get(name, 0)
    divisor = quantity(reference.get("divisor") or 1)
    return str(math.ceil(quantity(amount) / (divisor or 1)))


def _named(pod: Document, name: str) -> Document:
    for container in pod["spec"].get("containers") or ():
        if container["name"] == name:
            found: Document = container
            return found
    raise ConfigError(f"resourceFieldRef names container {name!r}, which the pod does not have")
