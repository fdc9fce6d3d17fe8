"""Amounts compared.

Pure: values in, a claim out.
"""

from decimal import Decimal
from typing import Any

from control.resources.quantities import BINARY, DECIMAL, canonical_quantity


def greater(left: Any, right: Any) -> bool:
    """Whether one quantity is more than another; what is none is not more."""
    amounts = _amount(left), _amount(right)
    return amounts[0] is not None and amounts[1] is not None and amounts[0] > amounts[1]


def _amount(value: Any) -> Decimal | None:
    text = canonical_quantity(str(value))
    if text is None:
        return None
    number = text.rstrip("numkMGTPEi") if "e" not in text else text
    suffix = text[len(number) :]
    if suffix in BINARY:
        return Decimal(number) * (1 << BINARY[suffix])
    return Decimal(number).scaleb(DECIMAL[suffix])
